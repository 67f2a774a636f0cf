/** Jobs that take their cluster along, while another begins there at that moment. Core on SQLite in memory; hosts are agents without machines. */

import { cancel as cancelAny } from "@muster/core/array/control.ts";
import * as Change from "@muster/core/cluster/change.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import { submit } from "@muster/core/job/submit.ts";
import { expect, test } from "vitest";
import { jobRequest, passing, readyCluster, ref, stateOf } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";
import { arrayRequest } from "./array/support.ts";
import { jobOf } from "./recover-support.ts";

/** The world, in which something happens once, just before the queue is read. */
function beforeQueue(world: TestWorld, act: () => Promise<unknown>): TestWorld {
  let isDone = false;
  const query = async (range: Parameters<TestWorld["table"]["query"]>[0]) => {
    if (range.prefix === "Q#" && !isDone) {
      isDone = true;
      await act();
    }
    return world.table.query(range as never);
  };
  const table = { get: world.table.get.bind(world.table), write: world.table.write.bind(world.table), query };
  return { ...world, table: table as TestWorld["table"] };
}

async function twoJobs(make: (world: TestWorld) => Promise<{ id: string }>) {
  const world = testWorld();
  const { id: clusterId } = await readyCluster(world, { idle: "never" });
  const leaving = await make(world);
  const other = await submit(world, ADA, "demo", jobRequest({}, { priority: 900 }));
  return { world, clusterId, leaving, other };
}

test("one that is cancelled leaves the cluster to the job that begins meanwhile", async () => {
  const made = await twoJobs(world => submit(world, ADA, "demo", jobRequest({}, { down: true, hold: true })));
  const { world, clusterId, leaving, other } = made;
  await cancel(
    beforeQueue(world, () => schedule(world, ref(clusterId))),
    ADA,
    leaving.id,
  );
  expect(await jobOf(world, leaving.id)).toMatchObject({ state: "cancelled" });
  expect(await jobOf(world, other.id)).toMatchObject({ state: "starting" });
  expect(await stateOf(world, clusterId)).toBe("ready");
});

test("so does an array", async () => {
  const made = await twoJobs(world => submit(world, ADA, "demo", arrayRequest({ count: 2 }, {}, { down: true })));
  const { world, clusterId, leaving, other } = made;
  await cancelAny(
    beforeQueue(world, () => schedule(world, ref(clusterId))),
    ADA,
    leaving.id,
  );
  expect(await jobOf(world, leaving.id)).toMatchObject({ state: "cancelled" });
  expect(await jobOf(world, other.id)).toMatchObject({ state: "starting" });
  expect(await stateOf(world, clusterId)).toBe("ready");
});

test("one that nobody else waits with takes it along", async () => {
  const world = testWorld();
  const { id: clusterId } = await readyCluster(world, { idle: "never" });
  const { id } = await submit(world, ADA, "demo", jobRequest({}, { down: true, hold: true }));
  await cancel(world, ADA, id);
  expect(await stateOf(world, clusterId)).toBe("draining");
});

test("one that a stop by a person ends leaves the disks", async () => {
  const world = testWorld();
  const { id: clusterId, hosts } = await readyCluster(world, { idle: "never" });
  const { id } = await submit(world, ADA, "demo", jobRequest({}, { down: true }));
  await hosts[0]?.poll();
  await Change.stop(world, ADA, "demo");
  await reconcile(world, ref(clusterId));
  const { fence = 0 } = (await jobOf(world, id)) as { fence?: number };
  await hosts[0]?.run({ jobId: id, fence }, 143);
  await passing(world, 2);
  expect(["cancelled", "failed"]).toContain((await jobOf(world, id))?.state);
  expect(await stateOf(world, clusterId)).toBe("stopped");
});
