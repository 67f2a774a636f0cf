/** Targets, and what requests mean with them: by the real verbs, on SQLite in memory and a provider of ours called `fake`. */
import { doorOf } from "@muster/api/door.ts";
import { routes } from "@muster/api/routes.ts";
import { dispatcher } from "@muster/api/serve.ts";
import type { Role } from "@muster/core/actor/actor.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import * as Create from "@muster/core/cluster/create.ts";
import * as Jobs from "@muster/core/job/read.ts";
import { taskOf } from "@muster/core/job/submit.ts";
import { create as launch, plan } from "@muster/core/launch/create.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import { get, list } from "@muster/core/target/read.ts";
import { remove } from "@muster/core/target/remove.ts";
import { resolve, type Wish } from "@muster/core/target/resolve.ts";
import { set } from "@muster/core/target/set.ts";
import * as Target from "@muster/core/target/target.ts";
import { grant } from "@muster/core/token/create.ts";
import { describe, expect, test } from "vitest";
import { admin } from "../../functions/served/admin.ts";
import { eventOf } from "../api/support.ts";
import { code } from "../support/requests.ts";
import { ADA, BEN, EVE, type TestWorld, testWorld } from "../support/world.ts";

const change = (more: object = {}) => Target.Change.parse({ provider: "fake", ...more });

async function having(targets: Readonly<Record<string, object>>): Promise<TestWorld> {
  const world = testWorld();
  for (const [name, more] of Object.entries(targets)) await set(world, ADA, name, change(more));
  return world;
}

const resources = async (world: TestWorld, request: Wish) => {
  const { request: meant, notices } = await resolve(world, ADA, request);
  return { resources: meant.resources, notices };
};

const body = (more: object) => Launch.Create.parse({ task: { run: "true" }, ...more });

describe("a target", () => {
  test("is set, set anew, shown, listed by name whatever its letters' case, and removed", async () => {
    const world = testWorld();
    const at = world.clock.now();
    await set(world, ADA, "Lab", change({ resources: { instanceType: "large" }, nodes: 2, idle: "never" }));
    await set(world, ADA, "art", change());
    world.clock.pass(5);
    const changed = await set(world, BEN, "lab", change({ resources: { spot: true } }));
    expect(changed).toEqual({
      name: "lab",
      provider: "fake",
      resources: { spot: true },
      owner: ADA.id,
      createdAt: at,
      changedBy: BEN.id,
      changedAt: at + 5,
    });
    expect(await get(world, ADA, "LAB")).toEqual(changed);
    expect((await list(world, ADA, { limit: 10 })).items.map(({ name }) => name)).toEqual(["art", "lab"]);
    expect((await list(world, EVE, { limit: 10 })).items).toEqual([]);
    expect(await code(remove(world, EVE, "lab"))).toBe("not_found");
    await remove(world, ADA, "lab");
    await expect(get(world, ADA, "arts")).rejects.toMatchObject({
      code: "not_found",
      details: { issues: [{ suggestion: "did you mean art?" }], hint: "see what there is with: muster targets list" },
    });
    const events = world.changes.flatMap(one => ("item" in one && one.item.type === "event" ? [one.item.data] : []));
    expect(events.map(({ kind, subject, actor }) => [kind, subject, actor])).toEqual([
      ["target.set", "Lab", ADA.id],
      ["target.set", "art", ADA.id],
      ["target.set", "lab", BEN.id],
      ["target.removed", "lab", ADA.id],
    ]);
  });

  test("is of a provider that there is, and of one kind of machine", async () => {
    expect(await code(set(testWorld(), ADA, "x", change({ provider: "moon" })))).toBe("unsupported");
    const amiss = (more: object) =>
      Target.Change.safeParse({ provider: "fake", ...more }).error?.issues.map(({ path }) => path.join("."));
    expect(amiss({ resources: { provider: "moon" } })).toEqual(["resources.provider"]);
    expect(amiss({ resources: { anyOf: [{ spot: true }] } })).toEqual(["resources.anyOf"]);
    expect(amiss({ resources: { ordered: [{ spot: true }] } })).toEqual(["resources.ordered"]);
    const labels = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`k${index}`, "v".repeat(200)]));
    expect(amiss({ resources: { labels } })).toEqual(["resources.labels"]);
    expect(amiss({ resources: { provider: "fake", spot: true } })).toBeUndefined();
  });

  test("is set by members and seen by viewers, over the API", async () => {
    const world = testWorld();
    const dispatch = dispatcher(doorOf(world), routes, admin(world));
    const call = async (role: Role, method: string, send?: object) => {
      const { token } = await grant(world, { workspace: "acme", actor: role, role });
      const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
      const given = { headers, pathParameters: { name: "lab" }, ...(send && { body: JSON.stringify(send) }) };
      return (await dispatch(eventOf(`${method} /v1/targets/{name}`, given))).statusCode;
    };
    expect(await call("ci", "PUT", { provider: "fake" })).toBe(403);
    expect(await call("member", "PUT", { provider: "fake", region: "x" })).toBe(400);
    expect(await call("member", "PUT", { provider: "fake" })).toBe(200);
    expect([await call("viewer", "GET"), await call("viewer", "DELETE"), await call("admin", "DELETE")]).toEqual([
      200, 403, 200,
    ]);
  });
});

