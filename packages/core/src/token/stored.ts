/** How a token stands in the table: `mst_<id>_<secret>`, of which only a hash of the secret is kept. */
import * as z from "zod";
import { Role } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import type { Noun } from "../record.ts";

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
  origin: z.string().optional().meta({ description: "What it was made for, such as a repository and its ref" }),
  issuer: z.string().optional().meta({ description: "Who vouched for whom it speaks for, where they signed in" }),
  lastUsedAt: z
    .number()
    .optional()
    .meta({ description: "Beginning of the day, in UTC, on which it last let somebody in" }),
});
export type Token = z.infer<typeof Token>;

const DAY = 24 * 3_600_000;

/** The longest text that tells where a token comes from: it is in every event that the token causes. */
export const LONGEST_ORIGIN = 200;

export const noun: Noun<Token> = {
  type: "token",
  schema: Token,
  fields: new Set(Object.keys(Token.shape)),
  key: record => Keys.token(record.id),
  indexes: record => ({ list: Keys.list(record.workspace, "token", record.id) }),
  // Whoever signs in has another one each hour.
  expiresAt: ({ issuer, expiresAt }) => (issuer === undefined || expiresAt === undefined ? undefined : expiresAt + DAY),
};
