/**
 * Markdown with the texts of others in it. Each stands in code, where neither forge reads anything: no mention, no number of
 * something else, no HTML, no command of GitLab's; and where a table is, no bar that would end its cell.
 */
import { plain, printable } from "./plain.ts";

const longestRun = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map(run => run.length));

/** In a line. */
export function code(text: string): string {
  const line = plain(text);
  if (line === "") return "";
  const ticks = "`".repeat(longestRun(line) + 1);
  // A space at either end is taken off again, and is needed where a tick stands.
  const room = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return `${ticks}${room}${line}${room}${ticks}`;
}

/** In a cell of a table: bars end cells even within code. */
export const cell = (text: string): string => code(text.replaceAll("|", "¦"));

/** Lines of their own. */
export function fence(text: string): string {
  const lines = printable(text);
  const ticks = "`".repeat(Math.max(3, longestRun(lines) + 1));
  return `${ticks}text\n${lines}\n${ticks}`;
}
