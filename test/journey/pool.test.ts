/** A pool of stopped hosts: client → local HTTP server → real agents → real processes. */
import { Task } from "@muster/core/task/task.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ended, type InProcess, logOf, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

let plane: InProcess;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

const params = { name: "warm" };
const stopped = (count: number) =>
  until(`${count} stopped members`, async () => {
    const pool = await plane.api.pools.get({ params });
    const resting = pool.members.filter(({ state, prepared }) => prepared && state === "stopped");
    return resting.length === count && pool.members.length === count ? pool : undefined;
  });

test("a launch takes a prepared host, the pool makes another, and its removal ends them all", async () => {
  const task = Task.parse({ setup: "echo prepared > ~/marker" });
  await plane.api.pools.set({ params, body: { size: 2, launch: { task } } });
  const { members } = await stopped(2);
  const run = Task.parse({ run: "cat ~/marker" });
  const launched = await plane.api.launches.create({ body: { task: run, pool: "warm", cluster: "mine" } });
  expect(launched).toMatchObject({ pool: { name: "warm", ready: true }, cluster: { name: "mine" } });
  expect(members.map(({ clusterId }) => clusterId)).toContain(launched.cluster.id);
  const job = launched.job ?? { id: "" };
  expect(await ended(plane, job)).toMatchObject({ state: "succeeded" });
  expect(await logOf(plane, job, { phase: "run" })).toBe("prepared\n");
  expect((await stopped(2)).made).toBe(3);
  await plane.api.pools.remove({ params });
  await until("the end of its members", async () => {
    const { items } = await plane.api.clusters.list({ query: {} });
    return items.map(({ name }) => name).join() === "mine" ? true : undefined;
  });
  expect(plane.errors).toEqual([]);
}, 120_000);
