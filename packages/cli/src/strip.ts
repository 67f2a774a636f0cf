/**
 * Takes out of a log what controls a terminal: all of it, where the log goes elsewhere; where it goes to a terminal, all but
 * colours and what stays within a line.
 */

const BS = 0x08;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const ESC = 0x1b;
const BEL = 0x07;

/** What the last byte was part of. `string` is an OSC, DCS, APC, PM or SOS sequence, which ends with BEL or ESC \. */
type Mode = "text" | "escape" | "csi" | "intermediate" | "string" | "string_escape";

/** Introducers, after ESC, of the sequences that carry text. */
const STRINGS = new Set(["]", "P", "_", "^", "X"].map(char => char.charCodeAt(0)));

/** Colours; to the end of the line or to a column of it; to the right and to the left. None with a mark of its own, as `>4m` has. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const KEPT = /^\u001b\[[0-9;:]{0,60}[mKGCD]$/;
/** What is longer is not kept. */
const LONGEST = 64;

export type Filter = (input: Uint8Array) => Uint8Array;

/**
 * A filter for one stream of bytes, which remembers a sequence that was cut in two. Colours, cursor moves, titles and
 * other control characters go; newline and tab stay; a carriage return becomes a newline, so that the steps of a
 * progress bar stay apart.
 */
export const stripper = (): Filter => filter(false);

/** A filter for one stream of bytes on its way to a terminal: what is left cannot leave its line, ask, or set anything but colours. */
export const tamer = (): Filter => filter(true);

function filter(isTerminal: boolean): Filter {
  const stream = new Stream(isTerminal);
  return input => stream.take(input);
}

class Stream {
  readonly #isTerminal: boolean;
  #mode: Mode = "text";
  /** The sequence so far. */
  #held: number[] = [];
  #afterReturn = false;
  /** How many bytes of a character of UTF-8 are still to come. */
  #rest = 0;
  /** The first byte of a character that may be control: those from U+0080 to U+009F are to some terminals what ESC begins. */
  #lead: number | undefined;
  #output = new Uint8Array();
  #length = 0;

  constructor(isTerminal: boolean) {
    this.#isTerminal = isTerminal;
  }

  take(input: Uint8Array): Uint8Array {
    // What was held back may come with this input.
    this.#output = new Uint8Array(input.length + LONGEST + 1);
    this.#length = 0;
    for (let at = 0; at < input.length; at++) {
      at = this.#letters(input, at);
      const byte = input[at];
      if (byte !== undefined) this.#byte(byte);
    }
    return this.#output.subarray(0, this.#length);
  }

  /** Most of a log are these, which need no looking at one by one. @returns where they end */
  #letters(input: Uint8Array, from: number): number {
    if (this.#mode !== "text") return from;
    let end = from;
    for (let byte = input[end] ?? LF; byte >= 0x20 && byte < 0x7f; byte = input[end] ?? LF) end++;
    if (end === from) return from;
    this.#output.set(input.subarray(from, end), this.#length);
    this.#length += end - from;
    this.#begun();
    return end;
  }

  #byte(byte: number): void {
    // No sequence goes on past its line: one that never ends must not swallow the rest of the log.
    if (byte === LF) this.#mode = "text";
    const before = this.#mode;
    this.#mode = next(before, byte);
    if (before !== "text") this.#sequence(before, byte);
    else if (this.#mode === "text") this.#text(byte);
    else this.#held = [byte];
  }

  /** A byte came that is a character by itself. */
  #begun(): void {
    this.#afterReturn = false;
    this.#rest = 0;
    this.#lead = undefined;
  }

  #put(byte: number): void {
    this.#output[this.#length++] = byte;
  }

  #sequence(before: Mode, byte: number): void {
    if (!this.#isTerminal) return;
    if (this.#held.length < LONGEST) this.#held.push(byte);
    const isOver = before === "csi" && this.#mode === "text";
    if (isOver && KEPT.test(String.fromCharCode(...this.#held))) for (const kept of this.#held) this.#put(kept);
  }

  #text(byte: number): void {
    if (byte >= 0x80) {
      this.#afterReturn = false;
      this.#wide(byte);
      return;
    }
    this.#rest = 0;
    this.#lead = undefined;
    const shown = this.#isTerminal ? inLine(byte) : this.#plain(byte);
    if (shown !== undefined) this.#put(shown);
  }

  /** What a byte of text shows as where lines cannot be drawn over. */
  #plain(byte: number): number | undefined {
    const wasReturn = this.#afterReturn;
    this.#afterReturn = byte === CR;
    if (byte === CR) return LF;
    if (byte === LF) return wasReturn ? undefined : LF;
    return isPrintable(byte) ? byte : undefined;
  }

  #wide(byte: number): void {
    const isRest = this.#rest > 0 && byte < 0xc0;
    const lead = this.#lead;
    this.#lead = undefined;
    this.#rest = isRest ? this.#rest - 1 : restOf(byte);
    if (!isRest) this.#begin(byte);
    else if (lead === undefined) this.#put(byte);
    else if (byte >= 0xa0) {
      this.#put(lead);
      this.#put(byte);
    }
  }

  #begin(byte: number): void {
    if (byte === CONTROL_LEAD) this.#lead = byte;
    else if (byte >= 0xa0) this.#put(byte);
  }
}

const CONTROL_LEAD = 0xc2;

/** How many bytes follow one that begins a character. */
function restOf(byte: number): number {
  if (byte >= 0xf5 || byte < 0xc2) return 0;
  if (byte >= 0xf0) return 3;
  return byte >= 0xe0 ? 2 : 1;
}

const isPrintable = (byte: number): boolean => byte === TAB || (byte >= 0x20 && byte !== 0x7f);

/** What a byte of text shows as on a terminal. */
const inLine = (byte: number): number | undefined =>
  isPrintable(byte) || byte === LF || byte === CR || byte === BS ? byte : undefined;

function next(mode: Mode, byte: number): Mode {
  switch (mode) {
    case "text":
      return byte === ESC ? "escape" : "text";
    case "escape":
      return afterEscape(byte);
    case "intermediate":
      return byte >= 0x20 && byte <= 0x2f ? "intermediate" : "text";
    case "csi":
      return byte >= 0x40 && byte <= 0x7e ? "text" : "csi";
    case "string":
      return inString(byte);
    case "string_escape":
      return byte === ESC ? "string_escape" : "text";
  }
}

function inString(byte: number): Mode {
  if (byte === ESC) return "string_escape";
  return byte === BEL ? "text" : "string";
}

function afterEscape(byte: number): Mode {
  if (byte === "[".charCodeAt(0)) return "csi";
  if (STRINGS.has(byte)) return "string";
  if (byte === ESC) return "escape";
  return byte >= 0x20 && byte <= 0x2f ? "intermediate" : "text";
}
