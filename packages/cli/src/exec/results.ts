/** What commands on hosts have come to, from their log. */
import type { Exec } from "@muster/core/job/command.ts";
import type * as Job from "@muster/core/job/job.ts";
import * as Exit from "../exit.ts";
import type { Chunk } from "../follow.ts";
import type { Ending } from "../sinks.ts";
import { Marks, type Part } from "./marks.ts";

/** One command on one host. */
export interface Result {
  /** Of the host, in its cluster. */
  readonly rank: number;
  /** Which of the commands, from 0. */
  readonly command: number;
  /** Null: it did not come to its end. */
  readonly exitCode: number | null;
  /** What it printed to stdout and stderr, in order. */
  readonly output: string;
}

interface Gathered {
  readonly marks: Marks;
  readonly commands: Map<number, { exitCode: number | null; readonly bytes: Uint8Array[] }>;
}

/** Takes the log of all hosts; `show` is told what arrives of the output. */
export class Results implements Pick<Ending, "write" | "end"> {
  readonly #exec: Exec;
  readonly #show: (chunk: Chunk, bytes: Uint8Array) => Promise<void>;
  readonly #hosts: readonly Gathered[];

  constructor(exec: Exec, show: (chunk: Chunk, bytes: Uint8Array) => Promise<void> = async () => {}) {
    this.#exec = exec;
    this.#show = show;
    this.#hosts = exec.ranks.map(() => ({ marks: new Marks(exec.nonce), commands: new Map() }));
  }

  async write(chunk: Chunk, bytes: Uint8Array): Promise<void> {
    const host = this.#hosts[chunk.rank];
    for (const part of host?.marks.take(bytes) ?? []) {
      note(host, part);
      if (part.kind === "output") await this.#show(chunk, part.bytes);
    }
  }

  async end(): Promise<void> {
    for (const host of this.#hosts) for (const part of host.marks.rest()) note(host, part);
  }

  /** By host, and then in the order of the commands. */
  all(): Result[] {
    return this.#hosts.flatMap(({ commands }, index) =>
      [...commands].map(([command, { exitCode, bytes }]) => ({
        rank: this.#exec.ranks[index] ?? index,
        command,
        exitCode,
        output: new TextDecoder("utf-8", { ignoreBOM: true }).decode(Buffer.concat(bytes)),
      })),
    );
  }

  /** What one host's commands have printed. */
  outputOf(rank: number): Uint8Array {
    const host = this.#hosts[this.#exec.ranks.indexOf(rank)];
    return Buffer.concat([...(host?.commands.values() ?? [])].flatMap(({ bytes }) => bytes));
  }

  /** Whether anything has begun there. */
  hasRun(rank: number): boolean {
    return (this.#hosts[this.#exec.ranks.indexOf(rank)]?.commands.size ?? 0) > 0;
  }
}

function note(host: Gathered | undefined, part: Part): void {
  if (part.kind === "begin") host?.commands.set(part.command, { exitCode: null, bytes: [] });
  const command = host?.commands.get(part.command);
  if (part.kind === "output") command?.bytes.push(part.bytes);
  if (part.kind === "end" && command) command.exitCode = part.exitCode;
}

/** The first code that is not 0; where all are, or none is known, what the job itself has come to. */
export const exitCodeOf = (results: readonly Result[], job: Job.Info): number =>
  results.find(({ exitCode }) => exitCode !== null && exitCode !== 0)?.exitCode ?? Exit.ofJob(job);
