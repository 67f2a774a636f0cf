/** What is run before a cluster stops: the real control plane, with real agents and real processes. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { at } from "../../packages/agent/src/home.ts";
import { ended, type InProcess, launch, machineOf, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

let plane: InProcess;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

const stateOf = async (): Promise<string> => (await plane.api.clusters.get({ params: { cluster: "demo" } })).state;
const start = async (): Promise<void> => {
  await plane.api.clusters.start({ params: { cluster: "demo" } });
  await until("the start", async () => (await stateOf()) === "ready");
};

test("a stop runs the hook on its host first, tells how it ended, and does so each time; with `now` it does not", async () => {
  const run = 'echo "$MUSTER_CLUSTER_INFO" >>~/saved; exit 3';
  await plane.api.clusters.create({ body: { name: "demo", idle: { after: 600, action: "stop", hook: { run } } } });
  await ended(plane, await launch(plane, "demo", { run: "true" }));
  const saved = join(at(machineOf(plane)).jobs, "saved");
  const lines = (): number => (existsSync(saved) ? readFileSync(saved, "utf8").trimEnd().split("\n").length : 0);
  const stop = async (now: "true" | "false"): Promise<void> => {
    await plane.api.clusters.stop({ params: { cluster: "demo" }, query: { now } });
    await until("the stop", async () => (await stateOf()) === "stopped");
  };
  await stop("false");
  expect(readFileSync(saved, "utf8")).toContain('"cluster_name":"demo"');
  const { items } = await plane.api.clusters.events({ params: { cluster: "demo" } });
  expect(items.find(event => event.kind === "host.hook_failed")?.message).toBe("its hook exited with 3");
  await start();
  await stop("true");
  expect(lines()).toBe(1);
  await start();
  await stop("false");
  expect(lines()).toBe(2);
  expect(plane.errors).toEqual([]);
});
