/** Identifiers: a prefix that says the noun, and a ULID that says when. */
import { monotonicFactory } from "ulid";
import * as z from "zod";

export const prefixes = {
  cluster: "clu",
  host: "hst",
  job: "job",
  event: "evt",
  token: "tok",
  secret: "sec",
  workspace: "wsp",
  schedule: "sch",
  image: "img",
  pool: "pol",
  jobGroup: "jgr",
  sweep: "swp",
  webhook: "whk",
  hook: "hk",
  hookDelivery: "hdl",
} as const;

export type Prefix = keyof typeof prefixes;

/** A run of an array has the array's id, and its index after a dot. */
const RUN = "(?:\\.(?:0|[1-9][0-9]{0,5}))?";
const patternOf = (noun: Prefix): RegExp =>
  new RegExp(`^${prefixes[noun]}_[0-9A-HJKMNP-TV-Z]{26}${noun === "job" ? RUN : ""}$`);

export const schema = (noun: Prefix) => z.string().regex(patternOf(noun), `expected an id like ${prefixes[noun]}_01J…`);

export const create = (random: { ulid(): string }, noun: Prefix): string => `${prefixes[noun]}_${random.ulid()}`;

/** Is this text an id of that noun, or a name? */
export const is = (noun: Prefix, text: string): boolean => patternOf(noun).test(text);

/** The id of one run of an array; without an index, what all of them begin with. */
export const runOf = (arrayId: string, index: number | ""): string => `${arrayId}.${index}`;

/** The array and the index that the id of a run tells; undefined for any other. */
export function partsOfRun(id: string): { readonly array: string; readonly index: number } | undefined {
  const [array = "", index] = id.split(".");
  return is("job", id) && index !== undefined ? { array, index: Number(index) } : undefined;
}

/** Does it begin as ids do, of whatever noun? */
export const looksLikeId = (text: string): boolean =>
  Object.values(prefixes).some(prefix => text.toLowerCase().startsWith(`${prefix}_`));

/** A source of ULIDs that increase within one process, from a clock and a source of numbers in [0, 1). */
export function ulids(now: () => number, prng: () => number): () => string {
  const next = monotonicFactory(prng);
  return () => next(now());
}
