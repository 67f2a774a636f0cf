/** Tokens: `mst_<id>_<secret>`. Only a hash of the secret is kept. */
import * as z from "zod";
import { Role } from "../actor/actor.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Noun } from "../record.ts";
import { Name } from "../task/task.ts";

export const Token = z.object({
  id: z.string(),
  workspace: z.string(),
  /** Id of whom it speaks for. */
  actor: z.string(),
  role: Role,
  hash: z.string(),
  createdAt: z.number(),
  /** Epoch ms; absent: it does not expire. */
  expiresAt: z.number().optional(),
  /** Who made it; absent: the control plane itself. */
  createdBy: z.string().optional(),
});
export type Token = z.infer<typeof Token>;

export const noun: Noun<Token> = {
  type: "token",
  schema: Token,
  fields: new Set(Object.keys(Token.shape)),
  key: record => Keys.token(record.id),
  indexes: record => ({ list: Keys.list(record.workspace, "token", record.id) }),
};

/** What a caller may ask for. */
export const Create = z.strictObject({
  /** Whom it is for, such as a person's name; their clusters are known by it. */
  actor: Name,
  role: Role.default("member"),
  /** Days until it expires; absent: it does not. */
  days: z.number().positive().max(3650).optional(),
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
export const Whoami = z.object({ workspace: z.string(), id: z.string(), role: Role, version: z.string() });
export type Whoami = z.infer<typeof Whoami>;

export const TokenParam = z.object({ token: Id.schema("token") });
