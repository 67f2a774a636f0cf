/**
 * `muster gc`: the command line as a process, against real handlers over a real table in memory, with a provider of ours.
 * What rings is answered by the test, before the command looks again.
 */
import { answer, ringFor } from "@muster/core/doorbell.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Machine } from "@muster/core/ports/provider.ts";
import { grant } from "@muster/core/token/create.ts";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type TestWorld, testWorld } from "../../support/world.ts";
import { type Door, openDoor } from "../support/door.ts";
import { Home } from "../support/muster.ts";

vi.setConfig({ testTimeout: 60_000 });

let world: TestWorld;
let door: Door;
let admin: Home;
let member: Home;
beforeAll(async () => {
  world = testWorld();
  const before = async <E extends { readonly routeKey: string }>(event: E): Promise<E> => {
    if (event.routeKey === "GET /v1/sweeps/{sweep}")
      for (const ring of world.changes.splice(0).flatMap(change => ringFor(change) ?? [])) await answer(world, ring);
    return event;
  };
  door = await openDoor(world, { before });
  admin = new Home();
  member = new Home();
  for (const [home, role] of [
    [admin, "admin"],
    [member, "member"],
  ] as const) {
    const { token } = await grant(world, { workspace: "acme", actor: `usr_${role}`, role });
    await home.login(door.url, token, "--name", "prod");
  }
});
afterAll(async () => {
  for (const one of [admin, member, door]) await one[Symbol.asyncDispose]();
});

const stray = (machineId: string, more: Partial<Machine> = {}): Machine => ({
  machineId,
  state: "running",
  workspace: "acme",
  clusterId: "clu_01J00000000000000000000000",
  generation: 1,
  try: 1,
  hostId: "hst_01J00000000000000000000000_0",
  launchedAt: Date.now() - 7_200_000,
  instanceType: "small",
  market: "on_demand",
  ...more,
});

beforeEach(() => {
  world.provider.machines.clear();
});

test("where nothing is left, it says so", async () => {
  expect(await admin.run("gc")).toMatchObject({ code: 0, out: "Nothing is left that belongs to no cluster.\n" });
});

test("a dry run shows what would go, how old it is, what it costs and why; the run itself ends it", async () => {
  world.provider.machines.set("i-one", stray("i-one"));
  world.provider.machines.set("i-held", stray("i-held", { isHeld: true }));
  const dry = await admin.run("gc", "--dry-run");
  expect(dry.code).toBe(0);
  expect(dry.out).toBe(
    [
      "WHAT     ID      TYPE   AGE  PRICE    DONE            WHY",
      "machine  i-one   small  2h   $0.10/h  would be ended  there is no record of its cluster",
      "machine  i-held  small  2h   $0.10/h  kept            there is no record of its cluster; held by its tag",
      "",
    ].join("\n"),
  );
  expect(dry.err).toContain("Together they cost $0.20/h");
  expect(dry.err).toContain("muster gc");
  expect([...world.provider.machines.keys()]).toEqual(["i-one", "i-held"]);
  expect(await admin.json("gc")).toMatchObject({
    dryRun: false,
    total: 2,
    items: [
      { id: "i-one", outcome: "done", hourly: 0.1 },
      { id: "i-held", act: "keep", outcome: "found" },
    ],
  });
  expect([...world.provider.machines.keys()]).toEqual(["i-held"]);
});

test("what could not be done is a failure of Muster's, beside what was found", async () => {
  world.provider.machines.set("i-one", stray("i-one"));
  const { terminate } = world.provider;
  world.provider.terminate = async () => {
    throw new MusterError("unavailable", "the cloud is away");
  };
  const { code, out, err } = await admin.run("gc");
  world.provider.terminate = terminate;
  expect(code).toBe(125);
  expect(out).toContain("could not be done");
  expect(err).toContain("the cloud is away");
});

test("only admins may ask for it", async () => {
  expect((await member.run("gc", "--dry-run")).code).toBe(121);
});
