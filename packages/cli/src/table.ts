/** Aligned columns without lines around them. */
import stringWidth from "string-width";

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

/** Columns of a terminal that a text takes: Chinese characters and emoji take two, accents and colours none. */
export const width = (text: string): number => (PLAIN.test(text) ? text.length : stringWidth(text));
