/** What users do: mixes of requests, each mix hard on something else. */
import type { Actor, Role } from "@muster/core/actor/actor.ts";
import * as Change from "@muster/core/cluster/change.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { create as createCluster } from "@muster/core/cluster/create.ts";
import { jobNodes } from "@muster/core/cluster/group.ts";
import { Idle } from "@muster/core/cluster/idle.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import type * as Job from "@muster/core/job/job.ts";
import { logs } from "@muster/core/job/logs.ts";
import { submit } from "@muster/core/job/submit.ts";
import { create } from "@muster/core/launch/create.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import { Retry, RetryCause } from "@muster/core/task/retry.ts";
import { type Resources, Task } from "@muster/core/task/task.ts";
import { type Accepted, type Nouns, type Request, send } from "./clients.ts";
import type { ScriptName } from "./host/workload.ts";
import { CANARY } from "./invariants/secrets.ts";
import { MINUTE, SECOND } from "./kernel.ts";
import type { ProviderName } from "./ports/cloud.ts";
import type { Sim } from "./sim.ts";

type Verb =
  | "launch"
  | "managed"
  | "up"
  | "submit"
  | "cancel"
  | "down"
  | "stop"
  | "start"
  | "move"
  | "autostop"
  | "follow";

const mixes = {
  everything: {
    launch: 4,
    managed: 1,
    up: 2,
    submit: 4,
    cancel: 2,
    down: 1,
    stop: 1,
    start: 2,
    move: 2,
    autostop: 1,
    follow: 1,
  },
  launches: { launch: 4, up: 4, down: 3, cancel: 1 },
  jobs: { launch: 2, up: 0.5, submit: 8, cancel: 3, follow: 2 },
  moves: { launch: 1, up: 0.5, submit: 0.5, down: 0.3, stop: 6, start: 1, move: 8 },
  managed: { managed: 6, launch: 1, submit: 2, cancel: 1, down: 0.5 },
  growth: { launch: 1, up: 6, submit: 6, cancel: 0.5 },
  power: { launch: 2, up: 0.5, submit: 2, stop: 5, start: 4, move: 2, autostop: 2 },
} satisfies Record<string, Partial<Record<Verb, number>>>;

export const WORKSPACES = ["acme", "bolt"] as const;

/** Lets users act until the run closes to them. */
export function startUsers(sim: Sim, accepted: Accepted): void {
  const mix = mixes[sim.rng.pick(Object.keys(mixes) as (keyof typeof mixes)[])];
  const pace = sim.rng.between(5, 90) * SECOND;
  const only = (verb: Verb) => {
    if (sim.isOpen) void send(sim, accepted, request(sim, accepted, verb));
  };
  const act = (verb: Verb) => {
    if (!sim.isOpen) return;
    only(verb);
    // Whoever wants more hosts has work for them.
    if (verb === "submit" && sim.rng.chance(0.2))
      sim.kernel.at(sim.rng.int(2 * SECOND), "a user changes their mind", () => only("stop"));
    if (verb === "up") sim.kernel.at(sim.rng.int(MINUTE), "a user counts on it", () => act("submit"));
    else sim.kernel.at(sim.rng.int(2 * pace), "a user acts", () => act(sim.rng.weighted<Verb>(mix)));
  };
  sim.kernel.at(sim.rng.int(5 * SECOND), "a user acts", () => act("launch"));
}

const everyone: readonly (readonly [id: string, role: Role])[] = [
  ["usr_ada", "admin"],
  ["usr_bob", "member"],
];

function request(sim: Sim, accepted: Accepted, verb: Verb): Request {
  const [id, role] = sim.rng.pick(everyone);
  const key = sim.rng.hex(32);
  const actor: Actor = { workspace: sim.rng.pick(WORKSPACES), id, role, claim: { key, request: key } };
  const made = verbs[verb](sim, accepted, actor);
  return { name: `${actor.workspace} ${verb}`, actor, ...made };
}

type Made = Pick<Request, "run" | "nouns">;

const verbs: Readonly<Record<Verb, (sim: Sim, accepted: Accepted, actor: Actor) => Made>> = {
  launch: sim => {
    const body = launchBody(sim);
    return { run: (world, actor) => create(world, actor, body), nouns: ofLaunch };
  },
  managed: sim => {
    const body = managedBody(sim);
    return { run: (world, actor) => create(world, actor, body), nouns: ofLaunch };
  },
  up: (sim, _, actor) => {
    const body = upBody(sim, actor);
    return { run: (world, actor) => createCluster(world, actor, body), nouns: ofCluster };
  },
  submit: (sim, accepted, actor) => {
    const growing = growingOne(sim, actor);
    const reference = growing?.id ?? someCluster(sim, accepted, actor);
    const body: Job.Submit = {
      task: task(sim, growing === undefined ? 1 : jobNodes(growing)),
      name: undefined,
      priority: sim.rng.pick([500, 500, 900]),
      down: sim.rng.chance(0.1),
      ...(sim.rng.chance(0.05) && { force: true }),
      ...(sim.rng.chance(0.05) && { onBusy: "fail" }),
    };
    return { run: (world, by) => submit(world, by, reference, body), nouns: ofJob };
  },
  cancel: (sim, accepted, actor) => {
    const id = someJob(sim, accepted, actor);
    return { run: (world, by) => cancel(world, by, id), nouns: ofJob };
  },
  // Some change their mind while it comes up.
  down: (sim, accepted, actor) =>
    onCluster(sim, accepted, actor, Change.remove, sim.rng.chance(0.5) ? "launching" : undefined),
  stop: (sim, accepted, actor) =>
    onCluster(sim, accepted, actor, Change.stop, sim.rng.chance(0.3) ? "booting" : "ready"),
  start: (sim, accepted, actor) => onCluster(sim, accepted, actor, Change.start, "stopped"),
  move: (sim, accepted, actor) => onCluster(sim, accepted, actor, moved, "stopped"),
  autostop: (sim, accepted, actor) => {
    const idle = someIdle(sim) ?? "never";
    return onCluster(sim, accepted, actor, (world, by, reference) => Change.autostop(world, by, reference, idle));
  },
  follow: (sim, accepted, actor) => {
    const id = someJob(sim, accepted, actor);
    return { run: (world, by) => logs(world, by, id, { follow: true }), nouns: () => ({}) };
  },
};

