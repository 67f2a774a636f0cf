/** The judge of what takes too long (I14), shown a job that is made up: what it counts, and what it does not. */
import * as Job from "@muster/core/job/job.ts";
import { expect, test } from "vitest";
import { MINUTE } from "../kernel.ts";
import { Sim } from "../sim.ts";
import { overdue } from "./liveness.ts";

const JOB = "job_01MCC6CZY1YDM45Q6FX4CSJB72";
const CLUSTER = "clu_01MCC6CZY1YDM45Q6FX4CSJB72";

/** A simulation with a job that begins now. */
function starting(): Sim {
  const sim = new Sim(1);
  const record = {
    ...{ id: JOB, workspace: "acme", clusterId: CLUSTER, clusterName: "one", owner: "usr_ada", state: "starting" },
    ...{ priority: 100, nodes: 1, down: false, attempts: 1, fence: 1, placement: [0] },
    ...{ createdAt: sim.now, changedAt: sim.now, dueAt: sim.now },
  };
  const data = Job.Job.parse(record);
  const process = { name: "test", workspace: "acme", deadline: Infinity, skew: 0, dead: false, finished: false };
  sim.db.write({ ...process, die: () => undefined }, [
    { put: { ...Job.noun.key(data), type: "job", data }, expect: "absent" },
  ]);
  return sim;
}

/** The clock stands still while nothing is to come. */
function pass(sim: Sim, minutes: number): Promise<void> {
  sim.kernel.at(minutes * MINUTE, "time passes", () => undefined);
  return sim.kernel.run(() => false);
}

test("a job that begins for more than an hour of calm takes too long", async () => {
  const sim = starting();
  sim.clearedAt = sim.now;
  await pass(sim, 60);
  expect(overdue(sim)).toEqual([]);
  await pass(sim, 1);
  expect(overdue(sim)).toEqual([`job ${JOB} is starting`]);
});

test("the bad weather before does not count, and what it left behind has no longer than anything else", async () => {
  const sim = starting();
  await pass(sim, 50);
  sim.clearedAt = sim.now;
  await pass(sim, 17);
  expect(overdue(sim)).toEqual([]);
  await pass(sim, 44);
  expect(overdue(sim)).toEqual([`job ${JOB} is starting`]);
});

test("what began in the calm has its hour from then", async () => {
  const sim = starting();
  sim.clearedAt = sim.now - 50 * MINUTE;
  await pass(sim, 59);
  expect(overdue(sim)).toEqual([]);
  await pass(sim, 2);
  expect(overdue(sim)).toEqual([`job ${JOB} is starting`]);
});
