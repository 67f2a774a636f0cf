/** What a provider has for a request: for each of its choices, in the order in which to try them. */
import { placeOf } from "../capacity/memory.ts";
import type { Barred, Beside, Offer, Offered } from "../ports/provider.ts";
import type { Offering } from "../ports/world.ts";
import type { Choice, Resources } from "../task/resources.ts";
import { choicesOf, keyOf } from "./choices.ts";

type From = Pick<Offering, "name" | "offers">;

/** What the provider has for one choice. */
interface Answer extends Offered {
  /** Index among the choices. */
  readonly choice: number;
  /** Where the file says it. */
  readonly key: string;
}

/**
 * Offers say which choice they belong to. Of `anyOf` the cheapest comes first, of `ordered` those of the first choice; what
 * one choice has stays in the order in which the provider gives it.
 * @param beside what other groups of the cluster are going to have
 */
export async function offersOf(
  from: From,
  resources: Resources,
  nodes: number,
  beside?: readonly Beside[],
): Promise<Offered> {
  const key = keyOf(resources);
  if (key === undefined) return from.offers({ ...resources, provider: from.name }, nodes, beside);
  const mine = choicesOf(resources)
    .map((choice, index) => ({ choice, index }))
    .filter(({ choice }) => choice.provider === undefined || choice.provider === from.name);
  const answers = await Promise.all(
    mine.map(async ({ choice, index }): Promise<Answer> => {
      const found = await from.offers({ ...choice, provider: from.name }, nodes, beside);
      const offers = found.offers.map(offer => ({ ...offer, choice: index }));
      return { ...found, offers, choice: index, key: `resources.${key}.${index}` };
    }),
  );
  const lists = answers.map(({ offers }) => offers);
  const offers = distinct(key === "any_of" ? merged(lists) : lists.flat());
  return offers.length > 0 ? { offers, ...besides(answers) } : { offers, ...refusal(answers, resources) };
}

/** The cheapest of what comes next in each of the lists, and so on; of two at one price that of the list before. */
function merged(lists: readonly (readonly Offer[])[]): Offer[] {
  const at = lists.map(() => 0);
  const all: Offer[] = [];
  for (;;) {
    const heads = lists.flatMap((list, index) => {
      const offer = list[at[index] ?? 0];
      return offer === undefined ? [] : [{ offer, index }];
    });
    const [first, ...more] = heads;
    if (first === undefined) return all;
    const next = more.reduce((best, one) => (one.offer.hourly < best.offer.hourly ? one : best), first);
    all.push(next.offer);
    at[next.index] = (at[next.index] ?? 0) + 1;
  }
}

/** Choices may overlap: what was refused to one of them is not to be had by another. */
function distinct(offers: readonly Offer[]): Offer[] {
  const seen = new Set<string>();
  return offers.filter(offer => {
    const place = placeOf(offer);
    return !seen.has(place) && seen.add(place);
  });
}

/** What there is to know of the choices, those that have nothing among them. */
function besides(answers: readonly Answer[]): Pick<Offered, "barred" | "notices"> {
  const barred = barredOf(answers);
  const without = answers.filter(({ offers }) => offers.length === 0);
  const notices = [
    ...new Set(answers.flatMap(answer => answer.notices ?? [])),
    ...without.map(({ key, reason }) => `${key} is not to be had: ${reason ?? NOTHING}`),
  ];
  return { ...(barred.length > 0 && { barred }), ...(notices.length > 0 && { notices }) };
}

const NOTHING = "there is no machine like that";

function barredOf(answers: readonly Answer[]): readonly Barred[] {
  const all = answers.flatMap(({ barred }) => barred ?? []);
  return [...new Map(all.map(one => [`${one.instanceType} ${one.market}`, one])).values()];
}

/** Why none of the choices will do. Its hint is about the first, by the keys of its own. */
function refusal(answers: readonly Answer[], resources: Resources): Omit<Offered, "offers"> {
  const [first] = answers;
  const reasons = answers.map(({ key, reason }) => `${key}: ${reason ?? NOTHING}`);
  const own = (resources.anyOf ?? resources.ordered ?? [])[first?.choice ?? 0] ?? {};
  const hint = first?.hint?.replace(/--resources\.(\w+)/g, (whole, key: string) =>
    says(resources, key) && !says(own, key) ? whole : `--${first.key}.${key}`,
  );
  const isBarred = answers.every(answer => (answer.barred ?? []).length > 0);
  return {
    reason: `none of the choices is to be had: ${reasons.join("; ")}`,
    ...(hint !== undefined && { hint }),
    ...(isBarred && { barred: barredOf(answers) }),
  };
}

/** What keys of task files are called here, where that is not the same. */
const FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["image_id", ["image", "images"]],
  ["use_spot", ["spot"]],
]);

/** Whether something is said by this key of task files. */
function says(machine: Choice, key: string): boolean {
  const fields = FIELDS.get(key) ?? [key.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())];
  return Object.keys(machine).some(field => fields.includes(field));
}
