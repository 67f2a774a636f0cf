/**
 * A Ray cluster over a job's hosts: real agents and real processes; in the place of Ray is a small program of our own, and the
 * control plane is a server of our own.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Assignment } from "@muster/core/agent/protocol.ts";
import { expect, test } from "vitest";
import { Record } from "../../packages/agent/src/attempt/record.ts";
import { boot } from "../../packages/agent/src/host/boot.ts";
import { clusterOf, gathered, leaveRay } from "../../packages/agent/src/ray/ray.ts";
import { bindable } from "../../packages/agent/src/service/ports.ts";
import { Bench, murder } from "./support/bench.ts";
import { FakeDocker } from "./support/fake-docker.ts";
import { fakeRay } from "./support/fake-ray.ts";
import { until } from "./support/until.ts";

async function job(hosts: number) {
  const port = (await bindable(0)) ?? 0;
  const env = {
    MASTER_ADDR: "127.0.0.1",
    MASTER_PORT: String(port + 10_000),
    MUSTER_NODE_IPS: Array.from({ length: hosts }, () => "127.0.0.1").join("\n"),
  };
  // Ray's folder is named after the job.
  return { id: `job_${port}`, port, env };
}

test.concurrent("run begins on the first host when all have come; the others end well when it is over", async () => {
  await using first = await Bench.open();
  await using second = await Bench.open();
  const { id, port, env } = await job(2);
  const run = "echo $RAY_ADDRESS; ray status --address=$RAY_ADDRESS | grep -c node_; touch ~/ran; exit 3";
  first.plane.assign(id, { ray: true, env, run });
  second.plane.assign(id, { ray: true, rank: 1, env, run });
  await first.agent({ PATH: fakeRay(first.home.root) });
  await until(
    "the head",
    () => first.plane.states(id).includes("preparing") && first.agentState(`${id}-1`).includes('"run"'),
  );
  expect(first.plane.states(id)).toEqual(["preparing"]);
  await second.agent({ PATH: fakeRay(second.home.root) });
  expect(await first.exit(id)).toMatchObject({ cause: "exited", exitCode: 3 });
  expect(await second.exit(id)).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(first.plane.log(id, "run")).toBe(`127.0.0.1:${port}\n2\n`);
  const head = first.plane.log(id, "ray");
  expect(head).toMatch(/^head of \/tmp\/muster-ray-[0-9a-f]{12}\n$/);
  expect(existsSync(head.slice("head of ".length).trim())).toBe(false);
  expect(second.plane.log(id, "run")).toBe("joined\n");
  expect([first.read("ran"), second.read("ran")]).toEqual(["", undefined]);
  expect([...first.processes(), ...second.processes()]).toEqual([]);
});

test.concurrent("of a job in a container Ray runs in there", async () => {
  await using bench = await Bench.open();
  const docker = new FakeDocker();
  const { id, port, env } = await job(1);
  const container = { image: "rayproject/ray", options: [] };
  const run = "echo $RAY_ADDRESS; ray status --address=$RAY_ADDRESS | grep -c node_";
  bench.plane.assign(id, { container, ray: true, env, run });
  bench.plane.assign(`${id}x`, {
    container,
    ray: true,
    env: { ...env, MUSTER_NODE_IPS: "127.0.0.1\n127.0.0.1" },
    rank: 1,
    run,
  });
  await bench.agent({
    ...docker.env,
    PATH: fakeRay(bench.home.root).replace(process.env.PATH ?? "", docker.env.PATH ?? process.env.PATH ?? ""),
  });
  // Two containers and two Rays, beside whatever else this machine does.
  expect(await bench.exit(id, 1, 60_000)).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(await bench.exit(`${id}x`, 1, 60_000)).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(bench.plane.log(id, "run")).toMatch(new RegExp(`^127.0.0.1:${port}\n[12]\n$`));
});

test.concurrent("a job that is cancelled while hosts are missing leaves nothing behind", async () => {
  await using bench = await Bench.open();
  const { id, env } = await job(3);
  bench.plane.assign(id, { ray: true, env, run: "touch ~/ran" });
  await bench.agent({ PATH: fakeRay(bench.home.root) });
  const counted = join(bench.home.attempts, `${id}-1`, "ray.sh.failed");
  await until("the first host to be counted", () => existsSync(counted));
  bench.plane.held = [{ jobId: id, fence: 1, cancel: "cancelled" }];
  await bench.kick();
  expect(await bench.exit(id)).toMatchObject({ cause: "cancelled" });
  expect([bench.processes(), bench.read("ran")]).toEqual([[], undefined]);
});

test.concurrent("what began before run is ended also by an agent that finds the job's time over", async () => {
  await using bench = await Bench.open();
  const { id, env } = await job(3);
  bench.plane.assign(id, { ray: true, env, timeout: 3_600, run: "touch ~/ran" });
  const first = await bench.agent({ PATH: fakeRay(bench.home.root) });
  const counted = join(bench.home.attempts, `${id}-1`, "ray.sh.failed");
  await until("the first host to be counted", () => existsSync(counted));
  await murder(first);
  // An hour passes while there is no agent.
  const state = JSON.parse(bench.agentState(`${id}-1`));
  const path = join(bench.home.attempts, `${id}-1`, "state.json");
  writeFileSync(path, JSON.stringify({ ...state, beganAt: state.beganAt - 3_600_000 }));
  expect(bench.processes()).not.toEqual([]);
  await bench.agent({ PATH: fakeRay(bench.home.root) });
  expect(await bench.exit(id)).toMatchObject({ cause: "timed_out" });
  expect(bench.processes()).toEqual([]);
});

test.concurrent.each(["an attempt that is taken away", "its machine"])("Ray's folder goes with %s", async what => {
  await using bench = await Bench.open();
  const { id, env } = await job(1);
  bench.plane.assign(id, { ray: true, env, run: "sleep 1000" });
  await bench.agent({ PATH: fakeRay(bench.home.root) });
  await until("run", () => bench.plane.states(id).includes("running"));
  const folder = clusterOf(bench.plane.assignments[0] as Assignment)?.part.args?.[3] ?? "";
  expect(existsSync(join(folder, "session"))).toBe(true);
  bench.plane.assignments = [];
  bench.plane.revoked = [{ jobId: id, fence: 1 }];
  if (what === "its machine") await bench.command("kill");
  else await bench.kick();
  await until("the folder to go", () => !existsSync(folder));
});

test("a host that is not the first leaves Ray's folder where it is another's head's", async () => {
  const { env, id } = await job(2);
  const assignment = {
    ray: true,
    rank: 1,
    env: env as Assignment["env"],
    jobId: id,
    fence: 1,
  } as unknown as Assignment;
  const folder = clusterOf({ ...assignment, rank: 0 })?.part.args?.[3] ?? "";
  mkdirSync(folder);
  writeFileSync(join(folder, "muster-head"), "");
  leaveRay({ assignment });
  expect(existsSync(folder)).toBe(true);
  rmSync(join(folder, "muster-head"));
  leaveRay({ assignment });
  expect(existsSync(folder)).toBe(false);
});

test.concurrent.each([0, 1])("without Ray on the host of rank %i the job says what to do", async rank => {
  await using bench = await Bench.open();
  const { id, env } = await job(2);
  bench.plane.assign(id, { ray: true, rank, env, run: "touch ~/ran" });
  await bench.agent({ PATH: "/usr/bin:/bin" });
  expect(await bench.exit(id)).toMatchObject({
    cause: "start_failed",
    message: "there is no command named ray: install it with packages: [pip:ray], or in setup",
  });
  expect(bench.read("ran")).toBeUndefined();
});

test.concurrent("a head that ends by itself is told of", async () => {
  await using bench = await Bench.open();
  const { id, port, env } = await job(2);
  const path = fakeRay(bench.home.root);
  writeFileSync(join(bench.home.root, "ray-bin", "ray"), "#!/bin/sh\necho no room; exit 9\n");
  bench.plane.assign(id, { ray: true, env, run: "touch ~/ran" });
  await bench.agent({ PATH: path });
  const message = "the head of the Ray cluster ended with exit code 9; the log says why";
  expect(await bench.exit(id)).toMatchObject({ cause: "start_failed", message });
  expect(bench.plane.log(id, "ray")).toContain("no room\n");
  expect(port).toBeGreaterThan(0);
});

/** An attempt's folder as it stands while hosts are awaited. */
async function waiting(bench: Bench, found: string, life = boot()) {
  const { id, env } = await job(3);
  const record = Record.create(bench.home.root, bench.plane.assign(id, { ray: true, env, run: "true" }), Date.now());
  writeFileSync(join(record.folder, "ray.sh.failed"), found);
  writeFileSync(join(record.folder, "ray.boot"), life);
  const cluster = clusterOf(record.assignment);
  if (cluster === undefined) throw new Error("the job has no cluster");
  return { record, cluster };
}

