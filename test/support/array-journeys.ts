/** Journeys of arrays: a real control plane, real agents and real processes, all on this machine. */
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import { Task } from "@muster/core/task/task.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ended, type InProcess, inState, logOf, openPlane } from "./plane.ts";

/** @param faults how the table misbehaves */
export function arrayJourneys(faults: () => Parameters<typeof openPlane>[0]): void {
  let plane: InProcess;
  beforeAll(async () => {
    plane = await openPlane(faults());
    await plane.api.clusters.create({ body: { name: "three", nodes: 3 } });
  });
  afterAll(() => plane.close());

  test("a grid of six, two at a time: each combination once, never three, and two of them at once", async () => {
    const folder = join(plane.home, "grid");
    mkdirSync(folder);
    // The first two wait for each other: they can only end when both run.
    const run = `
      echo + >> ${folder}/order
      echo "$MUSTER_RUN_INDEX/$MUSTER_NUM_RUNS $lr $OPT" >> ${folder}/values
      touch ${folder}/$MUSTER_RUN_INDEX
      if [ $MUSTER_RUN_INDEX -lt 2 ]; then
        until [ -e ${folder}/$((1 - MUSTER_RUN_INDEX)) ]; do sleep 0.01; done
      fi
      echo "run $MUSTER_RUN_INDEX of $MUSTER_ARRAY_ID is $MUSTER_JOB_ID"
      echo - >> ${folder}/order
      [ $MUSTER_RUN_INDEX -ne 4 ] || exit 9`;
    const params = { lr: { values: [0.1, 0.01] }, OPT: { values: ["sgd", "adam", "x y"] } };
    const task = Task.parse({ run, runs: { concurrent: 2, sweep: { type: "grid", params } } });
    const array = await plane.api.jobs.submit({ params: { cluster: "three" }, body: { task } });
    expect(array).toMatchObject({ state: "queued", runs: { count: 6, concurrent: 2, started: 0 } });
    expect(await ended(plane, array)).toMatchObject({
      state: "failed",
      exitCode: 9,
      runs: { count: 6, started: 6, running: 0, succeeded: 5, failed: 1, cancelled: 0, timedOut: 0 },
    });
    const values = readFileSync(join(folder, "values"), "utf8").trim().split("\n").toSorted();
    expect(values).toEqual([
      "0/6 0.1 sgd",
      "1/6 0.1 adam",
      "2/6 0.1 x y",
      "3/6 0.01 sgd",
      "4/6 0.01 adam",
      "5/6 0.01 x y",
    ]);
    const order = readFileSync(join(folder, "order"), "utf8").trim().split("\n");
    const running = order.map((_, at) =>
      order.slice(0, at + 1).reduce((sum, mark) => sum + (mark === "+" ? 1 : -1), 0),
    );
    expect(Math.max(...running)).toBe(2);
    const third = { id: `${array.id}.3` };
    expect(await logOf(plane, third)).toBe(`run 3 of ${array.id} is ${third.id}\n`);
    expect(await plane.api.jobs.get({ params: { job: third.id } })).toMatchObject({
      values: { lr: "0.01", OPT: "sgd" },
    });
  });

  test("a cancelled array ends its processes; one run that is cancelled ends alone", async () => {
    const task = Task.parse({ run: "trap 'exit 0' TERM; while :; do sleep 0.01; done", runs: { count: 1000 } });
    const array = await plane.api.jobs.submit({ params: { cluster: "three" }, body: { task } });
    for (const index of [0, 1, 2]) await inState(plane, { id: `${array.id}.${index}` }, "running");
    await plane.api.jobs.cancel({ params: { job: `${array.id}.1` } });
    await ended(plane, { id: `${array.id}.1` });
    await inState(plane, { id: `${array.id}.3` }, "running");
    await plane.api.jobs.cancel({ params: { job: array.id } });
    expect(await ended(plane, array)).toMatchObject({ state: "cancelled", runs: { cancelled: 1000, running: 0 } });
    for (const index of [0, 2, 3, 999])
      expect(await plane.api.jobs.get({ params: { job: `${array.id}.${index}` } })).toMatchObject({
        state: "cancelled",
      });
    const error = await plane.api.jobs.logs({ params: { job: array.id }, query: {} }).catch(caught => caught);
    expect(error).toBeInstanceOf(MusterError);
    expect(error).toMatchObject({ code: "conflict", message: `${array.id} is an array of 1000 runs: say which one` });
  });
}
