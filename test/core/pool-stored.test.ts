/** What a pool was set from, when that may be launched no more, and what its clusters are for: the real verbs, on SQLite in memory. */
import * as Keys from "@muster/core/keys.ts";
import { create, plan } from "@muster/core/launch/create.ts";
import { set } from "@muster/core/pool/set.ts";
import { expect, test } from "vitest";
import { code, passing } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";
import { details, launch, living, pooled, request, serve } from "./pool-support.ts";

test("what another version has set, and this one cannot read, is a failure with its next step, and is tried seldom", async () => {
  const world = testWorld();
  await pooled(world, { size: 0 });
  const key = Keys.pooled("acme", "warm");
  const item = await world.table.get(key);
  const data = { launch: { task: 7 } };
  await world.table.write([{ put: { ...key, type: "pooled", data }, expect: item?.version ?? "absent" }]);
  const asked = create(world, ADA, launch({ pool: "warm" }));
  await expect(asked).rejects.toMatchObject({
    code: "invalid_request",
    details: { hint: "set it again: muster pool set warm" },
  });
  await set(world, ADA, "warm", request());
  const now = await world.table.get(key);
  await world.table.write([{ put: { ...key, type: "pooled", data }, expect: now?.version ?? "absent" }]);
  await passing(world, 4);
  expect(await details(world)).toMatchObject({ failures: 2, made: 0, setback: { code: "invalid_request" } });
  await passing(world, 10, async () => {});
  expect((await details(world)).failures).toBe(3);
});

test("a launch that wants other numbers of jobs per host is refused, whether a cluster is ready or would be made", async () => {
  const world = testWorld();
  await pooled(world, { size: 0 });
  const other = launch({ pool: "warm", maxConcurrentJobs: 2 });
  for (const act of [plan, create]) expect(await code(act(world, ADA, other))).toBe("conflict");
  await set(world, ADA, "warm", request({ size: 1 }));
  await serve(world);
  for (const act of [plan, create]) expect(await code(act(world, ADA, other))).toBe("conflict");
  expect(await living(world)).toHaveLength(1);
});

test("a plan refuses what the launch would refuse, where no cluster is ready", async () => {
  const world = testWorld();
  await pooled(world, { size: 0 });
  const wide = launch({ pool: "warm" }, { run: "true", nodes: 2 });
  for (const act of [plan, create]) expect(await code(act(world, ADA, wide))).toBe("conflict");
});
