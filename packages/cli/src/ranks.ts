/** The logs of several nodes as one: whole lines, each with the rank that wrote it. */
import type { Chunk } from "./follow.ts";

const LF = 0x0a;

/** What is written in one go: lines of several of them may come between each other. */
export type Part = Pick<Chunk, "rank" | "phase">;

export const nameOf = ({ rank, phase }: Part): string => `${rank}.${phase}`;

export interface Ranks {
  /** What can be shown now. */
  take(chunk: Part, bytes: Uint8Array): Uint8Array;
  /** The lines that no newline ended. */
  rest(): Uint8Array;
}

/** One node's log passes as it is; several ones' wait for their lines to be whole. */
export function ranks(nodes: number): Ranks {
  if (nodes <= 1) return { take: (_, bytes) => bytes, rest: () => new Uint8Array() };
  const open = new Map<string, { readonly rank: number; readonly text: Buffer }>();
  return {
    take: (part, bytes) => {
      const { rank } = part;
      const text = Buffer.concat([open.get(nameOf(part))?.text ?? Buffer.alloc(0), bytes]);
      const end = text.lastIndexOf(LF) + 1;
      open.set(nameOf(part), { rank, text: text.subarray(end) });
      return prefixed(rank, text.subarray(0, end));
    },
    rest: () => {
      const lines = [...open.values()].filter(({ text }) => text.length > 0);
      open.clear();
      return Buffer.concat(lines.map(({ rank, text }) => prefixed(rank, Buffer.concat([text, Buffer.from("\n")]))));
    },
  };
}

/** Every line of a text that ends with a newline, with its rank in front. */
function prefixed(rank: number, text: Buffer): Uint8Array {
  const prefix = Buffer.from(`(rank ${rank}) `);
  const parts: Buffer[] = [];
  for (let from = 0; from < text.length; ) {
    const end = text.indexOf(LF, from) + 1;
    parts.push(prefix, text.subarray(from, end));
    from = end;
  }
  return Buffer.concat(parts);
}
