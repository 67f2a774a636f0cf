/** Requests that any of several machines meets: verbs, plans and reconcilers of core, on a provider of ours with dials. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as CreateCluster from "@muster/core/cluster/create.ts";
import { requireFit } from "@muster/core/cluster/fit.ts";
import { get } from "@muster/core/cluster/read.ts";
import { offersOf } from "@muster/core/cluster/reconcile/plan.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Keys from "@muster/core/keys.ts";
import * as Create from "@muster/core/launch/create.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import type { Offer } from "@muster/core/ports/provider.ts";
import { load } from "@muster/core/record.ts";
import type { Resources } from "@muster/core/task/resources.ts";
import { describe, expect, test } from "vitest";
import { enrollGroups } from "../support/groups.ts";
import { clusterRequest, MINUTE, passing, ref } from "../support/requests.ts";
import { ADA, FakeProvider, type TestWorld, testWorld } from "../support/world.ts";

const launching = (resources: Resources, more: object = {}) =>
  Launch.Create.parse({ task: { run: "true", resources }, cluster: "demo", ...more });
const planOf = (world: TestWorld, resources: Resources) => Create.plan(world, ADA, launching(resources));

/** A world whose provider has spot machines at a tenth of the price, and knows what it was asked for. */
function shop(): TestWorld {
  const world = testWorld();
  const { offers } = world.provider;
  world.provider.offers = async (asked: Resources) => {
    const found = await offers(asked);
    const market = asked.spot ? "spot" : "on_demand";
    return { ...found, offers: found.offers.map(one => ({ ...one, market, hourly: asked.spot ? 0.01 : one.hourly })) };
  };
  return world;
}

async function made(world: TestWorld, resources: Resources, more = {}): Promise<string> {
  const { id } = await CreateCluster.create(world, ADA, clusterRequest({ resources, ...more }));
  await reconcile(world, ref(id));
  return id;
}
async function ready(world: TestWorld, resources: Resources, more = {}): Promise<string> {
  const id = await made(world, resources, more);
  await enrollGroups(world);
  return id;
}
const recordOf = async (world: TestWorld, id: string) => {
  const record = await load(world.table, Cluster.noun, Keys.cluster("acme", id));
  if (record === undefined) throw new Error("it is not there");
  return record;
};
/** What was asked for in each call. */
const asked = (world: TestWorld) => world.provider.intents.map(intent => intent.resources);

/** A second provider, whose machines cost nothing. */
function withMoon(world: TestWorld): FakeProvider {
  const moon = new FakeProvider();
  moon.offers = async () => ({ offers: moon.offered.map(one => ({ ...one, provider: "moon", hourly: 0 })) });
  (world.providers as Map<string, FakeProvider>).set("moon", Object.assign(moon, { name: "moon" }));
  return moon;
}

describe("what a choice decides", () => {
  test("is what its machines are asked for, and a launch that moves on crosses over to another", async () => {
    const world = testWorld();
    world.provider.full.add("small");
    const resources: Resources = {
      image: "ami-all",
      diskSize: 100,
      ordered: [
        { instanceType: "small", images: { mars: "ami-mars" }, labels: { a: "1" } },
        { instanceType: "large", diskSize: 200 },
      ],
    };
    const id = await made(world, resources);
    expect(asked(world)).toEqual([
      { instanceType: "small", diskSize: 100, labels: { a: "1" } },
      { instanceType: "large", diskSize: 200, image: "ami-all" },
    ]);
    expect(await recordOf(world, id)).toMatchObject({ state: "booting", launch: { try: 2, offer: { choice: 1 } } });
  });

  test("is the image of the region that the offer is in", async () => {
    const world = testWorld();
    const [small] = world.provider.offered;
    world.provider.offered.splice(0, 2, { ...(small as Offer), region: "mars" });
    await made(world, { images: { Mars: "ami-mars", venus: "ami-venus" } });
    expect(asked(world)).toEqual([{ image: "ami-mars" }]);
  });

  test("of any_of is the cheapest, of ordered the first", async () => {
    const world = shop();
    const both = [{ instanceType: "large" }, { instanceType: "small", spot: true }];
    const order = async (resources: Resources) =>
      (await planOf(world, resources)).offers.map(({ instanceType, choice }) => [instanceType, choice]);
    const spot = ["small", 1];
    expect(await order({ anyOf: both })).toEqual([spot, ["large", 0]]);
    expect(await order({ ordered: both })).toEqual([["large", 0], spot]);
  });

  test("holds for each group by itself, and outlives the calls of the next", async () => {
    const world = shop();
    const groups = [
      { name: "a", resources: { ordered: [{ instanceType: "large", diskSize: 1 }, { instanceType: "small" }] } },
      {
        name: "b",
        resources: {
          anyOf: [
            { instanceType: "large", diskSize: 2 },
            { instanceType: "small", spot: true },
          ],
        },
      },
    ];
    const { id } = await CreateCluster.create(world, ADA, Cluster.Create.parse({ name: "demo", groups }));
    await reconcile(world, ref(id));
    expect(asked(world)).toEqual([
      { instanceType: "large", diskSize: 1 },
      { instanceType: "small", spot: true },
    ]);
    expect(await recordOf(world, id)).toMatchObject({
      spot: true,
      launch: { made: [{ choice: 0 }], offer: { choice: 1 } },
    });
  });

  test("each of them has its turn, however many machines the first has", async () => {
    const world = testWorld();
    const [small] = world.provider.offered;
    if (small === undefined) throw new Error("the provider offers too little");
    const many = Array.from({ length: 30 }, (_, zone) => ({ ...small, zone: `z${zone}` }));
    world.provider.offered.splice(0, 1, ...many);
    world.provider.full.add("small");
    const id = await made(world, { ordered: [{ instanceType: "small" }, { instanceType: "large" }] });
    await passing(world, 1);
    expect(await recordOf(world, id)).toMatchObject({ state: "booting", launch: { try: 21, offer: { choice: 1 } } });
  });
});

