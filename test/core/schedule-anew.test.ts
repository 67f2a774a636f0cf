/** A schedule that is set anew around one of its times, through the real verbs, on SQLite in memory, with a clock that the test sets. */
import * as Keys from "@muster/core/keys.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { pause, resume } from "@muster/core/schedule/pause.ts";
import { events, get } from "@muster/core/schedule/read.ts";
import { set } from "@muster/core/schedule/set.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { create as createToken } from "@muster/core/token/create.ts";
import { expect, test } from "vitest";
import { MINUTE } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";
import { request } from "./schedule-support.ts";

const HOUR = 60 * MINUTE;
const ADMIN = { ...ADA, id: "usr_root", role: "admin" } as const;
// A time that came again would be launched at once.
const anew = request({ overlap: "replace" });

/** Ada's schedule `hourly`. */
async function scheduled(): Promise<TestWorld> {
  const world = testWorld();
  await createToken(world, ADMIN, { actor: "usr_ada", role: "member" });
  await set(world, ADA, "hourly", anew);
  return world;
}

/** The times that it has launched for. */
const times = async (world: TestWorld) =>
  (await events(world, ADA, "hourly", { limit: 100 })).items
    .filter(event => event.kind === "schedule.launched")
    .map(event => event.details?.time);

/** Before the verb's first read of that kind, an hour passes, and its time is launched. */
function delayed(world: TestWorld, sk: string): Table {
  let hasPassed = false;
  const table = Object.create(world.table) as Table;
  table.query = world.table.query.bind(world.table);
  table.write = world.table.write.bind(world.table);
  table.get = async key => {
    if (key.sk === sk && !hasPassed) {
      hasPassed = true;
      world.clock.pass(HOUR);
      await sweepDue(world);
    }
    return world.table.get(key);
  };
  return table;
}

const SCHEDULE = Keys.schedule("acme", "hourly").sk;
const LAUNCH = Keys.scheduled("acme", "hourly").sk;

test.each([
  ["before it has read it", SCHEDULE],
  ["when it has read it, so that it reads again", LAUNCH],
])("a time that is launched while whoever sets it stands still, %s, does not come again", async (_, sk) => {
  const world = await scheduled();
  const time = world.clock.now() + HOUR;
  const info = await set({ ...world, table: delayed(world, sk) }, ADA, "hourly", anew);
  expect(info).toMatchObject({ nextAt: time + HOUR, changedAt: time, last: { at: time, outcome: "launched" } });
  await sweepDue(world);
  expect(await times(world)).toEqual([time]);
});

test("nor one that another clock has seen come, and this one has not: set, or paused and resumed", async () => {
  const world = await scheduled();
  world.clock.pass(HOUR);
  const time = world.clock.now();
  await sweepDue(world);
  const behind = { ...world, clock: { now: () => world.clock.now() - 2_000 } };
  expect(await set(behind, ADA, "hourly", anew)).toMatchObject({ nextAt: time + HOUR });
  await pause(behind, ADA, "hourly");
  expect(await resume(behind, ADA, "hourly")).toMatchObject({ nextAt: time + HOUR });
  await sweepDue(world);
  expect(await times(world)).toEqual([time]);
  // What is set now goes by its own line.
  expect(await set(behind, ADA, "hourly", { ...anew, cron: "* * * * *" })).toMatchObject({ nextAt: time + MINUTE });
  expect((await get(world, ADA, "hourly")).cron).toBe("* * * * *");
});
