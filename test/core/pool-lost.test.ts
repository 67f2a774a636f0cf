/** Pools whose prepared machines are taken away, all at once: the real verbs, on SQLite in memory, a provider with dials. */
import { set } from "@muster/core/pool/set.ts";
import { expect, test } from "vitest";
import { enrollAll, FACTS } from "../support/host.ts";
import { passing } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, testWorld } from "../support/world.ts";
import { details, pooled, request, serve, states } from "./pool-support.ts";

test("machines that were ready and are lost together are one failure: the pool has others soon", async () => {
  const world = testWorld();
  await pooled(world, { size: 5, keep: "running" });
  await serve(world);
  expect(await states(world)).toEqual(Array(5).fill("ready"));
  const machines = [...world.provider.machines.values()];
  world.provider.machines.clear();
  // The cloud says so itself: of silence alone not so many would be believed at once.
  world.provider.ended = async ({ clusterId }) =>
    machines.filter(one => one.clusterId === clusterId).map(one => ({ ...one, state: "terminated" }));
  // They are silent; after an hour somebody looks.
  await passing(world, 61, () => ringAll(world));
  expect(await details(world)).toMatchObject({ failures: 1, making: 0, setback: { code: "hosts_lost" } });
  await passing(world, 10, () => serve(world));
  expect(await details(world)).toMatchObject({ failures: 0, made: 10, ready: 5 });
});

test("what fails of members that a pool has no use for any more is no failure of what it was set to meanwhile", async () => {
  const world = testWorld();
  await pooled(world, { size: 2 });
  const hosts = (await Promise.all(world.provider.intents.map(intent => enrollAll(world, FACTS, intent)))).flat();
  await ringAll(world);
  const given = await Promise.all(hosts.map(async host => ({ host, orders: await host.poll() })));
  await set(world, ADA, "warm", request({}, { setup: "make better" }));
  for (const { host, orders } of given) for (const assignment of orders.assignments) await host.run(assignment, 1);
  expect(given.flatMap(({ orders }) => orders.assignments)).toHaveLength(2);
  await ringAll(world);
  expect(await details(world)).toMatchObject({ failures: 0, made: 4, making: 2 });
});
