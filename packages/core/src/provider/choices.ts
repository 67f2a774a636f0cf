/** Requests that any of several machines meets: what each of their choices asks for, and what was asked for in the end. */
import { MusterError } from "../error.ts";
import type { Offer } from "../ports/provider.ts";
import type { Choice, Resources } from "../task/resources.ts";

/** What is asked for, choice by choice, each over what is asked for in all of them; one where there are no choices. */
export function choicesOf({ anyOf, ordered, ...base }: Resources): readonly [Choice, ...Choice[]] {
  const [first, ...more] = (anyOf ?? ordered ?? []).map(choice => over(base, choice));
  return first === undefined ? [base] : [first, ...more];
}

function over(base: Choice, choice: Choice): Choice {
  const { image: _, images: __, ...rest } = base;
  // One image for all regions would stand over those that the choice has for each.
  return { ...(choice.images === undefined ? base : rest), ...choice };
}

/** Where the file says the choices; undefined where it says none. */
export const keyOf = ({ anyOf, ordered }: Resources): "any_of" | "ordered" | undefined => {
  if (anyOf !== undefined) return "any_of";
  return ordered === undefined ? undefined : "ordered";
};

/** What was asked for by the choice that an offer belongs to. */
export function chosenOf({ resources }: { readonly resources: Resources }, offer: Pick<Offer, "choice">): Choice {
  const chosen = choicesOf(resources)[offer.choice ?? 0];
  if (chosen !== undefined) return chosen;
  throw new MusterError("internal", `there is no choice ${offer.choice}`);
}

/** What was asked for of the machines that are made of this offer: its choice, and the image of its region. */
export const resourcesOf = (
  group: { readonly resources: Resources },
  offer: Pick<Offer, "choice" | "region">,
): Choice => inRegion(chosenOf(group, offer), offer.region);

/** The request as it stands in a region: of images by region no more than the one that is meant. */
export function inRegion({ images, ...rest }: Choice, region: string | undefined): Choice {
  if (images === undefined || rest.image !== undefined) return rest;
  const found = Object.entries(images).find(([name]) => name.toLowerCase() === region?.toLowerCase());
  return found === undefined ? rest : { ...rest, image: found[1] };
}

/** Whether machines of the spot market may come of it. */
export const maybeSpot = (group: {
  readonly resources: Resources;
  readonly offers: readonly Pick<Offer, "choice">[];
}): boolean => group.offers.some(offer => chosenOf(group, offer).spot === true);
