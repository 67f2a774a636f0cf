/** Clusters that grow: what is asked for, and what is shown of them. */
import * as Create from "@muster/core/cluster/create.ts";
import * as Read from "@muster/core/cluster/read.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { enrollAll } from "./host.ts";
import { ref } from "./requests.ts";
import { ADA, type TestWorld } from "./world.ts";

export const HEAD = { name: "head", nodes: 1, resources: { instanceType: "small" }, schedulable: false };
export const workers = (nodes: number, instanceType = "large") => ({
  name: "workers",
  nodes,
  resources: { instanceType },
  schedulable: true,
});
export const request = (...groups: Parameters<typeof Create.create>[2]["groups"] & object) => ({
  name: "demo",
  groups,
  idle: "never" as const,
  shared: false,
});

/** Ada's cluster with a head and two workers, ready. */
export async function flambe(world: TestWorld) {
  const { id } = await Create.create(world, ADA, request(HEAD, workers(2)));
  await reconcile(world, ref(id));
  for (const intent of world.provider.intents) await enrollAll(world, undefined, intent);
  return id;
}

export const shown = async (world: TestWorld, id: string) => {
  const { state, nodes, groups } = await Read.get(world, ADA, id);
  return [state, nodes, groups.map(group => `${group.name} ${group.nodes}`)];
};
