/** Pools whose clusters are not all of one machine type: the real verbs, on SQLite in memory, a provider with dials. */
import { resize } from "@muster/core/pool/resize.ts";
import { find } from "@muster/core/pool/take.ts";
import { expect, test } from "vitest";
import { ADA, testWorld } from "../support/world.ts";
import { launch, pooled, serve } from "./pool-support.ts";

test("a launch gets one that has what it asks for, whichever others are ready", async () => {
  const world = testWorld();
  const [small] = world.provider.offered;
  if (small === undefined) throw new Error("nothing is offered");
  world.provider.offered[0] = { ...small, cpus: 2 };
  await pooled(world, { size: 1 });
  await serve(world);
  world.provider.offered.reverse();
  await resize(world, ADA, "warm", { size: 2 });
  await serve(world);
  const asked = (count: number) => ({
    ...launch({}, { run: "true", resources: { cpus: { count, atLeast: true } } }),
    pool: "warm",
  });
  const types = async (count: number) => {
    const jobs = Array.from({ length: 12 }, (_, number) => `job_${number}`);
    const found = await Promise.all(jobs.map(job => find(world, ADA, asked(count), job)));
    return new Set(
      found.map(
        ({ candidate }) => candidate && "launch" in candidate.cluster && candidate.cluster.launch?.offer.instanceType,
      ),
    );
  };
  expect(await types(2)).toEqual(new Set(["small", "large"]));
  expect(await types(3)).toEqual(new Set(["large"]));
});
