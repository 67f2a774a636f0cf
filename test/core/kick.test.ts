/** Whom a kick reaches; through the real verbs and reconcilers, on a provider of ours that notes what it is asked. */
import { answer } from "@muster/core/doorbell.ts";
import { kick } from "@muster/core/host/kick.ts";
import { reconcile } from "@muster/core/job/reconcile/reconcile.ts";
import { submit } from "@muster/core/job/submit.ts";
import { expect, test } from "vitest";
import { jobRequest, readyCluster, ref, stoppedCluster } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

const machines = (world: ReturnType<typeof testWorld>) => [...world.provider.machines.values()];

test("the hosts of a job are kicked in one call, each by its machine's name", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world, { nodes: 3 });
  const job = await submit(world, ADA, "demo", jobRequest({ nodes: 2 }));
  await answer(world, { do: "reconcile", ref: ref(id) });
  await reconcile(world, { workspace: "acme", jobId: job.id });
  const [first, second] = machines(world).map(({ hostId, machineId }) => ({ hostId, machineId }));
  expect(world.provider.kicks).toEqual([[first, second]]);
});

test("who follows a log has its hosts kicked by their machines' names", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world, { nodes: 2 });
  await answer(world, { do: "kick", ref: ref(id), ranks: [1] });
  expect(world.provider.kicks).toEqual([[{ hostId: machines(world)[1]?.hostId, machineId: `${id}-1-1-1` }]]);
});

test("a cluster without slots is kicked by its hosts' names alone, and nobody means nobody", async () => {
  const world = testWorld();
  const { id } = await stoppedCluster(world);
  world.provider.kicks.length = 0;
  await kick(world, ref(id), []);
  await kick(world, ref(id), [0]);
  expect(world.provider.kicks).toEqual([[{ hostId: machines(world)[0]?.hostId, machineId: undefined }]]);
});

test("a kick that fails is no failure", async () => {
  const world = testWorld();
  const { id } = await readyCluster(world);
  world.provider.kick = async () => {
    throw new Error("nobody there");
  };
  await expect(kick(world, ref(id), [0])).resolves.toBeUndefined();
});
