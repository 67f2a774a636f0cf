/** Aligned columns without lines around them. */
import Table from "cli-table3";

const NO_LINES = Object.fromEntries(
  [
    "top,top-mid,top-left,top-right,bottom,bottom-mid,bottom-left,bottom-right",
    "left,left-mid,mid,mid-mid,right,right-mid,middle",
  ].flatMap(names => names.split(",").map(name => [name, ""])),
);

/** Rows under a heading, each column as wide as its longest cell. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const drawn = new Table({
    head: [...head],
    chars: NO_LINES,
    style: { head: [], border: [], "padding-left": 0, "padding-right": 2 },
  });
  drawn.push(...rows.map(row => [...row]));
  return drawn
    .toString()
    .split("\n")
    .map(line => line.trimEnd())
    .join("\n");
}
