/** Schedules that take from pools, and jobs for one group of hosts: the command line as a process, against a whole control plane. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type InProcess, openPlane } from "../../support/plane.ts";
import { Home } from "../support/muster.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let plane: InProcess;
let home: Home;
beforeAll(async () => {
  plane = await openPlane();
  home = new Home();
  await home.login(plane.url, plane.token, "--name", "prod");
});
afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await plane.close();
});

test("a schedule takes its clusters from a pool, and shows the last of what it did", async () => {
  const pool = { size: 0, launch: { task: { setup: "true" } } };
  await plane.api.pools.set({ params: { name: "warm" }, body: pool });
  const { code, out } = await home.run(
    "schedule",
    "set",
    "nightly",
    "--cron",
    "0 3 * * *",
    "--run",
    "true",
    "--pool",
    "warm",
  );
  expect([code, out]).toEqual([0, expect.stringContaining("Set nightly")]);
  const launched = await plane.api.schedules.run({ params: { name: "nightly" } });
  expect(launched.pool).toEqual({ name: "warm", ready: false });
  const shown = JSON.parse((await home.run("schedule", "show", "nightly", "--json")).out);
  expect(shown.events.map(({ kind }: { kind: string }) => kind)).toEqual(["schedule.set", "schedule.launched"]);
  const warm = JSON.parse((await home.run("pool", "show", "warm", "--json")).out);
  expect(warm.events.map(({ kind }: { kind: string }) => kind)).toEqual(["pool.set"]);
});

test("a job is for one group of the cluster's hosts, and is refused where there is none of that name", async () => {
  const groups = [{ name: "head" }, { name: "workers" }];
  await plane.api.launches.create({ body: { task: {}, cluster: "demo", groups } });
  const { code, out } = await home.run("launch", "-c", "demo", "--run", "true", "--group", "workers", "-d", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(out).job).toMatchObject({ group: "workers" });
  for (const command of ["launch", "run"]) {
    const refused = await home.run(command, "-c", "demo", "--run", "true", "--group", "worker", "--dry-run");
    expect([refused.code, refused.err]).toEqual([
      expect.any(Number),
      expect.stringContaining("did you mean 'workers'?"),
    ]);
    expect(refused.code).not.toBe(0);
  }
});
