/**
 * A control plane that is away for half an hour, in the simulation's world: core's own code, a simulated cloud and a model of
 * the agent. Nothing else goes wrong, so whatever ends or is replaced does so because of that.
 */
import type { Actor } from "@muster/core/actor/actor.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import type * as Job from "@muster/core/job/job.ts";
import { submit } from "@muster/core/job/submit.ts";
import { create } from "@muster/core/launch/create.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import { Task } from "@muster/core/task/task.ts";
import { Accepted, send } from "../simulation/clients.ts";
import { startControl } from "../simulation/control.ts";
import { MINUTE } from "../simulation/kernel.ts";
import type { Box } from "../simulation/ports/cloud.ts";
import { watch } from "../simulation/run.ts";
import { Sim } from "../simulation/sim.ts";

/** Until what was asked for runs, in ms. */
const BEFORE = 15 * MINUTE;
const AWAY = 30 * MINUTE;
/** Longer than the longest script, and than anybody's patience with a silent host, in ms. */
const AFTER = 40 * MINUTE;

interface Outage {
  /** Scripts that ran when the control plane went away, and went on until it came back. */
  readonly ranOn: number;
  /** Those that came to their own end while it was away. */
  readonly ended: number;
  /** What should not have come to be. */
  readonly amiss: readonly string[];
}

export async function outage(seed: number): Promise<Outage> {
  const sim = new Sim(seed);
  sim.faults.on = false;
  watch(sim);
  startControl(sim);
  ask(sim);
  await pass(sim, BEFORE);
  const before = seen(sim);
  const amiss: string[] = [];
  // Whatever is begun dies at its first call: nothing is read, written or asked of the cloud, and nobody is answered.
  sim.plan = () => ({ fault: "crashBefore" });
  // What was on its way lands.
  await pass(sim, MINUTE);
  const writes = sim.db.writes;
  for (let minute = 2; minute <= AWAY / MINUTE; minute++) {
    await pass(sim, MINUTE);
    amiss.push(...disturbed(before).map(what => `${what} in minute ${minute}`));
  }
  if (sim.db.writes !== writes) amiss.push("something was written by nobody");
  const ended = before.scripts.filter(script => script.startedAt + script.task.run <= sim.now).length;
  sim.plan = undefined;
  await pass(sim, AFTER);
  amiss.push(...replaced(sim, before), ...sim.violations.map(({ invariant, message }) => `${invariant} ${message}`));
  return { ranOn: before.scripts.length - ended, ended, amiss };
}

const pass = (sim: Sim, ms: number): Promise<void> => sim.kernel.run(() => false, sim.now + ms);

/** Some clusters that stay, each with some jobs. */
function ask(sim: Sim): void {
  const accepted = new Accepted(sim);
  const clusters = sim.rng.between(1, 3);
  for (let n = 0; n < clusters; n++) {
    const nodes = sim.rng.between(1, 3);
    const name = `steady-${n}`;
    for (let job = 0; job < sim.rng.between(1, 3); job++) {
      const key = sim.rng.hex(32);
      const actor: Actor = { workspace: "acme", id: "usr_ada", role: "admin", claim: { key, request: key } };
      const delay = job === 0 ? 0 : sim.rng.between(3, 10) * MINUTE;
      const task = someTask(sim, nodes);
      const body: Launch.Create = {
        task: { ...task, resources: { ...task.resources, provider: sim.rng.pick(["steel", "spark"]) } },
        cluster: name,
        idle: "never",
        shared: true,
        priority: 500,
        down: false,
      };
      const more: Job.Submit = { task, name: undefined, priority: 500, down: false };
      sim.kernel.at(delay, "a user acts", () => {
        const run = { name: `${name} job ${job}`, actor, nouns: () => ({}) };
        if (job === 0) void send(sim, accepted, { ...run, run: (world, by) => create(world, by, body) });
        else void send(sim, accepted, { ...run, run: (world, by) => submit(world, by, name, more) });
      });
    }
  }
}

/** It may be tried again where its host is lost: whoever takes it for lost is found by that. */
function someTask(sim: Sim, nodes: number): Task {
  const run = sim.rng.weighted({ usual: 1, long: 4, hangs: 2 });
  const retry = sim.rng.chance(0.5) ? { retry: { max: 3, on: ["host_lost"] } } : {};
  return Task.parse({ nodes, run, resources: { cpus: { count: 1, atLeast: true } }, ...retry });
}

type Before = ReturnType<typeof seen>;

function seen(sim: Sim) {
  const all = <T>(type: string) => [...sim.db.all(type)].map(item => structuredClone(item.data) as T);
  const jobs = all<Job.Job>("job").filter(job => job.state === "running");
  const boxes = sim.cloud.boxes.filter(box => box.state === "running");
  // What was told to end before, because a node of its job had failed, may end now.
  const told = new Set(jobs.filter(job => job.verdict !== undefined).map(job => `${job.id}/${job.fence}`));
  const scripts = boxes
    .flatMap(box => [...box.scripts.values()])
    .filter(script => script.endedAt === undefined && !told.has(script.name));
  const ready = all<Cluster.Cluster>("cluster").filter(cluster => cluster.state === "ready");
  return { jobs, boxes, ready, scripts, sets: new Map(ready.map(({ id }) => [id, setOf(sim, id)])) };
}

const setOf = (sim: Sim, clusterId: string): string =>
  sim.cloud.boxes
    .filter(box => box.clusterId === clusterId)
    .map(({ id, boots }: Box) => `${id}/${boots}`)
    .join(" ");

/** Machines and scripts that somebody ended. */
const disturbed = ({ boxes, scripts }: Before): string[] => [
  ...boxes.filter(box => box.state !== "running").map(box => `${box.id} is ${box.state}`),
  ...scripts.filter(script => script.endedAt !== undefined).map(script => `${script.name} was ended`),
];

function replaced(sim: Sim, before: Before): string[] {
  const now = new Map([...sim.db.all("job")].map(({ data }) => [data.id, data as unknown as Job.Job]));
  const clusters = new Map([...sim.db.all("cluster")].map(({ data }) => [data.id, data]));
  const changed = before.ready
    .filter(({ id }) => clusters.get(id)?.state !== "ready" || setOf(sim, id) !== before.sets.get(id))
    .map(({ id }) => `cluster ${id} is ${clusters.get(id)?.state}; its machines were ${before.sets.get(id)}`);
  const again = before.jobs.flatMap(job => {
    const after = now.get(job.id);
    const fences = [job, after].map(one => (one !== undefined && "fence" in one ? one.fence : undefined));
    const isSame = after?.attempts === job.attempts && fences[0] === fences[1];
    // What a script says of itself is its own affair.
    const isOver = after?.state === "succeeded" || (after?.state === "failed" && after.failure?.code === "exit_code");
    if (isSame && (after?.state === "running" || isOver)) return [];
    return [`job ${job.id} is ${after?.state}, try ${after?.attempts}: ${JSON.stringify(after)}`];
  });
  const incomplete = before.jobs.filter(job => {
    const after = now.get(job.id);
    return after !== undefined && "logsComplete" in after && after.logsComplete === false;
  });
  return [...changed, ...again, ...incomplete.map(job => `the log of job ${job.id} is not complete`)];
}
