/** What becomes of choices after a launch: a full reservation, growth and moves. Core on SQLite, a provider of ours with dials. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as CreateCluster from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Keys from "@muster/core/keys.ts";
import * as Create from "@muster/core/launch/create.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import { load } from "@muster/core/record.ts";
import type { Resources } from "@muster/core/task/resources.ts";
import { describe, expect, test } from "vitest";
import { enrollGroups } from "../support/groups.ts";
import { movable } from "../support/movable.ts";
import { clusterRequest, MINUTE, passing, ref, stateOf } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

async function made(world: TestWorld, request: object): Promise<string> {
  const { id } = await CreateCluster.create(world, ADA, Cluster.Create.parse({ name: "demo", ...request }));
  await reconcile(world, ref(id));
  return id;
}

/** What was asked for in each call. */
const asked = (world: TestWorld) => world.provider.intents.map(intent => intent.resources);

describe("machines that are set aside", () => {
  /** The same machines out of a reservation, which is full, and out of what is for everybody. */
  function reserved(): TestWorld {
    const world = testWorld();
    const { offers, launch } = world.provider;
    world.provider.offers = async (wanted: Resources) => {
      const found = await offers(wanted);
      const pool = wanted.reservation === undefined ? {} : { pool: wanted.reservation };
      return { ...found, offers: found.offers.map(one => ({ ...one, ...pool })) };
    };
    world.provider.launch = async intent => {
      if (intent.resources.reservation === undefined) return launch.call(world.provider, intent);
      world.provider.intents.push(intent);
      throw new MusterError("no_capacity", "the reservation is full");
    };
    return world;
  }
  const ordered = [{ instanceType: "small", reservation: "cr-1" }, { instanceType: "small" }];

  test("and are all taken leave those for everybody", async () => {
    const world = reserved();
    const id = await made(world, { resources: { ordered } });
    expect(asked(world)).toEqual(ordered);
    expect(await stateOf(world, id)).toBe("booting");
  });

  test("keep nobody else from those that are not", async () => {
    const world = reserved();
    await made(world, { resources: { ordered } });
    await made(world, { name: "other", resources: { instanceType: "small" } });
    await made(world, { name: "third", resources: { ordered } });
    // The reservation was full a moment ago; its machines are not asked for again.
    expect(asked(world).slice(2)).toEqual([{ instanceType: "small" }, { instanceType: "small" }]);
  });
});

test("a plan with many choices shows no more offers than one without, so that its answer is of a size that can be sent", async () => {
  const world = testWorld();
  const [small] = world.provider.offered;
  if (small === undefined) throw new Error("the provider offers too little");
  world.provider.offers = async ({ diskSize }: Resources) => ({
    offers: Array.from({ length: 200 }, (_, zone) => ({ ...small, zone: `${diskSize} ${zone}` })),
  });
  const ordered = Array.from({ length: 20 }, (_, index) => ({ diskSize: index + 1 }));
  const of = (more: object) => Create.plan(world, ADA, Launch.Create.parse({ task: { run: "true", ...more } }));
  const alone = await of({ resources: { diskSize: 9 } });
  const plan = await of({ resources: { ordered } });
  expect([alone.offers.length, plan.offers.length, plan.groups[0]?.offers.length]).toEqual([200, 200, 200]);
});

test("where none of the choices here will do, it is said of the others why they do not count", async () => {
  const ordered = [{ provider: "gcp" }, { instanceType: "huge" }];
  await expect(made(testWorld(), { resources: { ordered } })).rejects.toMatchObject({
    code: "no_offer",
    message:
      "none of the choices is to be had: resources.ordered.1: there is no huge; " +
      "resources.ordered.0 is left out: this control plane has no provider 'gcp'",
  });
});

describe("a cluster of one of several choices", () => {
  test("grows by the same machines where no more is said than where", async () => {
    const world = testWorld();
    const id = await made(world, { resources: { ordered: [{ instanceType: "large", diskSize: 7 }] } });
    await enrollGroups(world);
    await CreateCluster.create(world, ADA, clusterRequest({ nodes: 2, resources: { provider: "fake" } }));
    await reconcile(world, ref(id));
    expect(asked(world)[1]).toEqual({ instanceType: "large", diskSize: 7 });
  });

  test("stays with it when it moves, for its disks are made for that; in each of its groups", async () => {
    const world = testWorld();
    const copies = movable(world.provider);
    world.provider.full.add("small");
    const either = { ordered: [{ instanceType: "small" }, { instanceType: "large", diskSize: 7 }] };
    const groups = ["head", "workers"].map(name => ({ name, resources: either }));
    const id = await made(world, { groups, idle: "never" });
    await enrollGroups(world);
    await Change.stop(world, ADA, "demo");
    await reconcile(world, ref(id));
    // By now there are machines of the first choice, and nobody remembers that there were none.
    world.provider.full.clear();
    world.clock.pass(6 * MINUTE);
    const before = world.provider.intents.length;
    await Change.start(world, ADA, "demo", { move: true });
    await reconcile(world, ref(id));
    copies.end("complete");
    world.provider.obeys = false;
    await passing(world, 1);
    const { launch, ...record } = Object(await load(world.table, Cluster.noun, Keys.cluster("acme", id)));
    expect([record.state, record.snapshotOf]).toEqual(["moving", 1]);
    // What is asked for has no choices any more, and an index would point at nothing.
    expect(JSON.stringify(launch)).not.toContain("choice");
    world.provider.obeys = true;
    await passing(world, 2);
    const large = { instanceType: "large", diskSize: 7 };
    expect(asked(world).slice(before)).toEqual([large, large]);
    await enrollGroups(world);
    expect(await stateOf(world, id)).toBe("ready");
    // It can grow and move again: what the record says of its machines fits what was asked for.
    await CreateCluster.create(
      world,
      ADA,
      clusterRequest({
        nodes: undefined,
        resources: undefined,
        groups: [{ name: "workers", nodes: 2, resources: {}, schedulable: true }],
      }),
    );
    await reconcile(world, ref(id));
    expect(asked(world).at(-1)).toEqual(large);
    expect(await load(world.table, Cluster.noun, Keys.cluster("acme", id))).toMatchObject({ state: "booting" });
  });
});
