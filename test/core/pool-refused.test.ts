/** Who may do what with a pool, and what none can be. Through the real verbs, on SQLite in memory. */
import { create } from "@muster/core/launch/create.ts";
import { events, list } from "@muster/core/pool/read.ts";
import { remove } from "@muster/core/pool/remove.ts";
import { resize } from "@muster/core/pool/resize.ts";
import { set } from "@muster/core/pool/set.ts";
import { describe, expect, test } from "vitest";
import { code } from "../support/requests.ts";
import { ADA, BEN, type TestWorld, testWorld } from "../support/world.ts";
import { ADMIN, launch, pooled, request } from "./pool-support.ts";

const kinds = async (world: TestWorld) =>
  (await events(world, ADA, "warm", { limit: 100 })).items.map(event => event.kind.replace("pool.", ""));

describe("who may", () => {
  test("others see it, and change nothing; an admin who sets it makes members in their own name", async () => {
    const world = testWorld();
    await pooled(world);
    for (const act of [
      () => set(world, BEN, "warm", request()),
      () => resize(world, BEN, "warm", { size: 0 }),
      () => remove(world, BEN, "warm"),
      () => create(world, BEN, launch({ pool: "warm" })),
    ])
      expect(await code(act())).toBe("forbidden");
    expect((await list(world, BEN, { limit: 10 })).items).toMatchObject([{ name: "warm", owner: "usr_ada" }]);
    expect(await set(world, ADMIN, "WARM", request())).toMatchObject({ owner: "usr_root", name: "WARM" });
    expect(await kinds(world)).toContain("made");
  });
});

describe("what no pool can be", () => {
  test.each([
    ["a task that runs", request({}, { run: "true" }), "invalid_request"],
    ["secrets", request({}, { setup: "make", secrets: { TOKEN: "x" } }), "invalid_request"],
    ["a name", request({ launch: launch({ cluster: "one" }, { setup: "make" }) }), "invalid_request"],
    [
      "a time that never comes",
      request({ sizes: [{ cron: "0 0 30 2 *", timeZone: "UTC", size: 1 }] }),
      "invalid_request",
    ],
    ["machines that are not there", request({}, { setup: "make", resources: { instanceType: "huge" } }), "no_offer"],
  ])("%s", async (_, asked, expected) => {
    expect(await code(set(testWorld(), ADA, "warm", asked))).toBe(expected);
  });

  test("stopped, where machines cannot be", async () => {
    const world = testWorld();
    world.provider.capabilities = { ...world.provider.capabilities, stop: false };
    const { keep: _, ...unsaid } = request();
    expect(await code(set(world, ADA, "warm", unsaid))).toBe("unsupported");
    expect(await set(world, ADA, "warm", request({ keep: "running" }))).toMatchObject({ keep: "running" });
    const spot = request({}, { setup: "make", resources: { spot: true } });
    world.provider.capabilities = { ...world.provider.capabilities, stop: true };
    expect(await code(set(world, ADA, "spot", spot))).toBe("unsupported");
  });
});
