/** Patterns for claims: a text in which `*` stands for anything up to the next slash, and `**` for anything. */

/** Whether the whole of the text is as the pattern says. Takes time in proportion to both, whatever they are. */
export function fits(pattern: string, text: string): boolean {
  const parts = partsOf(pattern);
  // All places in the pattern that what was read so far may have come to: no pattern makes it go back.
  let places = reach(parts, new Set([0]));
  for (const char of text) {
    const next = new Set<number>();
    for (const at of places) step(parts[at], char, at, next);
    places = reach(parts, next);
  }
  return places.has(parts.length);
}

/** Whether it stands for one text alone. */
export const isLiteral = (pattern: string): boolean => !pattern.includes("*");

/** Whether it says nothing: every text does. */
export const isAnything = (pattern: string): boolean => /^\**$/.test(pattern);

const SEGMENT = Symbol("*");
const ANYTHING = Symbol("**");
type Part = string | typeof SEGMENT | typeof ANYTHING;

const partsOf = (pattern: string): readonly Part[] =>
  pattern.split(/(\*+)/).flatMap((text): Part[] => {
    if (!text.startsWith("*")) return [...text];
    return [text.length > 1 ? ANYTHING : SEGMENT];
  });

function step(part: Part | undefined, char: string, at: number, next: Set<number>): void {
  if (part === ANYTHING || (part === SEGMENT && char !== "/")) next.add(at);
  if (part === char) next.add(at + 1);
}

/** With those that are reached without reading: a star may stand for nothing. */
function reach(parts: readonly Part[], places: ReadonlySet<number>): Set<number> {
  const all = new Set(places);
  // What is added while a set is walked is walked as well.
  for (const at of all) if (typeof parts[at] === "symbol") all.add(at + 1);
  return all;
}
