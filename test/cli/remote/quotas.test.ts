/** Quotas and dead letters: the command line as a process, against real handlers over a real table. */
import { list } from "@muster/core/deadletter/read.ts";
import { drop } from "@muster/core/deadletter/replay.ts";
import { buryRing } from "@muster/core/deadletter/ring.ts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type InProcess, openPlane } from "../../support/plane.ts";
import { type Door, openDoor } from "../support/door.ts";
import { Home } from "../support/muster.ts";

vi.setConfig({ testTimeout: 60_000 });

const ROOT = { workspace: "local", id: "usr_root", role: "admin" } as const;

let plane: InProcess;
let door: Door;
let admin: Home;
beforeAll(async () => {
  plane = await openPlane();
  door = await openDoor(plane.plane.world);
  admin = new Home();
  await admin.login(door.url, plane.token, "--name", "prod");
});
afterAll(async () => {
  for (const one of [admin, door]) await one[Symbol.asyncDispose]();
  await plane.close();
});

test("quotas are shown, set and taken away again", async () => {
  expect((await admin.run("quota")).out).toMatch(/USED +LIMIT[\s\S]*clusters +0 +200[\s\S]*GPUs +0 +1000/);
  const set = await admin.run("quota", "--hosts", "7", "--clusters", "none");
  expect(set.out).toMatch(/clusters +0 +none +200 by default\nhosts +0 +7 +2000 by default/);
  const { quotas } = (await admin.json("quota")) as { quotas: { quota: string; limit?: number }[] };
  expect(quotas.find(({ quota }) => quota === "hosts")).toEqual({ quota: "hosts", used: 0, limit: 7, default: 2000 });
  expect((await admin.run("events", "budget")).out).toMatch(
    /quota\.set .* (hosts 7, clusters none|clusters none, hosts 7)/,
  );
  expect(await admin.run("quota", "--hosts", "some")).toMatchObject({ code: 120 });
});

test("dead letters are listed, shown, tried anew and forgotten", async () => {
  expect((await admin.run("deadletters", "list")).out).toBe("No dead letters: nothing has failed three times.\n");
  const { world } = plane.plane;
  for (const jobId of ["job_1", "job_2"])
    await buryRing(world, { do: "look", workspace: "local", jobId }, 3, new Error("nobody answers"));
  const items = (await admin.json("deadletters", "list")) as { id: string; what: string }[];
  expect(items.map(({ what }) => what).sort()).toEqual(["look after job job_1", "look after job job_2"]);
  const [one, other] = items.map(({ id }) => id);
  expect((await admin.run("deadletters", "show", one ?? "")).out).toMatch(/failed +3 times[\s\S]*nobody answers/);
  expect((await admin.run("deadletters", "replay", one ?? "")).out).toContain("Tried anew: look after job");
  const left = async () => (await list(world, ROOT, { limit: 10 })).items.map(({ id }) => id);
  await expect.poll(left, { timeout: 20_000 }).toEqual([other]);
  expect(await admin.run("deadletters", "replay")).toMatchObject({ code: 120 });
  expect(await admin.run("deadletters", "drop", "--all")).toMatchObject({ code: 120 });
  expect((await admin.run("deadletters", "drop", other ?? "", "--yes")).out).toContain("Forgotten: look after job");
  expect(await admin.run("deadletters", "show", other ?? "")).toMatchObject({ code: 122 });
});

test("of all dead letters one may be done by the time it is its turn", async () => {
  const { world } = plane.plane;
  for (const jobId of ["job_3", "job_4"])
    await buryRing(world, { do: "look", workspace: "local", jobId }, 3, new Error("nobody answers"));
  // Who drops one lets the other be done meanwhile.
  await using both = await openDoor(world, {
    before: async event => {
      if (!event.routeKey.startsWith("DELETE ")) return event;
      for (const { id } of (await list(world, ROOT, { limit: 10 })).items)
        if (!event.rawPath.endsWith(id)) await drop(world, ROOT, id);
      return event;
    },
  });
  await using home = new Home();
  await home.login(both.url, plane.token);
  const { code, out } = await home.run("deadletters", "drop", "--all", "--yes");
  expect([code, out]).toEqual([0, expect.stringMatching(/^Forgotten: look after job job_[34]\.\n$/)]);
  expect(await home.run("deadletters", "drop", "dl_0123456789abcdef", "--yes")).toMatchObject({ code: 122 });
});
