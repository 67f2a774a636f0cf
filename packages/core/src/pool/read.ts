/** A workspace's pools, by name, what each of them keeps, and what it has done. */
import type { Actor } from "../actor/actor.ts";
import * as Cluster from "../cluster/cluster.ts";
import type { Event } from "../event/event.ts";
import { type EventsRequest, eventsOf } from "../event/read.ts";
import * as Keys from "../keys.ts";
import { listed, type PageRequest } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse, load } from "../record.ts";
import * as Shape from "./info.ts";
import { isReady, type Member, membersOf } from "./member.ts";
import * as Pool from "./pool.ts";
import { nextTurn } from "./turns.ts";

type Part = { readonly table: Table };

/** From an index: one that was set this instant may be missing. */
export const list = (
  world: Part,
  actor: Actor,
  request: PageRequest,
): Promise<{ items: Shape.Info[]; cursor?: string }> =>
  listed(world.table, { pk: Keys.list(actor.workspace, "pool", "").pk, index: "list" }, request, item =>
    Shape.Info.parse(glimpse(Pool.noun, item)),
  );

/** @throws MusterError `not_found`. */
export async function get(world: Part, actor: Actor, name: string): Promise<Shape.Details> {
  const pool = await Pool.get(world.table, actor.workspace, name);
  const all = await membersOf(world.table, pool);
  const members = (await Promise.all(all.map(member => shown(world.table, pool, member)))).flatMap(one => one ?? []);
  const hourly = members.reduce((sum, member) => sum + (member.running ? (member.hourly ?? 0) : 0), 0);
  // The change that is due, also when nobody has looked yet.
  const next = pool.nextAt === undefined ? undefined : nextTurn(pool.sizes, pool.nextAt - 1);
  return Shape.Details.parse({ ...pool, members, hourly, ...(next && { nextSize: next.size }) });
}

async function shown(table: Table, pool: Pool.Pool, member: Member): Promise<Shape.MemberInfo | undefined> {
  const cluster = await load(table, Cluster.noun, Keys.cluster(member.workspace, member.clusterId));
  if (cluster === undefined) return undefined;
  const { name, state, hourly, createdAt } = Cluster.info(cluster);
  return {
    ...{ clusterId: cluster.id, cluster: name, state, createdAt },
    prepared: isReady(member, pool),
    ...(hourly !== undefined && { hourly }),
    running: state !== "stopped" && !Cluster.isOver(cluster),
  };
}

/** Its history of the last 30 days, oldest first unless the latest are asked for. @throws MusterError `not_found`. */
export async function events(
  world: Part,
  actor: Actor,
  name: string,
  request: EventsRequest,
): Promise<{ items: Event[]; cursor?: string }> {
  const pool = await Pool.get(world.table, actor.workspace, name);
  return eventsOf(world, Pool.noun.key(pool), request);
}
