/** What a launch would do, group by group, for people to look at. */
import * as Cluster from "../cluster/cluster.ts";
import * as Group from "../cluster/group.ts";
import type { Idle } from "../cluster/idle.ts";
import type * as Choose from "../provider/choose.ts";
import * as Launch from "./launch.ts";

type Chosen = Choose.Chosen;

/** Of each group, as many as a request without choices gets: with twenty choices an answer would be too large to be sent. */
const MOST_OFFERS = 200;

/** Of a cluster that would be made. */
export function made(cluster: string | undefined, { provider, groups, notices }: Chosen, idle: Idle): Launch.Plan {
  const [first, ...more] = groups;
  const barred = groups.flatMap(group => group.barred);
  return Launch.Plan.parse({
    ...(cluster !== undefined && { cluster }),
    reused: false,
    provider: provider.name,
    nodes: Group.nodesOf(groups),
    idle,
    groups: groups.map(plannedGroup),
    offers: first !== undefined && more.length === 0 ? first.offers.slice(0, MOST_OFFERS) : [],
    ...(barred.length > 0 && { barred }),
    notices,
  });
}

/** Of a cluster that is there: what its machines are, as far as they are chosen. @param more what it would grow by */
export function reused(cluster: Cluster.Cluster, idle: Idle, more?: Chosen): Launch.Plan {
  const { name, provider, nodes } = cluster;
  const launch = "launch" in cluster ? cluster.launch : undefined;
  const groups = Group.groupsOf(cluster);
  return Launch.Plan.parse({
    cluster: name,
    reused: true,
    provider,
    nodes,
    idle,
    groups: Cluster.info(cluster).groups.map(({ name, nodes: hosts, schedulable }) => ({
      name,
      nodes: hosts,
      schedulable,
      // What a group has grown by is like what it was.
      offers: offerOf(
        cluster,
        launch,
        groups.findIndex(group => group.name === name),
      ),
    })),
    offers: launch !== undefined && groups.length === 1 ? [launch.offer] : [],
    ...(more && { grows: more.groups.map(plannedGroup) }),
    notices: more?.notices ?? [],
  });
}

/** Of a cluster that a pool would give: what its machines are, and what becomes of it. */
export const taken = (
  cluster: Cluster.Cluster,
  { name, idle, pool }: { readonly name: string | undefined; readonly idle: Idle; readonly pool: Launch.From },
): Launch.Plan => ({ ...reused(cluster, idle), cluster: name ?? cluster.name, reused: false, pool });

const plannedGroup = (group: Chosen["groups"][number]) => ({
  ...group,
  offers: group.offers.slice(0, MOST_OFFERS),
  barred: group.barred.length > 0 ? group.barred : undefined,
});

/** The whole offer of the last call; of those before it, market and place are not kept. */
function offerOf(cluster: Cluster.Cluster, launch: Cluster.Launch | undefined, index: number) {
  if (launch !== undefined && Cluster.atGroup(launch) === index) return [launch.offer];
  const kind = Cluster.kindsOf(cluster)[index];
  return kind === undefined ? [] : [{ ...kind, provider: cluster.provider }];
}
