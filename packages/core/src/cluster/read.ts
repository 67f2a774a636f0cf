/** Reading clusters: one, many, their history and their hosts. */
import type { Actor } from "../actor/actor.ts";
import type { Event } from "../event/event.ts";
import { eventsOf } from "../event/read.ts";
import * as Host from "../host/host.ts";
import * as Keys from "../keys.ts";
import { listed, mapped, type PageRequest, readable } from "../page.ts";
import type { Table } from "../ports/table.ts";
import { glimpse, read } from "../record.ts";
import * as Cluster from "./cluster.ts";
import { find } from "./find.ts";
import * as Words from "./words.ts";

type Part = { readonly table: Table };

/** With all of its idle policy. */
export const get = async (world: Part, actor: Actor, reference: string): Promise<Cluster.Info> =>
  Words.infoOf(world.table, await find(world, actor, reference));

/** Newest first, from an index: a cluster made this instant may be missing. */
export function list(
  world: Part,
  actor: Actor,
  request: PageRequest & { readonly all: boolean },
): Promise<{ items: Cluster.Info[]; cursor?: string }> {
  const source = { pk: Keys.list(actor.workspace, "cluster", "").pk, index: "list", order: "descending" } as const;
  return listed(world.table, source, request, sighting => {
    const cluster = glimpse(Cluster.noun, sighting);
    return request.all || !Cluster.isOver(cluster) ? Cluster.info(cluster) : undefined;
  });
}

export async function events(
  world: Part,
  actor: Actor,
  reference: string,
  request: PageRequest,
): Promise<{ items: Event[]; cursor?: string }> {
  const cluster = await find(world, actor, reference);
  return eventsOf(world, Keys.cluster(actor.workspace, cluster.id), request);
}

export async function hosts(
  world: Part,
  actor: Actor,
  reference: string,
  request: PageRequest,
): Promise<{ items: Host.Info[]; cursor?: string }> {
  const cluster = await find(world, actor, reference);
  const { pk } = Keys.cluster(actor.workspace, cluster.id);
  const page = await world.table.query({
    pk,
    prefix: "HOST#",
    limit: request.limit,
    ...(request.cursor !== undefined && { cursor: request.cursor }),
  });
  const found = page.items.flatMap(item => readable(() => read(Host.noun, item)) ?? []);
  // Beyond them are those of a growth that came to nothing.
  const known = found.filter(host => host.rank < cluster.nodes);
  const pulses = await Promise.all(
    known.map(host => world.table.get(Keys.pulse(actor.workspace, cluster.id, host.rank))),
  );
  return mapped({ ...page, items: known.map((host, index) => ({ host, pulse: pulses[index] })) }, ({ host, pulse }) =>
    Host.Info.parse({ ...host, ...(pulse && { pulse: pulse.data }) }),
  );
}
