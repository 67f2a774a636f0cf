/** Who acts: decided once, from a token, and passed to every verb. */
import * as z from "zod";

export const Role = z.enum(["admin", "member", "viewer", "ci"]);
export type Role = z.infer<typeof Role>;

/** From the one that may least to the one that may all. */
export const ROLES: readonly Role[] = ["viewer", "ci", "member", "admin"];

/** Whether a role may all that another may. */
export const covers = (role: Role, least: Role): boolean => ROLES.indexOf(role) >= ROLES.indexOf(least);

/** How a request came: written into every event that it causes. */
export const Via = z.object({
  token: z.string().optional().meta({ description: "Id of the token that was shown" }),
  from: z.string().optional().meta({ description: "Address that the request came from" }),
  origin: z.string().optional().meta({ description: "What stands behind it, such as a repository and its ref" }),
});
export type Via = z.infer<typeof Via>;

/** The part of an actor that events name. */
export interface By {
  /** Stable id of the person or machine, such as `usr_ada`. */
  readonly id: string;
  /** Absent where no request of a user was: the control plane acts, or a host. */
  readonly via?: Via;
}

export interface Actor extends By {
  readonly workspace: string;
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
