/**
 * Journeys of jobs that are tried again: a client, the local HTTP server, real agents and real processes, all on this
 * machine. A host is lost by taking its folder and all its processes away; what a cloud would say of that, the test says.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { moved } from "@muster/core/host/heard.ts";
import { Task } from "@muster/core/task/task.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ended, type InProcess, inState, launch, machineOf, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

let plane: InProcess;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

const cluster = (name: string) => plane.api.clusters.get({ params: { cluster: name } });
const kinds = async (job: { id: string }) =>
  (await plane.api.jobs.events({ params: { job: job.id }, query: {} })).items.map(({ kind }) => kind);

/** The machine's disk is gone, and whatever ran from it. */
function lose(machine: string): void {
  const lost = join(plane.home, `lost-${basename(machine)}`);
  renameSync(machine, lost);
  spawnSync("pkill", ["-KILL", "-f", machine]);
}

test("a script that fails twice and then does not: one job, three tries, each with its number", async () => {
  const file = join(plane.home, "tries");
  const run = `echo $MUSTER_ATTEMPT >> ${file}; [ $(wc -l < ${file}) -ge 3 ]`;
  const job = await launch(plane, "again", { run, retry: { max: 3, on: ["exit_code"], backoff: 0 } });
  expect(await ended(plane, job)).toMatchObject({ state: "succeeded", attempts: 3, exitCode: 0 });
  expect(readFileSync(file, "utf8")).toBe("1\n2\n3\n");
  const tries = ["job.queued", "job.starting", "job.running", "job.recovering"];
  expect(await kinds(job)).toEqual([...tries, ...tries, ...tries.slice(0, 3), "job.succeeded"]);
  await plane.api.clusters.remove({ params: { cluster: "again" } });
  await until("the machine to go", () => readdirSync(join(plane.home, "machines")).length === 0);
});

test("a managed job whose host is lost ends with success on another, and takes that along", async () => {
  const gate = join(plane.home, "gate");
  const run = `echo "$MUSTER_ATTEMPT $(pwd)" >> ${gate}.begun; until [ -e ${gate}.open ]; do sleep 0.05; done; echo done`;
  const task = Task.parse({ run, retry: { max: 3, on: ["host_lost"], backoff: 0 } });
  const made = await plane.api.launches.create({ body: { task, managed: true } });
  const job = made.job ?? { id: "" };
  await inState(plane, job, "running");
  await until("its script", () => existsSync(`${gate}.begun`));
  const machine = machineOf(plane);
  lose(machine);
  expect(await moved(plane.plane.world, basename(machine))).toBe(true);
  await until("the second try", () => readFileSync(`${gate}.begun`, "utf8").split("\n").length > 2);
  expect(basename(machineOf(plane))).not.toBe(basename(machine));
  expect(await cluster(made.cluster.id)).toMatchObject({ state: "ready", generation: 2, managedBy: job.id });
  writeFileSync(`${gate}.open`, "");
  expect(await ended(plane, job)).toMatchObject({ state: "succeeded", attempts: 2, clusterId: made.cluster.id });
  await until("the cluster's end", async () => (await cluster(made.cluster.id)).state === "terminated");
  expect(readFileSync(`${gate}.begun`, "utf8")).toMatch(/^1 .*\n2 .*\n$/);
  expect(await kinds(job)).toContain("job.recovering");
});
