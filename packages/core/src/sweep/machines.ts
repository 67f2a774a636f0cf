/** The sweep of machines: those that no record owns end, and those stop that run though their cluster is stopped. */
import * as Cluster from "../cluster/cluster.ts";
import * as Keys from "../keys.ts";
import type { Machine, MachineProvider } from "../ports/provider.ts";
import type { World } from "../ports/world.ts";
import { load } from "../record.ts";
import type { Finding, Swept } from "./finding.ts";
import { judge } from "./judge.ts";
import type { Scope } from "./scope.ts";
import { surviving, type Tell } from "./surviving.ts";

/** The machines were listed before: the records are never older than they are. */
export async function sweepMachines(
  world: World,
  provider: MachineProvider,
  listed: readonly Machine[],
  scope: Scope,
): Promise<Swept[]> {
  const swept: Swept[] = [];
  for (const machines of Map.groupBy(listed, one => `${one.workspace} ${one.clusterId}`).values()) {
    const about = { provider: provider.name, cluster: machines[0]?.clusterId };
    const sweep = () => sweepCluster(world, provider, machines, scope);
    swept.push(
      ...((await surviving(world, "a cluster's machines could not be swept", about, sweep, scope.tell)) ?? []),
    );
  }
  return swept;
}

/** What is found is done at once: what a cluster is may change. */
async function sweepCluster(
  world: World,
  provider: MachineProvider,
  machines: readonly Machine[],
  { isDry = false, tell }: Scope,
): Promise<Swept[]> {
  const [first] = machines;
  if (first === undefined) return [];
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(first.workspace, first.clusterId));
  const found = judge(provider.name, cluster, machines);
  const of = (act: Finding["act"]) => found.filter(one => one.act === act);
  if (isDry) return [...of("terminate"), ...of("stop"), ...of("keep")].map(asFound);
  const ended = await end(world, provider, of("terminate"), tell);
  const stopped = await rest(world, provider, of("stop"), tell);
  return [...ended, ...stopped, ...hold(world, provider, of("keep"))];
}

const asFound = (finding: Finding): Swept => ({ ...finding, outcome: "found" });

/** A person has asked for it; it may have been long ago. */
function hold(world: World, provider: MachineProvider, findings: readonly Finding[]): readonly Swept[] {
  if (findings.length === 0) return [];
  const about = { provider: provider.name, machines: findings.map(({ id }) => id) };
  world.log.error("machines without an owner are held by their tag, and cost what they cost", about);
  world.log.count?.("OrphansHeld", findings.length);
  return findings.map(asFound);
}

/** A start that landed late, or somebody else's: its cluster costs what it should not. */
async function rest(
  world: World,
  provider: MachineProvider,
  findings: readonly Finding[],
  tell?: Tell,
): Promise<readonly Swept[]> {
  const [first] = findings;
  if (first === undefined) return [];
  const { workspace, clusterId = "" } = first;
  const about = { provider: provider.name, machines: findings.map(({ id }) => id) };
  world.log.error("machines of a stopped cluster run", about);
  const told = await surviving(
    world,
    "machines of a stopped cluster could not be stopped",
    about,
    async () => {
      await provider.stop({ workspace, clusterId });
      return true;
    },
    tell,
  );
  return findings.map(finding => ({ ...finding, outcome: told ? "done" : "failed" }));
}

async function end(
  world: World,
  provider: MachineProvider,
  orphans: readonly Finding[],
  tell?: Tell,
): Promise<readonly Swept[]> {
  if (orphans.length === 0) return [];
  const ids = orphans.map(({ id }) => id);
  const about = { provider: provider.name, machines: ids };
  world.log.error("machines without an owner are terminated", about);
  world.log.count?.("OrphansFound", ids.length);
  const told = await surviving(
    world,
    "machines without an owner could not be terminated",
    about,
    async () => {
      await provider.terminate(ids);
      return true;
    },
    orphans.length === 1 ? tell : undefined,
  );
  if (told) return orphans.map(orphan => ({ ...orphan, outcome: "done" }));
  if (orphans.length === 1) return orphans.map(orphan => ({ ...orphan, outcome: "failed" }));
  // One of them may have spoilt it for all.
  const each: Swept[] = [];
  for (const orphan of orphans) each.push(...(await end(world, provider, [orphan], tell)));
  return each;
}
