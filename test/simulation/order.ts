/** Users whose jobs wait for others, are held and released, or come again and again. */
import type { Actor, Role } from "@muster/core/actor/actor.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import { hold, release } from "@muster/core/job/hold.ts";
import * as Job from "@muster/core/job/job.ts";
import { submit } from "@muster/core/job/submit.ts";
import { insert } from "@muster/core/record.ts";
import { remove } from "@muster/core/schedule/remove.ts";
import type * as Schedule from "@muster/core/schedule/schedule.ts";
import { set } from "@muster/core/schedule/set.ts";
import * as Token from "@muster/core/token/token.ts";
import { clustersOf, launchBody, someCluster, someJob, task } from "./bodies.ts";
import { type Accepted, type Nouns, type Request, send } from "./clients.ts";
import type { Sim } from "./sim.ts";

export type Made = Pick<Request, "run" | "nouns">;
type Make = (sim: Sim, accepted: Accepted, actor: Actor) => Made;

export const ofJob = (answer: unknown): Nouns => ({ jobId: (answer as Job.Info).id });

/** Most users look before they act. */
const oneOf = (sim: Sim, found: readonly { readonly id: string }[]): string | undefined =>
  found.length > 0 && sim.rng.chance(0.8) ? sim.rng.pick(found).id : undefined;

const jobsOf = (sim: Sim, { workspace }: Actor): Job.Job[] =>
  [...sim.db.all("job")].map(item => item.data as unknown as Job.Job).filter(job => job.workspace === workspace);
const mayUse = (actor: Actor) => (cluster: Cluster.Cluster) =>
  (cluster.owner === actor.id || cluster.shared) && !Cluster.isLeaving(cluster);
const mayHold = (actor: Actor) => (job: Job.Job) =>
  (job.owner === actor.id || actor.role === "admin") && (job.state === "queued" || job.state === "waiting");

export const order: Readonly<Record<"chain" | "hold" | "release" | "schedule", Make>> = {
  chain: (sim, accepted, actor) => {
    const other = () =>
      oneOf(
        sim,
        jobsOf(sim, actor).filter(job => !Job.isOver(job)),
      ) ?? someJob(sim, accepted, actor);
    const others = new Set(Array.from({ length: sim.rng.between(1, 2) }, other));
    const body: Job.Submit = {
      task: task(sim, 1),
      name: undefined,
      priority: 500,
      down: sim.rng.chance(0.1),
      after: [...others].map(job => ({ job, on: sim.rng.pick(["success", "end", "end"]) })),
      ...(sim.rng.chance(0.1) && { hold: true }),
    };
    const reference = oneOf(sim, clustersOf(sim, actor).filter(mayUse(actor))) ?? someCluster(sim, accepted, actor);
    return { run: (world, by) => submit(world, by, reference, body), nouns: ofJob };
  },
  hold: (sim, accepted, actor) => {
    const id = oneOf(sim, jobsOf(sim, actor).filter(mayHold(actor))) ?? someJob(sim, accepted, actor);
    return { run: (world, by) => hold(world, by, id), nouns: ofJob };
  },
  release: (sim, accepted, actor) => {
    const mine = jobsOf(sim, actor).filter(mayHold(actor)).filter(Job.isWaiting);
    const id = oneOf(sim, mine) ?? someJob(sim, accepted, actor);
    return { run: (world, by) => release(world, by, id), nouns: ofJob };
  },
  schedule: (sim, _, actor) => {
    const { task: one, ...launch } = launchBody(sim);
    const body: Schedule.Change = {
      cron: sim.rng.pick(["* * * * *", "*/3 * * * *", "@hourly"]),
      timeZone: "Europe/Paris",
      overlap: sim.rng.pick(["skip", "queue", "replace"]),
      launch: { ...launch, task: { ...one, secrets: {} } },
    };
    const name = `${sim.rng.pick(["often", "again"])}-${actor.id}`;
    return { run: (world, by) => set(world, by, name, body), nouns: () => ({}) };
  },
};

/** Schedules launch for those who have one. */
export function giveTokens(
  sim: Sim,
  workspaces: readonly string[],
  everyone: readonly (readonly [string, Role])[],
): void {
  const process = {
    name: "tokens",
    workspace: undefined,
    deadline: 0,
    skew: 0,
    dead: false,
    finished: false,
    die() {},
  };
  for (const workspace of workspaces)
    for (const [actor, role] of everyone) {
      const id = `tok_${workspace}_${actor}`;
      const token = { id, workspace, actor, role, hash: "", createdAt: sim.now };
      sim.db.write(process, [insert(Token.noun, token)]);
    }
}

/** Nothing more is launched by itself. */
export async function endSchedules(sim: Sim, accepted: Accepted): Promise<void> {
  const all = [...sim.db.all("schedule")].map(item => item.data as unknown as Schedule.Schedule);
  for (const { workspace, name } of all) {
    const actor: Actor = { workspace, id: "usr_ada", role: "admin" };
    const run: Request["run"] = (world, by) => remove(world, by, name);
    await send(sim, accepted, { name: `${workspace} last schedule`, actor, run, nouns: () => ({}) }, 100);
  }
}
