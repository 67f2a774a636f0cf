/**
 * How much of what an attempt's scripts print is sent, and how much of it is written to the host's disk at all. Behind the
 * quota the log is cut: at a line's end, once and for all.
 *
 * Gotcha: the file of the agent's notes then begins with what is said of it at once; the notes at the end repeat that line
 * as they are written, so that what was sent of the file stays true.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { sizeOf } from "../disk.ts";
import type { Phase } from "../script/texts.ts";
import type { Chunk } from "./chunks.ts";

export class Quota {
  readonly #folder: string;
  readonly #quota: number | undefined;
  #sent = 0;
  #isCut = false;

  constructor(folder: string, quota: number | undefined) {
    this.#folder = folder;
    this.#quota = quota;
  }

  /** Nothing more of the scripts' output is to be sent. */
  get isCut(): boolean {
    return this.#isCut;
  }

  /** Counts what was sent. */
  take({ phase, from, to }: Pick<Chunk, "phase" | "from" | "to">): void {
    if (phase !== "muster") this.#sent += to - from;
  }

  /** How many of these bytes may be sent. */
  most(phase: Phase, pending: number): number {
    if (this.#quota === undefined || phase === "muster") return pending;
    return Math.max(0, Math.min(pending, this.#quota - this.#sent));
  }

  /** There is more, and no whole line of it fits. @returns false for the very first line: a part of that is better than nothing. */
  cut(): boolean {
    this.#isCut = this.#sent > 0;
    return this.#isCut;
  }

  /** Says so, for whoever follows the log. */
  note(): void {
    const path = join(this.#folder, "out", "muster.log");
    if (this.#quota !== undefined && sizeOf(path) === 0) writeFileSync(path, `${reachedLine(this.#quota)}\n`);
  }
}

/** Beyond the quota, in bytes: what is a little longer is told to the byte. */
const SLACK = 1024 * 1024;

/** KiB that one part of a log may take on the disk: more than is ever sent. Undefined: all that is printed. */
export const onDisk = (quota: number | undefined): number | undefined =>
  quota === undefined ? undefined : Math.ceil((quota + SLACK) / 1024);

const reachedLine = (quota: number): string =>
  `the log has come to ${written(quota)}, the most that is kept of a node in one try: what is printed from here on is not`;

/** What an attempt's notes begin and end with when its scripts have printed more than the quota. */
export function cutLines(
  folder: string,
  phases: readonly Phase[],
  quota: number | undefined,
): { readonly first?: string; readonly last?: string } {
  const sizes = phases
    .filter(phase => phase !== "muster")
    .map(phase => [phase, sizeOf(join(folder, "out", `${phase}.log`))] as const);
  const printed = sizes.reduce((sum, [, size]) => sum + size, 0);
  if (quota === undefined || printed <= quota) return {};
  const atLeast = (size: number, most = size): string =>
    most < quota + SLACK ? written(size) : `${written(size)} or more`;
  const parts = sizes.filter(([, size]) => size > 0).map(([phase, size]) => `${phase} ${atLeast(size)}`);
  const whole = atLeast(printed, Math.max(...sizes.map(([, size]) => size)));
  const last = `the log was cut: of the ${whole} that were printed (${parts.join(", ")}) the first ${written(quota)} are kept`;
  return { first: reachedLine(quota), last };
}

/** Decimal units, as disks and networks count them. */
function written(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  const step = bytes === 0 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  return step === 0 ? `${bytes} B` : `${(bytes / 1000 ** step).toFixed(1)} ${units[step]}`;
}
