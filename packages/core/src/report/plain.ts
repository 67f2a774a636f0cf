/** Text of jobs and of strangers, as it may stand before others. */

const ESC = "\u001b";
const BEL = "\u0007";

/** Sequences that control a terminal: with text in them, those of colours and moves, and all others. */
const SEQUENCES = new RegExp(
  [
    `${ESC}[\\]PX^_][^${BEL}${ESC}\\n]{0,4096}(?:${BEL}|${ESC}\\\\)?`,
    `${ESC}\\[[0-?]{0,64}[ -/]{0,16}[@-~]`,
    `${ESC}[ -/]{0,16}[0-~]`,
  ].join("|"),
  "g",
);

/** What shows as something else than it is: control characters, and marks that turn the direction of writing. */
const UNSEEN = /(?![\n\t])\p{Cc}|[\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu;

/** Lines and tabs stay. Of a line that was written over, as those of progress bars, the last form. */
export function printable(text: string): string {
  const lines = text
    .replaceAll("\r\n", "\n")
    .replace(SEQUENCES, "")
    .split("\n")
    .map(line => line.split("\r").findLast(form => form !== "") ?? "");
  return lines.join("\n").replace(UNSEEN, "").toWellFormed();
}

/** The same in one line. */
export const plain = (text: string): string => printable(text).replace(/\s+/g, " ").trim();

/** At most so many characters, with a sign that there are more. */
export function clip(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** The last lines that fit, whole; of one that does not fit by itself its end. */
export function lastLines(text: string, { lines, letters }: { readonly lines: number; readonly letters: number }) {
  const whole = text.split("\n");
  const all = whole.slice(0, whole.findLastIndex(line => line !== "") + 1).slice(-lines);
  const room = { left: letters };
  const first = all.findLastIndex(line => {
    room.left -= line.length + 1;
    return room.left < 0;
  });
  const kept = all.slice(first + 1);
  return kept.length > 0 ? kept.join("\n") : (all.at(-1) ?? "").slice(-letters).toWellFormed();
}

/** How long something took: `0.3 s`, `42 s`, `3 min 5 s`, `2 h 10 min`. @param ms */
export function duration(ms: number): string {
  if (ms < 9950) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** US dollars; small amounts are not nothing. */
export const money = (amount: number): string => `$${amount.toFixed(amount < 0.1 ? 4 : 2)}`;
