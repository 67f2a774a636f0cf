/** Costs, ceilings and the freeze: the command line as a process, against real handlers over a real table, with a shop of ours. */
import * as Create from "@muster/core/cluster/create.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type InProcess, openPlane } from "../../support/plane.ts";
import { type Door, openDoor } from "../support/door.ts";
import { Home } from "../support/muster.ts";
import { shop } from "../support/shop.ts";

vi.setConfig({ testTimeout: 60_000 });

let plane: InProcess;
let door: Door;
let admin: Home;
beforeAll(async () => {
  plane = await openPlane();
  door = await openDoor({ ...plane.plane.world, providers: new Map([["shop", shop]]) });
  admin = new Home();
  await admin.login(door.url, plane.token, "--name", "prod");
});
afterAll(async () => {
  for (const one of [admin, door]) await one[Symbol.asyncDispose]();
  await plane.close();
});

test("a month that has cost nothing says so, with its ceilings; as a table, as JSON and as CSV", async () => {
  const month = new Date().toISOString().slice(0, 7);
  expect((await admin.run("cost")).out).toBe(
    `${month}: $0.00 of $1000.00\nforecast: $0.00, as things go on\ntaken: $0.00 per hour; at most $10.00 for each user\n`,
  );
  expect(await admin.json("cost", "--by", "label")).toMatchObject({
    ...{ month, by: "label", total: 0, items: [], complete: true },
    ceilings: { monthly: 1000, each: 10 },
  });
  expect((await admin.run("cost", "--csv")).out).toBe("month,by,id,name,dollars\n");
  expect((await admin.run("cost", "--month", "2020-01")).out).toBe("2020-01: $0.00 of $1000.00\n");
});

test("a month that is none is refused", async () => {
  expect(await admin.run("cost", "--month", "2026-13")).toMatchObject({ code: 120 });
});

test("a freeze is told of to whoever launches, and in the history; and ends", async () => {
  expect((await admin.run("freeze")).err).toContain("nothing begins any more. Let it go on: muster unfreeze");
  const actor = { workspace: "local", id: "usr_ada", role: "member" } as const;
  const world = { ...plane.plane.world, providers: new Map([["shop", shop]]) };
  const asked = { name: "demo", nodes: 1, resources: {}, shared: false };
  await expect(Create.create(world, actor, asked)).rejects.toMatchObject({ code: "frozen" });
  expect((await admin.run("freeze", "--stop-all", "--yes")).err).toContain("What runs is being stopped.");
  await sweepDue(plane.plane.world);
  expect((await admin.run("unfreeze")).out).toContain("per hour");
  expect((await admin.run("events", "budget")).out).toMatch(/budget\.frozen.*budget\.thawed/s);
});
