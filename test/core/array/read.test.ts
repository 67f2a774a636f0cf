/** Reading runs of arrays while they begin, and those that never will. The real verbs, on SQLite in memory; hosts are agents without machines. */
import { failed } from "@muster/core/array/cancel.ts";
import { cancel } from "@muster/core/array/control.ts";
import { find as findCluster } from "@muster/core/cluster/find.ts";
import * as Read from "@muster/core/job/read.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import { why } from "@muster/core/job/why.ts";
import { expect, test } from "vitest";
import { ref } from "../../support/requests.ts";
import { ADA, type TestWorld } from "../../support/world.ts";
import { infoOf, withArray } from "./support.ts";

/** An array whose first run begins just when somebody has looked for its record, and found none. */
async function beginning() {
  const made = await withArray({ count: 3 });
  const { world, clusterId, id } = made;
  const run = `${id}.0`;
  let hasBegun = false;
  const get: TestWorld["table"]["get"] = async key => {
    const found = await world.table.get(key);
    if (!hasBegun && key.pk.endsWith(run)) {
      hasBegun = true;
      await schedule(world, ref(clusterId));
    }
    return found;
  };
  return { ...made, run, slow: { ...world, table: { ...world.table, get } } };
}

test("a run that begins while it is read is not shown as cancelled", async () => {
  const { run, slow } = await beginning();
  expect(await Read.get(slow, ADA, run)).toMatchObject({ id: run, state: "starting", attempts: 1 });
});

test("a run that begins while it is cancelled is cancelled", async () => {
  const { run, slow, world } = await beginning();
  expect(await cancel(slow, ADA, run)).toMatchObject({ id: run, state: "cancelling" });
  expect(await infoOf(world, run)).toMatchObject({ state: "cancelling" });
});

test("a run that begins while somebody asks what it waits for, what it printed or what happened has begun", async () => {
  const one = await beginning();
  expect((await why(one.slow, ADA, one.run)).job.state).toBe("starting");
  const other = await beginning();
  expect(await Read.find(other.slow, ADA, other.run)).toMatchObject({ state: "starting" });
  const third = await beginning();
  expect((await Read.events(third.slow, ADA, third.run, { limit: 10 })).items).toMatchObject([
    { kind: "job.starting" },
  ]);
});

test("a run that failed with others of its array is not shown as cancelled before", async () => {
  const { world, id, clusterId, hosts } = await withArray({ count: 3 });
  await hosts[0]?.poll();
  const failure = { code: "no_capacity", message: "it has not grown" };
  expect(await failed(world, await findCluster(world, ADA, clusterId), id, failure)).toBe(true);
  const before = await infoOf(world, `${id}.2`);
  expect(before).toMatchObject({ state: "failed", failure });
  await hosts[0]?.run({ jobId: `${id}.0`, fence: 1 }, 0);
  expect(await infoOf(world, id)).toMatchObject({ state: "failed" });
  const after = await infoOf(world, `${id}.2`);
  expect(after).toMatchObject({ state: "failed", endedAt: before.endedAt });
});
