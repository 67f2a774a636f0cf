/** Which bytes of which file each log chunk holds. On the disk before a chunk is first sent, so that a number never means other bytes. */
import { truncateSync } from "node:fs";
import { join } from "node:path";
import { appendFlushed, readText } from "../disk.ts";
import type { Phase } from "../script/texts.ts";

export interface Chunk {
  readonly sequence: number;
  readonly phase: Phase;
  readonly from: number;
  readonly to: number;
}

const FILE = "chunks";

/** All chunks so far, in order. A torn last line was never sent, and is cut off. */
export function load(folder: string): Chunk[] {
  const path = join(folder, FILE);
  const text = readText(path) ?? "";
  const whole = text.slice(0, text.lastIndexOf("\n") + 1);
  if (whole.length < text.length) truncateSync(path, whole.length);
  return whole.split("\n").flatMap(line => {
    const [sequence, phase, from, to] = line.split(" ");
    return to === undefined
      ? []
      : { sequence: Number(sequence), phase: phase as Phase, from: Number(from), to: Number(to) };
  });
}

export const add = (folder: string, chunk: Chunk): void =>
  appendFlushed(join(folder, FILE), `${chunk.sequence} ${chunk.phase} ${chunk.from} ${chunk.to}\n`);
