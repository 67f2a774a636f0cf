/**
 * Patterns of branches and paths, as GitHub's workflows have them: `*` is anything but a slash, `**` anything, `?` one
 * character; a pattern that begins with `!` takes out what an earlier one has let in.
 * (https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax)
 *
 * Matched by a walk and not by a regular expression: none can be written that takes long.
 */

/** The most of a pattern; longer ones are refused where they are set. */
export const LONGEST = 256;

/** Whether the patterns let it in, the last that fits deciding. Those that only take out let in everything else. */
export function lets(patterns: readonly string[], text: string): boolean {
  const [first] = patterns;
  let isIn = first === undefined || first.startsWith("!");
  for (const pattern of patterns) {
    const isOut = pattern.startsWith("!");
    if (fits(isOut ? pattern.slice(1) : pattern, text)) isIn = !isOut;
  }
  return isIn;
}

/** Whether one pattern fits the whole text, in at most pattern × text steps. */
export function fits(pattern: string, text: string): boolean {
  const tokens = pattern.match(/\*\*\/?|./gsu) ?? [];
  const letters = Array.from(text);
  // Which places of the text the tokens so far can have come to.
  let places = new Set([0]);
  for (const token of tokens) places = after(token, letters, places);
  return places.has(letters.length);
}

function after(token: string, letters: readonly string[], places: ReadonlySet<number>): Set<number> {
  if (token === "**") return reach(letters, places, () => true);
  // Any number of whole folders, also none.
  if (token === "**/") return folders(letters, places);
  if (token === "*") return reach(letters, places, letter => letter !== "/");
  const next = new Set<number>();
  for (const place of places) {
    const letter = letters[place];
    if (letter !== undefined && (token === "?" ? letter !== "/" : letter === token)) next.add(place + 1);
  }
  return next;
}

/** Every place from the earliest on, as far as the letters may be passed. */
function reach(
  letters: readonly string[],
  places: ReadonlySet<number>,
  isPassed: (letter: string) => boolean,
): Set<number> {
  const next = new Set<number>();
  for (let at = 0, isOpen = false; at <= letters.length; at++) {
    isOpen = places.has(at) || (isOpen && isPassed(letters[at - 1] ?? ""));
    if (isOpen) next.add(at);
  }
  return next;
}

function folders(letters: readonly string[], places: ReadonlySet<number>): Set<number> {
  const next = new Set(places);
  const first = Math.min(...places);
  for (let at = first; at < letters.length; at++) if (letters[at] === "/") next.add(at + 1);
  return next;
}
