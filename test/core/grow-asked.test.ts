/** Who may ask a cluster to grow, and for what. Ran against core on SQLite in memory, with a provider of ours with dials. */
import * as Change from "@muster/core/cluster/change.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import { Task } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";
import { flambe, request, shown, workers } from "../support/grown.ts";
import { enrollAll } from "../support/host.ts";
import { clusterRequest, code, launchRequest, passing, readyCluster, ref } from "../support/requests.ts";
import { ADA, BEN, testWorld } from "../support/world.ts";

test("only a ready cluster grows, by those who may manage it, and by machines like its own", async () => {
  const world = testWorld();
  await readyCluster(world, { idle: "never", shared: true });
  const more = (actor: typeof ADA | typeof BEN, asked = {}) =>
    code(Create.create(world, actor, clusterRequest({ nodes: 2, ...asked })));
  expect(await more(BEN)).toBe("forbidden");
  expect(await more(ADA, { resources: { cpus: { count: 64, atLeast: true } } })).toBe("conflict");
  await Change.stop(world, ADA, "demo");
  expect(await more(ADA)).toBe("conflict");
  expect(await more(ADA, { nodes: 1 })).toBe("nothing");
});

test("where there are several kinds of hosts, nobody guesses which are meant", async () => {
  const world = testWorld();
  await Create.create(world, ADA, request(workers(1), { ...workers(1, "small"), name: "more" }));
  await passing(world, 1);
  for (const intent of world.provider.intents) await enrollAll(world, undefined, intent);
  await expect(Create.create(world, ADA, clusterRequest({ nodes: 3 }))).rejects.toMatchObject({
    code: "conflict",
    message: "cluster 'demo' has several groups: workers, more",
  });
});

test("a launch does not let a cluster grow by itself: it says how", async () => {
  const world = testWorld();
  await readyCluster(world, { idle: "never" });
  const wide = { ...launchRequest, task: Task.parse({ run: "true", nodes: 2 }) };
  await expect(launch(world, ADA, wide)).rejects.toMatchObject({
    code: "conflict",
    details: { hint: expect.stringContaining("muster up") },
  });
});

test("a new group may join", async () => {
  const world = testWorld();
  const id = await flambe(world);
  await Create.create(world, ADA, request({ ...workers(1, "small"), name: "more" }));
  await reconcile(world, ref(id));
  await enrollAll(world);
  expect(await shown(world, id)).toEqual(["ready", 4, ["head 1", "workers 2", "more 1"]]);
});
