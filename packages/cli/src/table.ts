/** Aligned columns without lines around them. */
import { stripVTControlCharacters } from "node:util";

const GAP = "  ";

/** Rows under a heading, each column as wide as its widest cell; each row is one line, whatever a cell holds. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows].map(row => row.map(cell => cell.replaceAll(/\s*[\r\n]+\s*/g, " ")));
  const sizes = lines.map(cells => cells.map(width));
  const widest = head.map((_, column) => sizes.reduce((most, row) => Math.max(most, row[column] ?? 0), 0));
  const padded = (cell: string, row: number, column: number): string =>
    cell + " ".repeat((widest[column] ?? 0) - (sizes[row]?.[column] ?? 0));
  return lines
    .map((cells, row) =>
      cells
        .map((cell, column) => padded(cell, row, column))
        .join(GAP)
        .trimEnd(),
    )
    .join("\n");
}

const PLAIN = /^[\x20-\x7e]*$/;
const WIDE =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u;
const SHOWN = /[^\p{M}\p{Cf}\p{Cc}]/u;
const characters = new Intl.Segmenter();

/** Columns of a terminal that a text takes: Chinese characters and emoji take two, accents and colours none. */
export function width(text: string): number {
  if (PLAIN.test(text)) return text.length;
  const drawn = [...characters.segment(stripVTControlCharacters(text))].filter(({ segment }) => SHOWN.test(segment));
  return drawn.reduce((sum, { segment }) => sum + (WIDE.test(segment) || segment.includes("\ufe0f") ? 2 : 1), 0);
}
