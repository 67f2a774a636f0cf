/** Jobs that wait, and what becomes of their clusters. On SQLite in memory; the provider and its hosts are the test's. */
import * as Change from "@muster/core/cluster/change.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import { describe, expect, test } from "vitest";
import { launchRequest, passing, readyCluster, stateOf } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, testWorld } from "../support/world.ts";
import { first, following, get, runNext } from "./after-support.ts";

describe("the cluster of a job that waits", () => {
  test("stops when it is idle though a job waits, and is started again when that is released", async () => {
    const world = testWorld();
    const { id, hosts } = await readyCluster(world, { idle: { after: 10, action: "stop" } });
    // A job of another cluster, which goes on.
    const { job: elsewhere } = await launch(world, ADA, { ...launchRequest, cluster: "other" });
    const waits = await following(world, elsewhere ?? { id: "" }, {}, "end");
    await passing(world, 12, async () => void (await hosts[0]?.poll()));
    expect(await stateOf(world, id)).toBe("stopped");
    expect(await get(world, waits)).toMatchObject({ state: "waiting" });
    await cancel(world, ADA, elsewhere?.id ?? "");
    await ringAll(world);
    // Its host has gone on calling all the while.
    expect(await get(world, waits)).toMatchObject({ state: "starting" });
    expect(await stateOf(world, id)).toBe("ready");
  });

  test("takes those that wait along when it ends", async () => {
    const world = testWorld();
    await readyCluster(world);
    const two = await first(world, { hold: true });
    await Change.remove(world, ADA, "demo");
    await ringAll(world);
    await passing(world, 2);
    await ringAll(world);
    expect(await get(world, two)).toMatchObject({ state: "failed", failure: { code: "cluster_ended" } });
  });

  test("is not torn down by a job that others wait for, and is by the last of them, also when that fails unrun", async () => {
    const world = testWorld();
    const { id, hosts } = await readyCluster(world);
    const one = await first(world, { down: true });
    const two = await following(world, one);
    const three = await following(world, two, { down: true });
    await runNext(hosts[0]);
    await ringAll(world);
    expect(await stateOf(world, id)).toBe("ready");
    expect(await runNext(hosts[0], 1)).toBe(two.id);
    await ringAll(world);
    expect(await get(world, three)).toMatchObject({ state: "failed", failure: { code: "dependency_failed" } });
    expect(await stateOf(world, id)).not.toBe("ready");
  });
});
