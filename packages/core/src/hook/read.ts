/** A workspace's hooks, and what each was sent. */
import type { Actor } from "../actor/actor.ts";
import * as Keys from "../keys.ts";
import { listed, type PageRequest } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import * as Delivery from "./delivery.ts";
import * as Hook from "./hook.ts";

type Part = { readonly table: Table };

/** By name. From an index: one that was made this instant may be missing. */
export const list = (
  { table }: Part,
  { workspace }: Actor,
  request: PageRequest,
): Promise<{ items: Hook.Info[]; cursor?: string }> =>
  listed(table, { pk: Keys.list(workspace, "hook", "").pk, index: "list" }, request, item =>
    Hook.info(glimpse(Hook.noun, item)),
  );

/** @throws MusterError `not_found`. */
export async function get({ table }: Part, { workspace }: Actor, reference: string): Promise<Hook.Details> {
  const hook = await Hook.get(table, workspace, reference);
  return { ...Hook.info(hook), list: (await Hook.rulesOf(table, hook)) ?? [] };
}

/** Newest first. From an index: one that came this instant may be missing. @throws MusterError `not_found`. */
export async function deliveries(
  { table }: Part,
  { workspace }: Actor,
  reference: string,
  request: PageRequest & { readonly state?: Delivery.Info["state"] | undefined },
): Promise<{ items: Delivery.Info[]; cursor?: string }> {
  const hook = await Hook.get(table, workspace, reference);
  const { pk } = Delivery.listKey(workspace, hook.id, "");
  return listed(table, { pk, index: "list", order: "descending" }, request, item => {
    const info = Delivery.info(glimpse(Delivery.noun, item));
    return request.state === undefined || request.state === info.state ? info : undefined;
  });
}

/** @throws MusterError `not_found`. */
export async function delivery(
  { table }: Part,
  { workspace }: Actor,
  reference: string,
  id: string,
): Promise<Delivery.Details> {
  const hook = await Hook.get(table, workspace, reference);
  const found = await Delivery.get(table, hook, id);
  const facts = await Delivery.factsOf(table, found);
  return { ...Delivery.info(found), ...(facts && { facts }) };
}
