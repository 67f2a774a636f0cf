/** Who acts: decided once, from a token, and passed to every verb. */
import * as z from "zod";

export const Role = z.enum(["admin", "member", "viewer", "ci"]);
export type Role = z.infer<typeof Role>;

export interface Actor {
  readonly workspace: string;
  /** Stable id of the person or machine, such as `usr_ada`. */
  readonly id: string;
  readonly role: Role;
  /** The request's idempotency claim, when its caller sent a key. */
  readonly claim?: Claim;
}

export interface Claim {
  readonly key: string;
  /** Hash of route, path and body: the same key for something else is refused. */
  readonly request: string;
}

/** The control plane itself, within one workspace. */
export const system = (workspace: string): Actor => ({ workspace, id: "system", role: "admin" });
