/** How far an upload is, on one line: `37%  812.0 MB of 2.1 GB, 45.0 MB/s`. */
import { bytes } from "../format.ts";
import type { Output } from "../output.ts";
import { type Step, step } from "../progress.ts";

/** Redrawing for every chunk would take more time than some chunks do, in ms. */
const REDRAW = 100;

export interface Meter extends Disposable {
  /** A part of so many bytes, packed by and by, then sent. */
  part(bytes: number): Part;
  done(text: string): void;
}

export interface Part {
  /** Bytes that went in. */
  packed(more: number): void;
  /** How much of the archive has been sent, from 0 to 1. */
  sent(share: number): void;
}

/** @param total Bytes of all parts. */
export function meter(out: Output, subject: string, total: number): Meter {
  const line = step(out, subject);
  const begun = performance.now();
  const parts: (() => number)[] = [];
  const state = { drawn: Number.NEGATIVE_INFINITY };
  const draw = (): void => {
    const now = performance.now();
    if (now - state.drawn < REDRAW) return;
    state.drawn = now;
    const done = parts.reduce((sum, bytesOf) => sum + bytesOf(), 0);
    show(out, line, { done: Math.min(done, total), total, seconds: (now - begun) / 1000 });
  };
  draw();
  return {
    part: size => {
      const part = { packed: 0, sent: 0 };
      // Packing is half of the way: a large file would seem to stand still until it is packed.
      parts.push(() => (Math.min(part.packed, size) + part.sent * size) / 2);
      return {
        packed: more => {
          part.packed += more;
          draw();
        },
        sent: share => {
          part.sent = share;
          if (share === 1) part.packed = size;
          draw();
        },
      };
    },
    done: line.done,
    [Symbol.dispose]: line[Symbol.dispose],
  };
}

interface State {
  readonly done: number;
  readonly total: number;
  readonly seconds: number;
}

function show(out: Output, line: Step, { done, total, seconds }: State): void {
  const share = total === 0 ? 100 : Math.floor((done / total) * 100);
  const rate = seconds > 0.5 ? `, ${bytes(Math.round(done / seconds))}/s` : "";
  // In a log each state that lasts is a line: a few will do.
  if (out.live) line.show(`${String(share).padStart(3)}%  ${bytes(Math.round(done))} of ${bytes(total)}${rate}`);
  else line.show(`${Math.floor(share / 10) * 10}% of ${bytes(total)}`);
}
