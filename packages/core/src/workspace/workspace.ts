/**
 * Workspaces: tenants. A deployment begins with one, whose admins make the others; the embedded control plane has one.
 * Nobody has to make that first one: it has no record.
 */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { load, type Noun } from "../record.ts";

export const LOCAL = "local";
export const FIRST = "main";

/** Whether its admins look after the deployment. */
export const isFirst = (workspace: string): boolean => workspace === FIRST || workspace === LOCAL;

/** It is in every key, in paths of the bucket, and in names of cloud resources. */
export const Name = z
  .string()
  .regex(
    /^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/,
    "use small letters, digits and '-', 32 at most, with a letter or digit at either end",
  );

export const Workspace = z.object({
  name: z.string(),
  createdAt: z.number().optional().meta({ description: "Epoch milliseconds; absent: it came with the deployment" }),
  createdBy: z.string().optional(),
});
export type Workspace = z.infer<typeof Workspace>;

export const noun: Noun<Workspace> = {
  type: "workspace",
  schema: Workspace,
  fields: new Set(Object.keys(Workspace.shape)),
  key: ({ name }) => Keys.workspace(name),
  indexes: () => ({}),
};

export const Create = z.strictObject({ name: Name });
export type Create = z.infer<typeof Create>;

export const NameParam = z.object({ name: Name.meta({ description: "Name of the workspace" }) });

/** @throws MusterError `forbidden` unless the actor looks after the deployment. */
export function requireFirst(actor: Pick<Actor, "workspace" | "role">): void {
  if (isFirst(actor.workspace) && actor.role === "admin") return;
  throw new MusterError("forbidden", "only admins of the first workspace look after workspaces", {
    hint: "ask whoever deployed the control plane",
  });
}

/** @throws MusterError `not_found` when there is no such workspace; `forbidden` unless the actor looks after them. */
export async function get(
  { table }: { readonly table: Table },
  actor: Pick<Actor, "workspace" | "role">,
  name: string,
): Promise<Workspace> {
  requireFirst(actor);
  const found = await load(table, noun, Keys.workspace(name));
  if (found !== undefined) return Workspace.parse(found);
  if (name === actor.workspace) return { name };
  throw new MusterError("not_found", `there is no workspace '${name}'`, {
    hint: "see them with: muster workspaces list",
  });
}
