/** Tokens: `mst_<id>_<secret>`. Only a hash of the secret is kept. */
import * as z from "zod";
import { Role } from "../actor/actor.ts";

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
});
export type Token = z.infer<typeof Token>;
