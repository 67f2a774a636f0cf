/** What tests of arrays ask for: an array on a ready cluster, and hosts that run whatever they are given. */
import * as JobArray from "@muster/core/array/array.ts";
import * as Slots from "@muster/core/cluster/slots.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Basics } from "@muster/core/ports/world.ts";
import { load } from "@muster/core/record.ts";
import type { Runs } from "@muster/core/task/sweep.ts";
import { Task, type TaskInput } from "@muster/core/task/task.ts";
import type { TestHost } from "../../support/host.ts";
import { readyCluster } from "../../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../../support/world.ts";

export const arrayRequest = (runs: TaskInput["runs"], task: TaskInput = {}, more = {}) => ({
  task: Task.parse({ run: "true", runs, ...task }),
  name: undefined,
  priority: 500,
  down: false,
  ...more,
});

/** A ready cluster of so many hosts, and an array on it. */
export async function withArray(runs: Partial<Runs>, nodes = 1, task: TaskInput = {}, more = {}) {
  const world = testWorld();
  const { id: clusterId, hosts } = await readyCluster(world, { nodes, idle: "never" });
  const { id } = await submit(world, ADA, clusterId, arrayRequest(runs, task, more));
  return { world, clusterId, hosts, id };
}

export const arrayOf = async (world: TestWorld, id: string) => {
  const array = await load(world.table, JobArray.noun, Keys.array("acme", id));
  if (array === undefined) throw new Error(`no array ${id}`);
  return array;
};

/** What the host holds, by the cluster's slots. */
export async function heldBy(world: Pick<Basics, "table">, clusterId: string, rank: number) {
  const slots = await Slots.get(world.table, "acme", clusterId);
  return slots?.hosts.find(slot => slot.rank === rank)?.runs ?? [];
}

/** Every host runs what it is given to its end, until nothing is given any more. @returns the ids, in the order of their ends. */
export async function runAll(
  world: TestWorld,
  clusterId: string,
  hosts: readonly TestHost[],
  exitCode: (jobId: string) => number = () => 0,
): Promise<string[]> {
  const ran: string[] = [];
  for (;;) {
    const before = ran.length;
    for (const [rank, host] of hosts.entries()) {
      await host.poll();
      for (const { jobId, fence } of await heldBy(world, clusterId, rank)) {
        await host.run({ jobId, fence }, exitCode(jobId));
        ran.push(jobId);
      }
    }
    if (ran.length === before) return ran;
  }
}

export const infoOf = (world: TestWorld, id: string) => Read.get(world, ADA, id);

/** Whatever happens, its counts are those of all its runs. */
export function isSound(array: JobArray.JobArray): boolean {
  const { count, running, succeeded, failed, cancelled, timedOut, started, next, skips = 0 } = array;
  const ended = succeeded + failed + cancelled + timedOut;
  const rest = JobArray.rest(array);
  return [
    ended + running + rest === count,
    started <= next || JobArray.isOver(array),
    Math.min(running, rest, skips, ended) >= 0,
    next <= count,
    array.running <= (array.concurrent ?? count),
  ].every(Boolean);
}