describe("a request that names a target", () => {
  const LAB = { resources: { instanceType: "large", region: "r1", zone: "r1a", spot: true, diskSize: 50 } };

  test("has its provider, and of its options those that the task leaves open", async () => {
    const world = await having({ lab: LAB });
    const on = (said: object) => resources(world, { target: "lab", resources: said });
    expect(await on({})).toEqual({
      resources: { provider: "fake", ...LAB.resources },
      notices: ["target lab: provider fake"],
    });
    expect((await on({ diskSize: 9, spot: false })).resources).toEqual({
      ...LAB.resources,
      provider: "fake",
      diskSize: 9,
      spot: false,
    });
    // What is said together is meant together: a zone of another region, or a type that has less, was not asked for.
    expect((await on({ region: "r2" })).resources).not.toHaveProperty("zone");
    expect((await on({ accelerators: { A100: 8 } })).resources).not.toHaveProperty("instanceType");
    const shaped = await having({ lab: { resources: { cpus: { count: 4, atLeast: true } } } });
    expect((await resources(shaped, { target: "lab", resources: { instanceType: "small" } })).resources).toEqual({
      provider: "fake",
      instanceType: "small",
    });
  });

  test("is not in another cloud's region, nor on its machines, and is told so", async () => {
    const world = await having({ lab: LAB });
    const said = {
      provider: "gcp",
      region: "us-central1",
      instanceType: "a2-highgpu-8g",
      image: "projects/x",
      accelerators: { A100: 8 },
      labels: { a: "b" },
    };
    expect(await resources(world, { target: "lab", resources: said })).toEqual({
      resources: {
        provider: "fake",
        accelerators: { A100: 8 },
        labels: { a: "b" },
        region: "r1",
        zone: "r1a",
        spot: true,
        diskSize: 50,
      },
      notices: [
        "target lab: provider fake in place of cloud gcp; left out, as it is that cloud's: region us-central1, instance_type a2-highgpu-8g, image_id projects/x",
      ],
    });
    const container = await resources(world, { target: "lab", resources: { provider: "gcp", image: "docker:a/b" } });
    expect(container.resources?.image).toBe("docker:a/b");
    // The cloud that the file names is the target's own: then its region stands.
    const own = await resources(world, { target: "lab", resources: { provider: "fake", region: "r9" } });
    expect(own).toMatchObject({ resources: { region: "r9" }, notices: ["target lab: provider fake"] });
  });

  test("moves each of several choices, and each of its groups", async () => {
    const world = await having({ lab: { resources: { diskSize: 50 } } });
    const anyOf = [
      { provider: "gcp", region: "us-central1", spot: true },
      { provider: "fake", region: "r1" },
      { zone: "z" },
    ];
    expect((await resources(world, { target: "lab", resources: { provider: "gcp", anyOf } })).resources).toEqual({
      provider: "fake",
      anyOf: [{ diskSize: 50, spot: true }, { diskSize: 50, region: "r1" }, { diskSize: 50 }],
    });
    const group = { nodes: 1, schedulable: true };
    const groups = [
      { ...group, name: "a", resources: { diskSize: 9 } },
      { ...group, name: "b", resources: {} },
    ];
    const { request } = await resolve(world, ADA, { target: "lab", groups });
    expect(request.groups?.map(one => one.resources)).toEqual([
      { provider: "fake", diskSize: 9 },
      { provider: "fake", diskSize: 50 },
    ]);
  });

  test("makes the cluster and the job of it; as many hosts as it says, for a task that is for one", async () => {
    const world = await having({ lab: { resources: { instanceType: "large" }, nodes: 3, idle: "never" } });
    const shown = await plan(world, ADA, body({ target: "lab", cluster: "demo" }));
    expect(shown).toMatchObject({ provider: "fake", nodes: 3, idle: "never", offers: [{ instanceType: "large" }] });
    expect(shown.notices).toEqual(["target lab: provider fake", "target lab: 3 hosts, as the task is for one"]);
    const { cluster, job } = await launch(world, ADA, body({ target: "lab", cluster: "demo" }));
    expect([cluster.nodes, job?.nodes, cluster.idle]).toEqual([3, 3, "never"]);
    const stored = await taskOf(world.table, await Jobs.find(world, ADA, job?.id ?? ""));
    expect([stored.nodes, stored.resources]).toEqual([3, { provider: "fake", instanceType: "large" }]);
    // Said again, it is the same cluster; and who says how many, and for how long, has said it.
    expect(await launch(world, ADA, body({ target: "lab", cluster: "demo" }))).toMatchObject({ reused: true });
    const two = body({ task: { run: "true", nodes: 2 }, target: "lab", idle: { after: 9, action: "terminate" } });
    expect((await launch(world, ADA, two)).cluster).toMatchObject({ nodes: 2, idle: { after: 9 } });
    const made = await Create.create(world, ADA, Cluster.Create.parse({ name: "up", target: "lab" }));
    expect(made).toMatchObject({ nodes: 3, idle: "never" });
  });

  test("that is not there is refused with the nearest name, wherever it is named", async () => {
    const world = await having({ lab: {} });
    const refused = { code: "not_found", details: { issues: [{ path: "target", suggestion: "did you mean lab?" }] } };
    await expect(plan(world, ADA, body({ target: "lap" }))).rejects.toMatchObject(refused);
    await expect(launch(world, ADA, body({ target: "lap" }))).rejects.toMatchObject(refused);
    await expect(Create.create(world, ADA, Cluster.Create.parse({ target: "lap" }))).rejects.toMatchObject(refused);
    await expect(plan(world, EVE, body({ target: "lab" }))).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a cloud that this control plane has no provider for", () => {
  const GCP = { gcp: { resources: { instanceType: "large" } } };

  test("is a target of its name, where there is one, and the plan says so", async () => {
    const world = await having(GCP);
    const task = { run: "true", resources: { provider: "gcp", region: "us-central1", instanceType: "n2" } };
    const shown = await plan(world, ADA, body({ task }));
    expect(shown).toMatchObject({ provider: "fake", offers: [{ instanceType: "large" }] });
    expect(shown.notices).toEqual([
      "cloud gcp → target gcp: provider fake; left out, as it is that cloud's: region us-central1, instance_type n2",
    ]);
    const { cluster, job } = await launch(world, ADA, body({ task, cluster: "demo" }));
    expect([cluster.provider, job?.state]).toEqual(["fake", "queued"]);
    const upper = await resources(world, { resources: { provider: "GCP" } });
    expect(upper.resources).toEqual({ provider: "fake", instanceType: "large" });
  });

  test("is refused without one, and one of a provider's own name stands in for nothing", async () => {
    const world = await having({ fake: { resources: { instanceType: "large" } }, aws: {} });
    const said = body({ task: { run: "true", resources: { provider: "gcp" } } });
    await expect(launch(world, ADA, said)).rejects.toMatchObject({
      code: "unsupported",
      details: { hint: expect.stringMatching(/--resources\.cloud fake.*muster targets set gcp --provider fake/) },
    });
    // Also where a cluster is there, which is on another provider than that.
    await launch(world, ADA, body({ cluster: "demo" }));
    for (const run of [launch, plan])
      expect(await code(run(world, ADA, { ...said, cluster: "demo" }))).toBe("unsupported");
    expect(await resources(world, { resources: { provider: "fake" } })).toEqual({
      resources: { provider: "fake" },
      notices: [],
    });
    // Whoever names no cloud that is unknown costs no look at the targets.
    const untouched = { ...world, table: { ...world.table, get: () => Promise.reject(new Error("looked")) } };
    await resolve(untouched, ADA, { resources: { provider: "fake", anyOf: [{ spot: true }] } });
  });

  test("of one choice among several is that choice's alone", async () => {
    const world = await having(GCP);
    const anyOf = [{ provider: "gcp", zone: "z" }, { provider: "fake", zone: "mine" }, { provider: "azure" }];
    expect(await resources(world, { resources: { diskSize: 5, anyOf } })).toEqual({
      resources: {
        diskSize: 5,
        anyOf: [{ provider: "fake", instanceType: "large" }, { provider: "fake", zone: "mine" }, { provider: "azure" }],
      },
      notices: ["cloud gcp → target gcp: provider fake; left out, as it is that cloud's: zone z"],
    });
  });

  test("of one of its groups is meant for all of them", async () => {
    const world = await having(GCP);
    const groups = [
      { name: "head", resources: { region: "us-central1" } },
      { name: "workers", resources: { provider: "gcp", instanceType: "small" } },
    ];
    const { cluster } = await launch(world, ADA, body({ task: { run: "true" }, groups }));
    expect(cluster.groups).toMatchObject([{ name: "head" }, { name: "workers" }]);
    const { request } = await resolve(world, ADA, Cluster.Create.parse({ groups }));
    expect(request.groups?.map(one => one.resources)).toEqual([
      { provider: "fake", instanceType: "large" },
      { provider: "fake", instanceType: "large" },
    ]);
  });
});
