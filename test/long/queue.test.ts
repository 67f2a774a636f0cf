/** Machines of one job at a time: client → local HTTP server → a real agent → real processes. */
import { Task, type TaskInput } from "@muster/core/task/task.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ended, type InProcess, openPlane } from "../support/plane.ts";

let plane: InProcess;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

const cpus = { resources: { cpus: { count: 0.1, atLeast: true } } };

const submit = (cluster: string, task: TaskInput) =>
  plane.api.jobs.submit({ params: { cluster }, body: { task: Task.parse(task) } });

test("a machine of one job at a time runs one after the other, whatever room there is", async () => {
  const alone = 'mkdir ~/alone && sleep 0.2 && rmdir ~/alone && echo "$MUSTER_JOB_ID"';
  const { cluster, job } = await plane.api.launches.create({
    body: { task: Task.parse({ ...cpus, run: alone }), cluster: "single", maxConcurrentJobs: 1 },
  });
  const others = await Promise.all([1, 2].map(() => submit(cluster.id, { ...cpus, run: alone })));
  for (const one of [job, ...others]) expect(one && (await ended(plane, one))).toMatchObject({ state: "succeeded" });
});
