/**
 * Tokens, as they are asked for and told. What one may do never changes: for that another is made. How they are stored is
 * apart: that is all that letting somebody in needs.
 */
import * as z from "zod";
import { type By, Role } from "../actor/actor.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { Name } from "../task/task.ts";
import * as Workspace from "../workspace/workspace.ts";
import { Token } from "./stored.ts";

export { LONGEST_ORIGIN, noun, Token } from "./stored.ts";

/** The line of its history that says what was done to it; its key does not say whose it is, so that line does. */
export function eventOf(
  world: Pick<Basics, "clock" | "random">,
  by: By,
  token: Pick<Token, "id" | "workspace">,
  kind: "token.created" | "token.revoked",
  details?: Event.Event["details"],
): Write {
  const what = { subject: token.id, kind, ...(details && { details }) };
  return Event.within(token.workspace, Event.happens(world, Keys.token(token.id), by, what));
}

/** What a caller may ask for. */
export const Create = z.strictObject({
  /** Whom it is for, such as a person's name; their clusters are known by it. */
  actor: Name,
  role: Role.default("member"),
  /** Days until it expires; absent: it does not. */
  days: z.number().positive().max(3650).optional(),
  workspace: Workspace.Name.optional().meta({
    description: "Whose; absent: the caller's. Another than that admins of the first workspace may name",
  }),
});
export type Create = z.infer<typeof Create>;

/** What a first token may say: an admin's, of the only workspace. */
export const Bootstrap = Create.pick({ actor: true });
export type Bootstrap = z.infer<typeof Bootstrap>;

export const Info = Token.omit({ hash: true, workspace: true });
export type Info = z.infer<typeof Info>;

/** A new token with its text: the only time that it can be seen. */
export const Created = Info.extend({ token: z.string() });
export type Created = z.infer<typeof Created>;

/** Whose token was sent. */
export const Whoami = z.object({
  workspace: z.string(),
  id: z.string(),
  role: Role,
  version: z.string(),
  token: z.string().optional().meta({ description: "Id of the token" }),
  ...Token.pick({ expiresAt: true, createdBy: true, issuer: true, origin: true }).shape,
});
export type Whoami = z.infer<typeof Whoami>;

export const TokenParam = z.object({ token: Id.schema("token") });

export const Revoke = z.strictObject({
  force: z.stringbool().default(false).meta({ description: "Also the last token of an admin that the workspace has" }),
});
