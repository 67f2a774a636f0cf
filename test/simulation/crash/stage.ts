/** What a short script of users does on a simulated deployment, one thing after the other. */
import type { Actor } from "@muster/core/actor/actor.ts";
import type * as JobArray from "@muster/core/array/array.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import type * as Job from "@muster/core/job/job.ts";
import type { Whole } from "@muster/core/ports/world.ts";
import { Task } from "@muster/core/task/task.ts";
import { type Accepted, type Nouns, send } from "../clients.ts";
import type { ScriptName } from "../host/workload.ts";
import { CANARY } from "../invariants/secrets.ts";
import { MINUTE, QUIET, SECOND, sinceStart } from "../kernel.ts";
import type { Box } from "../ports/cloud.ts";
import type { Sim } from "../sim.ts";

/** How often a script looks whether something has come true, in ms. */
const LOOK = 2 * SECOND;

/** How long it waits at most, in ms: one of core's hourly backstops, and what that starts. */
const PATIENCE = 80 * MINUTE;

/** Ends a script that cannot go on; what was in its way is a violation. */
export class Stuck extends Error {}

export class Stage {
  readonly sim: Sim;
  readonly accepted: Accepted;
  #asked = 0;

  constructor(sim: Sim, accepted: Accepted) {
    this.sim = sim;
    this.accepted = accepted;
  }

  /** A user's request in all its tries. @throws Stuck when it is refused. */
  async ask(name: string, run: (world: Whole, actor: Actor) => Promise<unknown>): Promise<void> {
    if (await this.#send(name, run)) return;
    this.sim.violate("I2", `${name} was not accepted`);
    throw new Stuck();
  }

  /** Asks again, once a minute, while it is refused. @throws Stuck */
  async insist(name: string, run: (world: Whole, actor: Actor) => Promise<unknown>): Promise<void> {
    const end = this.sim.now + PATIENCE;
    while (!(await this.#send(name, run))) {
      if (this.sim.now > end) return this.ask(name, run);
      await this.wait(1);
    }
  }

  #send(name: string, run: (world: Whole, actor: Actor) => Promise<unknown>): Promise<boolean> {
    const key = `${name} ${++this.#asked}`;
    const actor: Actor = { workspace: "acme", id: "usr_ada", role: "admin", claim: { key, request: key } };
    return send(this.sim, this.accepted, { name: `acme ${name}`, actor, run, nouns: nounsOf }, 20);
  }

  /** @throws Stuck when it has not come true after the longest time that anything may take. */
  async until(what: string, isTrue: () => boolean): Promise<void> {
    const end = this.sim.now + PATIENCE;
    while (!isTrue()) {
      if (this.sim.now > end) {
        this.sim.violate("I14", `still not, since ${sinceStart(end - PATIENCE)} s: ${what}; ${this.#open()}`);
        throw new Stuck();
      }
      await this.sim.kernel.sleep(LOOK, `${QUIET}the script looks`);
    }
  }

  #open(): string {
    return [...this.clusters, ...this.jobs, ...this.arrays].map(one => `${one.id} is ${one.state}`).join(", ");
  }

  wait(minutes: number): Promise<void> {
    return this.sim.kernel.sleep(minutes * MINUTE, "the script waits");
  }

  get clusters(): Cluster.Cluster[] {
    return [...this.sim.db.all("cluster")].map(item => item.data as unknown as Cluster.Cluster);
  }

  get jobs(): Job.Job[] {
    return [...this.sim.db.all("job")].map(item => item.data as unknown as Job.Job);
  }

  get arrays(): JobArray.JobArray[] {
    return [...this.sim.db.all("array")].map(item => item.data as unknown as JobArray.JobArray);
  }

  /** The only one. */
  get cluster(): Cluster.Cluster | undefined {
    return this.clusters[0];
  }

  job(name = "main"): Job.Job | undefined {
    return this.jobs.find(job => job.name === name);
  }

  untilCluster(state: Cluster.State): Promise<void> {
    return this.until(`the cluster is ${state}`, () => this.cluster?.state === state);
  }

  untilJob(state: Job.State, name = "main"): Promise<void> {
    return this.until(`job ${name} is ${state}`, () => this.job(name)?.state === state);
  }

  /** Machines that run. */
  get boxes(): Box[] {
    return this.sim.cloud.boxes.filter(box => box.state === "running");
  }

  /** @returns what differs, in words. */
  jobEnded(state: Job.State, { name = "main", attempts }: { name?: string; attempts?: number } = {}): string[] {
    const job = this.job(name);
    if (job?.state !== state) return [`job ${name} is ${job?.state}, and was to be ${state}`];
    if (attempts === undefined || job.attempts === attempts) return [];
    return [`job ${name} was tried ${job.attempts} times, and was to be tried ${attempts} times`];
  }

  /** Whether that has ever happened. */
  has(kind: string): boolean {
    return [...this.sim.db.all("event")].some(item => item.data.kind === kind);
  }
}

function nounsOf(answer: unknown): Nouns {
  const said = answer as { readonly id?: string; readonly cluster?: { id: string }; readonly job?: { id: string } };
  const ids = [said.id, said.cluster?.id, said.job?.id].filter(id => id !== undefined);
  const clusterId = ids.find(id => id.startsWith("clu_"));
  return { ...(clusterId !== undefined && { clusterId }) };
}

/** A task whose script does what its name says. */
export const taskOf = (run: ScriptName, more: object = {}): Task =>
  Task.parse({ nodes: 1, run, secrets: { TOKEN: CANARY }, ...more });
