/** Where a job's log goes: a terminal or a file as text, the bytes as they are, or JSON lines. */
import type { Sink, Told } from "./follow.ts";
import type { Output } from "./output.ts";
import { nameOf, type Part, type Ranks, ranks } from "./ranks.ts";
import { type Filter, stripper, tamer } from "./strip.ts";

export interface Ending extends Pick<Sink, "write" | "tell"> {
  /** A try is over, and another comes. */
  turn?(): Promise<void>;
  end(): Promise<void>;
}

export interface Target {
  bytes(chunk: Uint8Array): Promise<void>;
  /** Colours and moves within a line mean something to it. */
  readonly terminal: boolean;
}

export const rawSink = (out: Pick<Target, "bytes">): Ending => ({
  write: (_, bytes) => out.bytes(bytes),
  end: async () => {},
});

const RESET = Buffer.from("\u001b[0m");
const LF = 0x0a;
const ESC = 0x1b;

/** The log as text: ranks in front of lines where there are several nodes, and nothing that controls a terminal. */
export function textSink(out: Target, nodes: number): Ending {
  const state = { attempt: 0, phase: "", parts: fresh(out.terminal, nodes), open: false, coloured: false };
  const show = async (bytes: Uint8Array): Promise<void> => {
    if (bytes.length === 0) return;
    state.open = bytes.at(-1) !== LF;
    state.coloured ||= bytes.includes(ESC);
    await out.bytes(bytes);
  };
  /** What one try has left open is not of the next. */
  const close = async (): Promise<void> => {
    await show(state.parts.lines.rest());
    // A colour that was never taken back would go on in whatever comes next.
    if (state.coloured) await out.bytes(RESET);
  };
  const turn = async (): Promise<void> => {
    await close();
    if (state.open) await show(Buffer.from("\n"));
    Object.assign(state, { parts: fresh(out.terminal, nodes), coloured: false });
  };
  return {
    turn,
    write: async (chunk, bytes) => {
      if (chunk.attempt !== state.attempt && state.attempt > 0) await turn();
      // What services print comes between the parts of what run does, which may have left a line open.
      else if (chunk.phase !== state.phase && state.open) await show(Buffer.from("\n"));
      Object.assign(state, { attempt: chunk.attempt, phase: chunk.phase });
      await show(state.parts.lines.take(chunk, state.parts.filters(chunk)(bytes)));
    },
    end: close,
  };
}

interface Parts {
  readonly lines: Ranks;
  readonly filters: (part: Part) => Filter;
}

const fresh = (terminal: boolean, nodes: number): Parts => ({
  lines: ranks(nodes),
  filters: perPart(terminal ? tamer : stripper),
});

/** Says where the log of another try begins: its lines may repeat those before. */
export function betweenTries(sink: Ending, say: (line: string) => Promise<void> | void): Ending {
  const seen = { attempt: Number.POSITIVE_INFINITY };
  return {
    ...sink,
    write: async (chunk, bytes) => {
      const isAnother = chunk.attempt > seen.attempt;
      seen.attempt = chunk.attempt;
      if (isAnother) await sink.turn?.();
      if (isAnother) await say(tryLine(chunk.attempt));
      await sink.write(chunk, bytes);
    },
  };
}

const tryLine = (attempt: number): string => `── try ${attempt}: the job begins again ──`;

/** One chunk, or line of what led to a try, one line of JSON. */
export function jsonSink(print: (line: string) => Promise<void>): Ending {
  // A character may be cut in two by the end of a chunk.
  const decoders = perPart(() => new TextDecoder());
  return {
    write: (chunk, bytes) => {
      const { attempt, fence, rank, sequence, phase, at } = chunk;
      const text = decoders(chunk).decode(bytes, { stream: true });
      return print(`${JSON.stringify({ attempt, fence, rank, sequence, phase, at, text })}\n`);
    },
    tell: ({ attempt, sequence, at, text }: Told) =>
      print(`${JSON.stringify({ attempt, sequence, phase: "provision", at, text })}\n`),
    end: async () => {},
  };
}

/** All of it to both. */
export function both(first: Ending, second: Ending | undefined): Ending {
  if (second === undefined) return first;
  return {
    write: async (chunk, bytes) => {
      await first.write(chunk, bytes);
      await second.write(chunk, bytes);
    },
    tell: async line => {
      await first.tell?.(line);
      await second.tell?.(line);
    },
    end: async () => {
      await first.end();
      await second.end();
    },
  };
}

/** Lines of what led to a try, on their way to whoever sits there. */
export const aside =
  (out: Pick<Output, "note" | "style">) =>
  async (line: Told): Promise<void> =>
    out.note(out.style("dim", stripped(line.text)));

const stripped = (text: string): string =>
  Buffer.from(stripper()(Buffer.from(text)))
    .toString()
    .trimEnd();

/** One of something for each part of the log. */
function perPart<T>(make: () => T): (part: Part) => T {
  const made = new Map<string, T>();
  return part => {
    const one = made.get(nameOf(part)) ?? make();
    made.set(nameOf(part), one);
    return one;
  };
}
