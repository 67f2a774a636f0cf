/** Words that were meant. */
import { closest, distance } from "fastest-levenshtein";

const LONGEST = 64;

/** The word that is close enough to have been meant. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  if (words.length === 0 || word.length > LONGEST) return undefined;
  const given = word.toLowerCase();
  const best = closest(given, words.map(lower));
  if (distance(given, best) > Math.min(3, Math.max(1, Math.floor(best.length / 3)))) return undefined;
  return words.find(one => lower(one) === best);
}

const lower = (word: string): string => word.toLowerCase();
