/** What is remembered of a provider's refusals, and the bucket of launch calls; through the reconcilers, on a provider of ours. */
import * as Create from "@muster/core/cluster/create.ts";
import { get } from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
import { expect, test } from "vitest";
import { clusterRequest, MINUTE, passing, ref } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

const asked = (world: TestWorld) => world.provider.intents.map(intent => intent.offer.instanceType);
const launched = async (world: TestWorld, name: string) => {
  const { id } = await Create.create(world, ADA, clusterRequest({ name }));
  await reconcile(world, ref(id));
  return id;
};

test("a type without capacity is not asked for again for some minutes, and then it is", async () => {
  const world = testWorld();
  world.provider.full.add("small");
  await launched(world, "one");
  await launched(world, "two");
  expect(asked(world)).toEqual(["small", "large", "large"]);
  world.clock.pass(6 * MINUTE);
  await launched(world, "three");
  expect(asked(world).slice(3)).toEqual(["small", "large"]);
});

test("where all were refused lately, the best is asked once more before the cluster fails", async () => {
  const world = testWorld();
  world.provider.full.add("small").add("large");
  await launched(world, "one");
  expect(asked(world)).toEqual(["small", "large"]);
  const id = await launched(world, "two");
  expect(asked(world)).toEqual(["small", "large", "small"]);
  await passing(world, 1);
  expect(await get(world, ADA, id)).toMatchObject({ state: "failed", failure: { code: "no_capacity" } });
});

test("a quota refuses a type in every zone; another type is tried", async () => {
  const world = testWorld();
  const [small, large] = world.provider.offered;
  if (small === undefined || large === undefined) throw new Error("the provider offers too little");
  world.provider.offered.splice(0, 2, { ...small, zone: "a" }, { ...small, zone: "b" }, { ...large, zone: "a" });
  const { launch } = world.provider;
  world.provider.launch = async intent => {
    if (intent.offer.instanceType === "small") {
      world.provider.intents.push(intent);
      throw new MusterError("quota_exceeded", "too few vCPUs");
    }
    return launch.call(world.provider, intent);
  };
  await launched(world, "one");
  expect(asked(world)).toEqual(["small", "large"]);
});

test("launches wait for their turn, and all get it", async () => {
  const world = testWorld();
  world.provider.capabilities = { ...world.provider.capabilities, launches: { burst: 5, perSecond: 2 } };
  const names = Array.from({ length: 8 }, (_, n) => `c${n}`);
  const ids: string[] = [];
  for (const name of names) ids.push(await launched(world, name));
  expect(world.provider.intents).toHaveLength(5);
  world.clock.pass(1_000);
  for (const id of ids) await reconcile(world, ref(id));
  expect(world.provider.intents).toHaveLength(7);
  world.clock.pass(1_000);
  for (const id of ids) await reconcile(world, ref(id));
  expect(world.provider.intents).toHaveLength(8);
});
