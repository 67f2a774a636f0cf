/** So many clusters of one host each that runs a job, in virtual time. */
import * as Create from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Brake from "@muster/core/host/brake.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import type { Alarming } from "@muster/core/ports/ports.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { enrollAll, type TestHost } from "../support/host.ts";
import { clusterRequest, jobRequest, MINUTE, ref } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

interface Worker {
  readonly clusterId: string;
  readonly jobId: string;
  readonly fence: number;
  readonly host: TestHost;
}

async function worker(world: TestWorld, name: string): Promise<Worker> {
  const { id: clusterId } = await Create.create(world, ADA, clusterRequest({ name, idle: "never" }));
  await reconcile(world, ref(clusterId));
  const [host] = await enrollAll(world);
  if (host === undefined) throw new Error("no host was launched");
  const { id: jobId } = await submit(world, ADA, name, jobRequest());
  await host.poll();
  const fence = (await Read.get(world, ADA, jobId)).fence ?? 0;
  await host.report({ jobId, fence, state: "running" });
  return { clusterId, jobId, fence, host };
}

/** So many workers, counted by the sweep, and what was said of them meanwhile. */
export async function fleet(count: number) {
  const made = testWorld();
  const alarms: Alarming[] = [];
  const world = { ...made, log: { ...made.log, count: (name: Alarming) => void alarms.push(name) } };
  const workers: Worker[] = [];
  for (let n = 0; n < count; n++) workers.push(await worker(world, `w${n}`));
  await sweepOrphans(world);
  world.changes.length = 0;
  const speak = ({ host, jobId, fence }: Worker) => host.poll([{ jobId, fence }]).catch(() => undefined);
  const jobState = async ({ jobId }: Worker) => (await Read.get(world, ADA, jobId)).state;
  /** Epoch ms at which each job was seen to have ended. */
  const ended = new Map<Worker, number>();
  const byJob = new Map(workers.map(one => [one.jobId, one]));
  const look = () => {
    for (const change of world.changes.splice(0)) {
      const job = "item" in change && change.item.type === "job" ? change.item.data : undefined;
      const one = byJob.get(String(job?.id));
      if (one && !ended.has(one) && job?.state !== "running") ended.set(one, world.clock.now());
    }
  };
  const minutes = async (many: number, speaking: readonly Worker[]) => {
    for (let minute = 0; minute < many; minute++) {
      world.clock.pass(MINUTE);
      for (const one of speaking) await speak(one);
      await sweepDue(world);
      look();
    }
  };
  return { world, workers, alarms, ended, minutes, jobState };
}

/** The most that were ended within any ten minutes. */
export const mostAtOnce = (times: readonly number[]): number =>
  Math.max(0, ...times.map(from => times.filter(at => at >= from && at < from + Brake.WINDOW).length));
