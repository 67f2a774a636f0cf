/** Rules: what people and programs become here, by what their issuer says of them. */
import * as z from "zod";
import { Role } from "../actor/actor.ts";
import { Name } from "../workspace/workspace.ts";

/**
 * `people`: they sign in with a browser or a device; `github`, `gitlab`: jobs of a CI service; `program`: whatever else has
 * tokens of OpenID Connect; `aws`: whoever signs with credentials of the account.
 */
export const Kind = z.enum(["people", "github", "gitlab", "program", "aws"]);
export type Kind = z.infer<typeof Kind>;

const Pattern = z.string().max(256);
/** Claims by their names, each with a pattern, or several of which one must fit. */
const When = z
  .record(z.string().min(1).max(128), z.union([Pattern, z.boolean(), z.array(Pattern).min(1).max(50)]))
  .refine(when => Object.keys(when).length <= 12, "name 12 claims at most");
export type When = z.infer<typeof When>;

export const LONGEST_MINUTES = 720;

export const Rule = z.strictObject({
  /** All of them must fit. */
  when: When,
  /** What whoever fits may do; `none`: nothing, whatever later rules say. */
  role: z.enum([...Role.options, "none"]),
  /** Where; the issuer's own workspace when absent. */
  workspace: Name.optional(),
  /** How long a token lives, counted from when the issuer vouched. */
  minutes: z.number().int().min(5).max(LONGEST_MINUTES).default(60),
});
export type Rule = z.infer<typeof Rule>;