describe("spot machines among the choices", () => {
  const either: Resources = { ordered: [{ spot: true, instanceType: "small" }, { instanceType: "large" }] };

  test("may come of it, so that nothing is promised that they cannot do", async () => {
    const world = shop();
    expect((await planOf(world, either)).idle).toMatchObject({ action: "terminate" });
    const stop = { after: 5, action: "stop" } as const;
    const create = CreateCluster.create(world, ADA, clusterRequest({ resources: either, idle: stop }));
    await expect(create).rejects.toMatchObject({ code: "unsupported", message: "spot machines cannot be stopped" });
  });

  test("are not to be stopped once they are taken", async () => {
    const world = shop();
    await ready(world, either);
    await expect(Change.stop(world, ADA, "demo")).rejects.toMatchObject({ code: "unsupported" });
  });

  test("that were not taken keep nobody from stopping the others; no later launch takes them", async () => {
    const world = shop();
    world.provider.full.add("small");
    const id = await ready(world, either);
    expect(await recordOf(world, id)).not.toHaveProperty("spot", true);
    await Change.autostop(world, ADA, "demo", { after: 5, action: "stop" });
    world.provider.full.clear();
    await Change.stop(world, ADA, "demo");
    await passing(world, 1);
    expect((await get(world, ADA, id)).state).toBe("stopped");
    await Change.start(world, ADA, "demo");
    await passing(world, 1, () => enrollGroups(world));
    expect((await offersOf(world, await recordOf(world, id), 0)).offers.map(offer => offer.choice)).toEqual([1]);
  });

  test("grow by what was taken, where nobody says anything else", async () => {
    const world = shop();
    world.provider.full.add("small");
    const id = await ready(world, either);
    world.provider.full.clear();
    // By now nobody remembers that there were none.
    world.clock.pass(6 * MINUTE);
    await CreateCluster.create(world, ADA, clusterRequest({ nodes: 2, resources: {} }));
    await reconcile(world, ref(id));
    expect(asked(world).at(-1)).toEqual({ instanceType: "large" });
    expect(world.provider.intents.at(-1)).toMatchObject({ hosts: [{ rank: 1 }] });
  });
});

