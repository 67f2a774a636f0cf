/**
 * One host's log of commands, cut at its marks: see core's job/exec-script.ts. Whatever the commands print is theirs, byte for
 * byte; only what bears the job's own number is a mark.
 */
import { markOf } from "@muster/core/job/exec-script.ts";

export type Part =
  | { readonly kind: "begin"; readonly command: number }
  | { readonly kind: "output"; readonly command: number; readonly bytes: Uint8Array }
  | { readonly kind: "end"; readonly command: number; readonly exitCode: number };

const LF = 0x0a;

export class Marks {
  readonly #mark: Buffer;
  /** What may be the beginning of a mark. */
  #held = Buffer.alloc(0);
  /** The command whose output this is; before the first, and between two, what is printed is nobody's. */
  #command: number | undefined;

  constructor(nonce: string) {
    this.#mark = Buffer.from(markOf(nonce));
  }

  /** What the next bytes of the log tell. */
  take(bytes: Uint8Array): Part[] {
    const parts: Part[] = [];
    let rest = Buffer.concat([this.#held, bytes]);
    for (;;) {
      const at = rest.indexOf(this.#mark);
      const end = at < 0 ? -1 : rest.indexOf(LF, at + this.#mark.length);
      const until = at < 0 ? rest.length - overlap(rest, this.#mark) : at;
      parts.push(...this.#output(rest.subarray(0, until)));
      if (end < 0) {
        this.#held = rest.subarray(until);
        return parts;
      }
      parts.push(...this.#turn(rest.toString("latin1", at + this.#mark.length, end)));
      rest = rest.subarray(end + 1);
    }
  }

  /** What was held back, when nothing more comes. */
  rest(): Part[] {
    const held = this.#held;
    this.#held = Buffer.alloc(0);
    return this.#output(held);
  }

  #output(bytes: Uint8Array): Part[] {
    if (this.#command === undefined || bytes.length === 0) return [];
    return [{ kind: "output", command: this.#command, bytes }];
  }

  #turn(words: string): Part[] {
    const [word, index, code] = words.split(" ");
    const command = Number(index);
    if (word === "begin") {
      this.#command = command;
      return [{ kind: "begin", command }];
    }
    this.#command = undefined;
    return [{ kind: "end", command, exitCode: Number(code) }];
  }
}

/** How many bytes at the end may be the beginning of the mark. */
function overlap(bytes: Buffer, mark: Buffer): number {
  for (let length = Math.min(mark.length - 1, bytes.length); length > 0; length--)
    if (bytes.subarray(bytes.length - length).equals(mark.subarray(0, length))) return length;
  return 0;
}
