/** Takes terminal control out of a log that does not go to a terminal. */

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const ESC = 0x1b;
const BEL = 0x07;

/** What the last byte was part of. `string` is an OSC, DCS, APC, PM or SOS sequence, which ends with BEL or ESC \. */
type Mode = "text" | "escape" | "csi" | "intermediate" | "string" | "string_escape";

/** Introducers, after ESC, of the sequences that carry text. */
const STRINGS = new Set(["]", "P", "_", "^", "X"].map(char => char.charCodeAt(0)));

/**
 * A filter for one stream of bytes, which remembers a sequence that was cut in two. Colours, cursor moves, titles and
 * other control characters go; newline and tab stay; a carriage return becomes a newline, so that the steps of a
 * progress bar stay apart. Bytes from 0x80 on are untouched: they are parts of UTF-8 characters.
 */
export function stripper(): (input: Uint8Array) => Uint8Array {
  let mode: Mode = "text";
  let afterReturn = false;
  return input => {
    const output = new Uint8Array(input.length);
    let length = 0;
    for (const byte of input) {
      // No sequence goes on past its line: one that never ends must not swallow the rest of the log.
      if (byte === LF) mode = "text";
      const shown = mode === "text" ? visible(byte, afterReturn) : undefined;
      afterReturn = mode === "text" && byte === CR;
      mode = next(mode, byte);
      if (shown !== undefined) output[length++] = shown;
    }
    return output.subarray(0, length);
  };
}

/** What a byte of plain text shows as; nothing when it is control. */
function visible(byte: number, afterReturn: boolean): number | undefined {
  if (byte === CR) return LF;
  if (byte === LF) return afterReturn ? undefined : LF;
  return byte === TAB || (byte >= 0x20 && byte !== 0x7f) ? byte : undefined;
}

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
