/** Signing in: what somebody else vouches for becomes a token of Muster's that lives for an hour at most. */
import * as z from "zod";
import { Kind } from "../issuer/rule.ts";
import { Name } from "../task/task.ts";
import { Created } from "../token/token.ts";
import * as Space from "../workspace/workspace.ts";

/** Where somebody wants to come in. Absent: where the rules lead, if that is one place. */
const Workspace = Space.Name.optional();

/** A token of an issuer's, as it is. */
export const Exchange = z.strictObject({
  token: z.string(),
  /** Name of the issuer, where several take the same token. */
  issuer: Name.optional(),
  workspace: Workspace,
});
export type Exchange = z.infer<typeof Exchange>;

/** Whoever signs the request is known by that. */
export const Aws = z.strictObject({ issuer: Name.optional(), workspace: Workspace });
export type Aws = z.infer<typeof Aws>;

/** What signing in came to. */
export const SignedIn = Created.extend({ workspace: z.string(), issuer: z.string() });
export type SignedIn = z.infer<typeof SignedIn>;

export const OptionsQuery = z.object({
  workspace: Space.Name.optional().meta({
    description: "Whose issuers; absent: those of the deployment's first workspace",
  }),
});

/** One way to sign in: nothing of it is a secret, and nothing of it says who may. */
export const Option = z.object({
  name: z.string(),
  kind: Kind,
  url: z.string().optional(),
  clientId: z.string().optional(),
  publicClientSecret: z.string().optional(),
  scopes: z.array(z.string()).optional(),
  /** What a program must ask its issuer to write into the token. */
  audience: z.string().optional(),
});
export type Option = z.infer<typeof Option>;

export const Options = z.object({ items: z.array(Option) });