test("hosts that do not come are counted", async () => {
  await using bench = await Bench.open();
  const { record, cluster } = await waiting(bench, "2\n");
  const never = new AbortController().signal;
  expect(await gathered(record, cluster, never, 0)).toEqual({
    cause: "start_failed",
    message: "the Ray cluster has 2 of 3 hosts",
  });
  expect(await gathered(record, cluster, AbortSignal.abort(), 0)).toBeUndefined();
  writeFileSync(join(record.folder, "ray.sh.failed"), "3\n");
  expect(await gathered(record, cluster, never, 0)).toBeUndefined();
  expect(readdirSync(record.folder)).toContain("ray.boot");
});

test("of a cluster that went with its machine nothing is believed", async () => {
  await using bench = await Bench.open();
  const { record, cluster } = await waiting(bench, "3\n", "another life");
  expect(await gathered(record, cluster, new AbortController().signal)).toMatchObject({ cause: "host_lost" });
});

test("two jobs on a machine have ports and folders of their own", async () => {
  const [one, two] = [await job(2), await job(2)];
  const argsOf = (env: { [name: string]: string }, jobId: string) =>
    clusterOf({ ray: true, rank: 0, env, jobId, fence: 1 } as Parameters<typeof clusterOf>[0])?.part.args ?? [];
  const [a, b] = [argsOf(one.env, "job_a"), argsOf(one.env, "job_b")];
  expect(a[3]).not.toBe(b[3]);
  expect(a[3]?.length).toBeLessThan(40);
  expect(argsOf(two.env, "job_a").slice(0, 3)).toEqual(["127.0.0.1", String(two.port), "2"]);
});
