/** The part of a person's file that is the agent's own: between two lines that say so, and replaced whole. */

const BEGIN = "# muster: begin (for jobs of several hosts; written by Muster's agent)";
const END = "# muster: end";

/** The text with these lines as the agent's part, at its end; without that part when there are none. Other lines stay. */
export function withBlock(text: string, lines: readonly string[]): string {
  const rest = withoutBlock(text);
  if (lines.length === 0) return rest;
  const gap = rest === "" || rest.endsWith("\n") ? "" : "\n";
  return `${rest}${gap}${[BEGIN, ...lines, END].join("\n")}\n`;
}

/** What lies between a beginning and the next end is the agent's. Of one without the other only that line is. */
function withoutBlock(text: string): string {
  const kept: string[] = [];
  const state = { begin: -1 };
  for (const line of text.split("\n")) {
    const isEnd = line.trimEnd() === END;
    if (isBegin(line)) state.begin = kept.length;
    if (!isEnd) kept.push(line);
    if (!isEnd || state.begin < 0) continue;
    kept.length = state.begin;
    state.begin = -1;
  }
  return kept.filter(line => !isBegin(line)).join("\n");
}

const isBegin = (line: string): boolean => line.trimEnd() === BEGIN;
