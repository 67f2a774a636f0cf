/** What users ask for: machines, tasks, and clusters and jobs that they have heard of. */
import type { Actor } from "@muster/core/actor/actor.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { Idle } from "@muster/core/cluster/idle.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import { Retry, RetryCause } from "@muster/core/task/retry.ts";
import { type Resources, Task } from "@muster/core/task/task.ts";
import type { Accepted } from "./clients.ts";
import type { ScriptName } from "./host/workload.ts";
import { watchfulIdle } from "./idle.ts";
import { CANARY } from "./invariants/secrets.ts";
import type { ProviderName } from "./ports/cloud.ts";
import type { Sim } from "./sim.ts";

const names = ["one", "two"];
const idles: readonly (Idle | undefined)[] = [
  undefined,
  "never",
  { after: 0, action: "terminate" },
  { after: 2, action: "stop" },
  { after: 1, action: "stop", then: { after: 5, action: "terminate" } },
];

export const someIdle = (sim: Sim): Idle | undefined => {
  if (sim.rng.chance(0.3)) return watchfulIdle(sim);
  const idle = sim.rng.pick(idles);
  return idle && Idle.parse(idle);
};

export function launchBody(sim: Sim): Launch.Create {
  const { provider, name, ...options } = machines(sim);
  const job = task(sim, sim.rng.pick([1, 1, 1, 2, 3]));
  return {
    task: { ...job, resources: { ...job.resources, provider } },
    cluster: name,
    ...options,
    priority: 500,
    down: sim.rng.chance(0.1),
  };
}

/** A job with a cluster of its own, mostly under no name. */
export function managedBody(sim: Sim): Launch.Create {
  const { cluster, ...body } = launchBody(sim);
  return { ...body, managed: true, ...(sim.rng.chance(0.2) && cluster !== undefined && { cluster }) };
}

/** Where machines are to be, for those who care: mostly in one zone, where there may be too few. */
const places: readonly Resources[] = [
  { zone: "a" },
  { zone: "a" },
  { zone: "b" },
  { zone: "b" },
  { ordered: [{ zone: "b" }, { zone: "a" }] },
  { anyOf: [{ zone: "c" }, { zone: "b" }, { provider: "elsewhere" }] },
];

/** A head that takes no jobs, now and then, and one or two groups of workers, some in a zone of their own. */
export function upBody(sim: Sim, actor: Actor): Cluster.Create {
  const { provider, ...options } = { ...machines(sim), ...growable(sim, actor) };
  const workers = (name: string, most: number) => ({
    name,
    nodes: sim.rng.between(1, most),
    resources: { provider, ...(sim.rng.chance(0.45) && sim.rng.pick(places)) },
    schedulable: true,
  });
  const head = { ...workers("head", 1), schedulable: sim.rng.chance(0.2) };
  const more = sim.rng.chance(0.4) ? [workers("more", 1)] : [];
  return { ...options, groups: [head, workers("workers", 2), ...more] };
}

function machines(sim: Sim) {
  const provider = sim.rng.weighted<ProviderName>({ steel: 3, spark: 1 });
  const idle = someIdle(sim);
  const fits = idle === undefined || idle === "never" || idle.action === "terminate" || provider === "steel";
  return {
    provider,
    name: sim.rng.chance(0.7) ? sim.rng.pick(names) : undefined,
    ...(fits && idle !== undefined && { idle }),
    shared: sim.rng.chance(0.5),
    ...(sim.rng.chance(0.2) && { maxConcurrentJobs: sim.rng.between(1, 2) }),
  };
}

/** What a job asks for of each host: hosts have 4 CPUs, 16 GiB and 2 GPUs. The last is more than any of them has. */
const shares: readonly Resources[] = [
  { cpus: { count: 1, atLeast: true } },
  { cpus: { count: 3, atLeast: false }, memory: { gib: 4, atLeast: true } },
  { accelerators: { A100: 1 } },
  { accelerators: { T4: 1, A100: 2 }, cpus: { count: 1, atLeast: true } },
  { anyOf: [{ memory: { gib: 12, atLeast: true } }, { cpus: { count: 4, atLeast: true } }] },
  { accelerators: { A100: 8 } },
];

export function task(sim: Sim, nodes: number): Task {
  const run = sim.rng.weighted<ScriptName>({ quick: 4, usual: 4, long: 1, hangs: 0.3 });
  const timeout = run === "hangs" || sim.rng.chance(0.2) ? sim.rng.between(20, 600) : undefined;
  const secrets = sim.rng.chance(0.4) ? { TOKEN: CANARY } : {};
  const resources = sim.rng.chance(0.6) ? sim.rng.pick(shares) : {};
  const retry = sim.rng.chance(0.5) ? { retry: someRetry(sim) } : {};
  return Task.parse({ nodes, run, secrets, resources, ...retry, ...(timeout !== undefined && { timeout }) });
}

function someRetry(sim: Sim): Retry {
  const on = RetryCause.options.filter(() => sim.rng.chance(0.6));
  const exitCodes = sim.rng.chance(0.2) ? { exitCodes: [2] } : {};
  const max = sim.rng.pick([0, 1, 2, 5]);
  return Retry.parse({ max, ...(on.length > 0 && { on }), ...exitCodes, backoff: sim.rng.pick([0, 10, 90]) });
}

/** Most users look before they act. */
export function oneIn(sim: Sim, actor: Actor, state: Cluster.State): string | undefined {
  const found = [...sim.db.all("cluster")].filter(
    ({ data }) => data.workspace === actor.workspace && data.state === state,
  );
  return found.length > 0 && sim.rng.chance(0.7) ? String(sim.rng.pick(found).data.id) : undefined;
}

/** Some want more of what works. */
function growable(
  sim: Sim,
  actor: Actor,
): (Pick<Cluster.Cluster, "name" | "maxConcurrentJobs"> & { provider: ProviderName }) | undefined {
  const found = clustersOf(sim, actor).filter(({ state }) => state === "ready");
  if (found.length === 0 || !sim.rng.chance(0.5)) return undefined;
  const { name, provider } = sim.rng.pick(found);
  return { name, provider: provider as ProviderName, maxConcurrentJobs: undefined };
}

/** Some count on hosts that are still to come. */
export function growingOne(sim: Sim, actor: Actor): Cluster.Cluster | undefined {
  const found = clustersOf(sim, actor).filter(cluster => "before" in cluster && cluster.before !== undefined);
  return found.length > 0 && sim.rng.chance(0.7) ? sim.rng.pick(found) : undefined;
}

export const clustersOf = (sim: Sim, { workspace }: Actor): Cluster.Cluster[] =>
  [...sim.db.all("cluster")]
    .map(item => item.data as unknown as Cluster.Cluster)
    .filter(cluster => cluster.workspace === workspace);

/** By name or id, now and then another tenant's. */
export function someCluster(sim: Sim, accepted: Accepted, actor: Actor): string {
  const known = [...accepted.clusters.entries()].filter(([, workspace]) => isWithin(sim, actor, workspace));
  return known.length === 0 || sim.rng.chance(0.4) ? sim.rng.pick(names) : sim.rng.pick(known)[0];
}

export function someJob(sim: Sim, accepted: Accepted, actor: Actor): string {
  const known = [...accepted.jobs.entries()].filter(([, workspace]) => isWithin(sim, actor, workspace));
  return known.length === 0 ? "job_none" : sim.rng.pick(known.slice(-6))[0];
}

const isWithin = (sim: Sim, actor: Actor, workspace: string): boolean =>
  workspace === actor.workspace || sim.rng.chance(0.05);