const moved: OnCluster = (world, by, reference) => Change.start(world, by, reference, { move: true });

type OnCluster = (
  world: Parameters<Made["run"]>[0],
  actor: Actor,
  reference: string,
) => Promise<Pick<Cluster.Info, "id">>;

function onCluster(sim: Sim, accepted: Accepted, actor: Actor, change: OnCluster, state?: Cluster.State): Made {
  const reference = (state && oneIn(sim, actor, state)) ?? someCluster(sim, accepted, actor);
  return { run: (world, by) => change(world, by, reference), nouns: ofCluster };
}

const ofCluster = (answer: unknown): Nouns => ({ clusterId: (answer as Cluster.Info).id });
const ofJob = (answer: unknown): Nouns => ({ jobId: (answer as Job.Info).id });
const ofLaunch = (answer: unknown): Nouns => {
  const { cluster, job } = answer as Launch.Info;
  return { clusterId: cluster.id, ...(job && { jobId: job.id }) };
};

const names = ["one", "two"];
const idles: readonly (Idle | undefined)[] = [
  undefined,
  "never",
  { after: 0, action: "terminate" },
  { after: 2, action: "stop" },
  { after: 1, action: "stop", then: { after: 5, action: "terminate" } },
];

const someIdle = (sim: Sim): Idle | undefined => {
  const idle = sim.rng.pick(idles);
  return idle && Idle.parse(idle);
};

function launchBody(sim: Sim): Launch.Create {
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
function managedBody(sim: Sim): Launch.Create {
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
function upBody(sim: Sim, actor: Actor): Cluster.Create {
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

function task(sim: Sim, nodes: number): Task {
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
function oneIn(sim: Sim, actor: Actor, state: Cluster.State): string | undefined {
  const found = [...sim.db.all("cluster")].filter(
    ({ data }) => data.workspace === actor.workspace && data.state === state,
  );
  return found.length > 0 && sim.rng.chance(0.7) ? String(sim.rng.pick(found).data.id) : undefined;
}

/** Some want more of what works. */
function growable(sim: Sim, actor: Actor): (Pick<Cluster.Cluster, "name"> & { provider: ProviderName }) | undefined {
  const found = clustersOf(sim, actor).filter(({ state }) => state === "ready");
  if (found.length === 0 || !sim.rng.chance(0.5)) return undefined;
  const { name, provider } = sim.rng.pick(found);
  return { name, provider: provider as ProviderName };
}

/** Some count on hosts that are still to come. */
function growingOne(sim: Sim, actor: Actor): Cluster.Cluster | undefined {
  const found = clustersOf(sim, actor).filter(cluster => "before" in cluster && cluster.before !== undefined);
  return found.length > 0 && sim.rng.chance(0.7) ? sim.rng.pick(found) : undefined;
}

const clustersOf = (sim: Sim, { workspace }: Actor): Cluster.Cluster[] =>
  [...sim.db.all("cluster")]
    .map(item => item.data as unknown as Cluster.Cluster)
    .filter(cluster => cluster.workspace === workspace);

/** By name or id, now and then another tenant's. */
function someCluster(sim: Sim, accepted: Accepted, actor: Actor): string {
  const known = [...accepted.clusters.entries()].filter(([, workspace]) => isWithin(sim, actor, workspace));
  return known.length === 0 || sim.rng.chance(0.4) ? sim.rng.pick(names) : sim.rng.pick(known)[0];
}

function someJob(sim: Sim, accepted: Accepted, actor: Actor): string {
  const known = [...accepted.jobs.entries()].filter(([, workspace]) => isWithin(sim, actor, workspace));
  return known.length === 0 ? "job_none" : sim.rng.pick(known.slice(-6))[0];
}

const isWithin = (sim: Sim, actor: Actor, workspace: string): boolean =>
  workspace === actor.workspace || sim.rng.chance(0.05);

/** Everything that is left is taken down, by somebody who may. */
export async function removeAll(sim: Sim, accepted: Accepted): Promise<void> {
  for (const item of sim.db.all("cluster")) {
    const { workspace, id } = item.data as unknown as Cluster.Cluster;
    const actor: Actor = { workspace, id: "usr_ada", role: "admin" };
    const name = `${workspace} last down`;
    void send(sim, accepted, { name, actor, run: (world, by) => Change.remove(world, by, id), nouns: ofCluster }, 100);
  }
  await sim.kernel.sleep(MINUTE, "all are told to go");
}