describe("providers of choices", () => {
  const some: Resources["anyOf"] = [
    { provider: "moon", instanceType: "large" },
    { provider: "gcp", instanceType: "large" },
    { provider: "fake", instanceType: "small" },
    { instanceType: "large" },
  ];

  test("that are not here are left out, and the plan says so", async () => {
    const plan = await planOf(testWorld(), { ordered: some });
    expect([plan.provider, plan.offers.map(offer => offer.choice)]).toEqual(["fake", [2, 3]]);
    expect(plan.notices).toEqual([
      "resources.ordered.0 is left out: this control plane has no provider 'moon'",
      "resources.ordered.1 is left out: this control plane has no provider 'gcp'",
    ]);
  });

  test("of ordered the first that is here counts, of any_of the default", async () => {
    const world = testWorld();
    withMoon(world);
    const first = await planOf(world, { ordered: some });
    expect([first.provider, first.offers.map(offer => offer.choice)]).toEqual(["moon", [0, 0]]);
    expect(first.notices).toEqual([
      "resources.ordered.1 is left out: this control plane has no provider 'gcp'",
      "resources.ordered.2 is left out: all machines of a cluster are on one provider, here 'moon'",
    ]);
    const usual = await planOf(world, { anyOf: some });
    expect([usual.provider, usual.notices[0]]).toEqual([
      "fake",
      "resources.any_of.0 is left out: all machines of a cluster are on one provider, here 'fake'",
    ]);
    expect((await planOf(world, { anyOf: some.slice(0, 2) })).provider).toBe("moon");
    const base = { provider: "moon", anyOf: [{ instanceType: "small" }, { instanceType: "large" }] };
    expect(await planOf(world, base)).toMatchObject({ provider: "moon", notices: [] });
  });

  test("without one that is here nothing is made, and it is said what to type", async () => {
    const resources = { anyOf: some.slice(0, 2) };
    await expect(planOf(testWorld(), resources)).rejects.toMatchObject({
      code: "unsupported",
      message: "this control plane has no provider 'moon'; it has: fake",
      details: {
        issues: [{ path: "resources.any_of.0.cloud", message: "no provider 'moon' here" }],
        hint: "run it here with: --resources.any_of.0.cloud fake; or, for every file that says it: muster targets set moon --provider fake",
      },
    });
    await expect(planOf(testWorld(), { provider: "gcp", anyOf: [{ spot: true }] })).rejects.toMatchObject({
      details: { issues: [{ path: "resources.cloud" }] },
    });
  });

  test("of several groups is one on which all can be", async () => {
    const world = testWorld();
    withMoon(world);
    const of = (...groups: Resources[]) =>
      Create.plan(
        world,
        ADA,
        Launch.Create.parse({
          task: { run: "true" },
          groups: groups.map((resources, index) => ({ name: `g${index}`, resources })),
        }),
      );
    const either = { ordered: [{ provider: "fake" }, { provider: "moon" }] };
    expect((await of({ provider: "moon" }, either)).provider).toBe("moon");
    const plan = await of(either, { anyOf: [{ provider: "moon" }] });
    expect([plan.provider, plan.notices]).toEqual([
      "moon",
      ["group 'g0': resources.ordered.0 is left out: all machines of a cluster are on one provider, here 'moon'"],
    ]);
    await expect(of({ anyOf: [{ provider: "fake" }] }, { anyOf: [{ provider: "moon" }] })).rejects.toMatchObject({
      code: "unsupported",
      message: "all groups of a cluster are on one provider, and these have none in common",
    });
  });
});

describe("a cluster that is there", () => {
  test("fits when any of the choices does, and else not", async () => {
    const world = testWorld();
    const id = await ready(world, { instanceType: "small" });
    const cluster = await recordOf(world, id);
    const fits = (resources: Resources) => () => requireFit(ADA, cluster, { resources });
    const tooMany = { cpus: { count: 8, atLeast: true } };
    expect(fits({ anyOf: [tooMany, { cpus: { count: 4, atLeast: true } }] })).not.toThrow();
    expect(fits({ anyOf: [tooMany, { accelerators: { A100: 8 } }] })).toThrow("has 4 CPUs per host; 8 were asked for");
    expect(fits({ ...tooMany, anyOf: [{ spot: true }] })).toThrow("has 4 CPUs per host; 8 were asked for");
    expect(fits({ anyOf: [tooMany, { provider: "fake" }] })).not.toThrow();
    expect(fits({ anyOf: [tooMany, { provider: "moon" }] })).toThrow("has 4 CPUs per host");
    expect(fits({ anyOf: [{ provider: "moon" }, { provider: "gcp" }] })).toThrow(
      "is on 'fake', not on 'moon' or 'gcp'",
    );
  });

  test("grows where it is, whatever else the choices name", async () => {
    const world = testWorld();
    withMoon(world);
    const id = await ready(world, { instanceType: "small" });
    const ordered = [{ provider: "moon" }, { instanceType: "large" }];
    const plan = await Create.plan(
      world,
      ADA,
      Launch.Create.parse({ task: { nodes: 2, resources: { ordered } }, cluster: "demo" }),
    );
    expect(plan.grows?.[0]?.offers).toMatchObject([{ provider: "fake", choice: 1 }]);
    expect(plan.notices).toEqual([
      "resources.ordered.0 is left out: all machines of a cluster are on one provider, here 'fake'",
    ]);
    await CreateCluster.create(world, ADA, clusterRequest({ nodes: 2, resources: { ordered } }));
    await reconcile(world, ref(id));
    expect(world.provider.intents.at(-1)).toMatchObject({ offer: { provider: "fake", choice: 1 } });
  });
});
