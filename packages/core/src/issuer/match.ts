/** Which rule decides, and under which name whoever comes is known here. */
import type { Claims } from "../ports/issuers.ts";
import { fits } from "./pattern.ts";
import type { Rule, When } from "./rule.ts";

/** The first rule that fits. */
export const ruleFor = (rules: readonly Rule[], claims: Claims): Rule | undefined =>
  rules.find(({ when, role }) => holds(when, claims, role !== "none"));

/** Whether all that it names is so. @param lets whether it lets somebody in */
const holds = (when: When, claims: Claims, lets: boolean): boolean =>
  Object.entries(when).every(([name, said]) => {
    // Whoever may choose what stands in their address at the issuer could be anybody.
    if (name === "email" && lets && !isVerified(claims)) return false;
    const patterns = [said].flat().map(String);
    return textsOf(own(claims, name)).some(text => patterns.some(pattern => fits(pattern, text)));
  });

/** Some issuers say it as a text. */
const isVerified = (claims: Claims): boolean => String(own(claims, "email_verified")) === "true";

/** Longer ones are nobody's name, repository or group. */
const LONGEST = 1024;
const MOST_VALUES = 500;

/** What a claim says, in texts; none for what is no text, number, truth or list of them. */
function textsOf(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.slice(0, MOST_VALUES).flatMap(one => (Array.isArray(one) ? [] : textsOf(one)));
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return [];
  const text = String(value);
  return text.length <= LONGEST ? [text] : [];
}

const own = (claims: Claims, name: string): unknown => (Object.hasOwn(claims, name) ? claims[name] : undefined);

const LONGEST_NAME = 120;

/**
 * The name here: the issuer's, a colon, and what the claim says, with every other sign percent-encoded. So two that the
 * issuer tells apart are never one here, and none is a name that an admin gave, which has no colon.
 * @returns undefined when the claim says nothing that could be a name.
 */
export function actorOf(issuer: string, as: string, claims: Claims): string | undefined {
  const value = own(claims, as);
  if (as === "email" && !isVerified(claims)) return undefined;
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || text === "" || !text.isWellFormed()) return undefined;
  const name = `${issuer.toLowerCase()}:${encoded(text)}`;
  return name.length <= LONGEST_NAME ? name : undefined;
}

const encoded = (text: string): string =>
  text.replaceAll(/[^A-Za-z0-9@._+/=-]/gu, char => encodeURIComponent(char).replaceAll(/[!'()*~]/g, hex));

const hex = (char: string): string => `%${char.charCodeAt(0).toString(16).toUpperCase()}`;
