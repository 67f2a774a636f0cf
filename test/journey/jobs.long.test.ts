/**
 * Journeys: client → local HTTP server → real agents → real processes, all on this machine. Run with a well-behaved table,
 * and again with one whose indexes lag and whose transactions are refused now and then.
 */
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { client } from "@muster/api/client.ts";
import { retrying } from "@muster/core/commit.ts";
import { MusterError } from "@muster/core/error.ts";
import { Task } from "@muster/core/task/task.ts";
import * as Token from "@muster/core/token/create.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ended, type InProcess, inState, launch, logOf, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

const code = (promise: Promise<unknown>) =>
  promise.then(
    () => "nothing",
    error => (error instanceof MusterError ? error.code : error),
  );

/** True for every n-th call: failures that are sure to come, and the same in every run. */
const every = (n: number) => {
  let calls = 0;
  return () => ++calls % n === 0;
};

const tables = {
  "a well-behaved table": () => ({}),
  "a table that lags and refuses": () => ({ indexLag: { ms: 300 }, refuse: every(7) }),
};

describe.each(Object.entries(tables))("on %s", (_name, faults) => {
  let plane: InProcess;
  beforeAll(async () => {
    plane = await openPlane(faults());
  });
  afterAll(() => plane.close());

  const cluster = (name: string) => plane.api.clusters.get({ params: { cluster: name } });

  test("a job runs, its log comes home, and its exit code is its own", async () => {
    const job = await launch(plane, "one", { run: "echo out; echo err >&2; exit 3" });
    expect(await ended(plane, job)).toMatchObject({ state: "failed", exitCode: 3, failure: { code: "exit_code" } });
    expect(await logOf(plane, job)).toBe("out\nerr\n");
  });

  test("setup runs once per host for each text, and a failing one fails the job alone", async () => {
    const first = await launch(plane, "one", { setup: "echo set up", run: "echo first" });
    const second = await launch(plane, "one", { setup: "echo set up", run: "echo second" });
    const third = await launch(plane, "one", { setup: "echo no; exit 9", run: "echo third" });
    expect(await ended(plane, first)).toMatchObject({ state: "succeeded", logsComplete: true });
    expect(await ended(plane, second)).toMatchObject({ state: "succeeded", logsComplete: true });
    expect(await ended(plane, third)).toMatchObject({
      state: "failed",
      exitCode: 9,
      failure: { code: "setup_failed" },
    });
    expect(await Promise.all([first, second, third].map(job => logOf(plane, job)))).toEqual([
      "set up\nfirst\n",
      "second\n",
      "no\nThe setup exited with 9.\n",
    ]);
    expect((await cluster("one")).state).toBe("ready");
  });

  test("three hosts run one job: every rank sees the same addresses, and they talk to each other", async () => {
    const script = [
      'echo "$MUSTER_NODE_RANK of $MUSTER_NUM_NODES at" $MUSTER_NODE_IPS',
      '[ "$MUSTER_NODE_IPS" = "$SKYPILOT_NODE_IPS" ]',
      'if [ "$MUSTER_NODE_RANK" = 0 ]; then',
      '  node -e \'let n = 0; require("net").createServer(s => { s.end("from zero"); if (++n === 2) process.exit(0) }).listen(+process.env.MASTER_PORT, process.env.MASTER_ADDR)\'',
      "else",
      '  until node -e \'require("net").connect(+process.env.MASTER_PORT, process.env.MASTER_ADDR).on("data", d => { console.log(String(d)); process.exit(0) }).on("error", () => process.exit(1))\'; do sleep 0.1; done',
      "fi",
    ].join("\n");
    const job = await launch(plane, "three", { nodes: 3, run: script });
    expect(await ended(plane, job)).toMatchObject({ state: "succeeded", exitCode: 0 });
    const logs = await Promise.all([0, 1, 2].map(rank => logOf(plane, job, { rank })));
    const ips = logs.map(log => log.split(" at ")[1]?.split("\n")[0]);
    expect(new Set(ips).size).toBe(1);
    expect(ips[0]?.split(" ")).toHaveLength(3);
    expect(logs.map(log => log[0])).toEqual(["0", "1", "2"]);
    expect(logs.map(log => log.includes("from zero"))).toEqual([false, true, true]);
  });

  test("a cancelled job leaves nothing behind, not even grandchildren in sessions of their own", async () => {
    const mark = `muster-mark-${Date.now()}`;
    const sleeper = `exec -a ${mark} sleep 300`;
    const script = `(bash -c '${sleeper}' &) ; setsid bash -c '${sleeper}' & bash -c "bash -c '${sleeper}'" & echo started; wait`;
    const job = await launch(plane, "one", { run: script });
    const alive = () =>
      execFileSync("ps", ["-A", "-o", "args="], { encoding: "utf8" })
        .split("\n")
        .filter(line => line.startsWith(mark)).length;
    await until("three grandchildren", () => alive() === 3);
    await plane.api.jobs.cancel({ params: { job: job.id } });
    expect(await ended(plane, job)).toMatchObject({ state: "cancelled" });
    expect(alive()).toBe(0);
  });

  test("a job that runs into its time limit is ended and told so", async () => {
    const job = await launch(plane, "one", { run: "echo before; sleep 60; echo after", timeout: 1 });
    expect(await ended(plane, job)).toMatchObject({ state: "timed_out", failure: { code: "timed_out" } });
    expect(await logOf(plane, job, { phase: "run" })).toBe("before\n");
  });

  test("a stopped cluster keeps its disks, refuses jobs, and takes them again when it is started", async () => {
    await ended(plane, await launch(plane, "disk", { run: "echo kept > ~/file" }));
    await plane.api.clusters.stop({ params: { cluster: "disk" } });
    await until("the stop", async () => (await cluster("disk")).state === "stopped");
    const body = { task: Task.parse({ run: "cat ~/file" }) };
    expect(await code(plane.api.jobs.submit({ params: { cluster: "disk" }, body }))).toBe("conflict");
    await plane.api.clusters.start({ params: { cluster: "disk" } });
    await until("the start", async () => (await cluster("disk")).state === "ready");
    const job = await plane.api.jobs.submit({ params: { cluster: "disk" }, body });
    expect(await ended(plane, job)).toMatchObject({ state: "succeeded" });
    expect(await logOf(plane, job)).toBe("kept\n");
  });

  test("two launches of one name at the same time make one cluster", async () => {
    const body = { task: Task.parse({ run: "true" }), cluster: "twice" };
    const [one, two] = await Promise.all([plane.api.launches.create({ body }), plane.api.launches.create({ body })]);
    expect(one.cluster.id).toBe(two.cluster.id);
    await Promise.all(
      [one, two].map(async ({ job }) => job && expect(await ended(plane, job)).toMatchObject({ state: "succeeded" })),
    );
    const { items } = await plane.api.clusters.list();
    await until("the list to hold it", async () => items.filter(item => item.name === "twice").length <= 1);
  });

  test("a repeated Idempotency-Key makes one job, and another request under it is refused", async () => {
    const body = { task: Task.parse({ run: "echo once >> ~/runs" }) };
    const submit = (key: string, more: object = {}) =>
      plane.api.jobs.submit({ params: { cluster: "one" }, body: { ...body, ...more } }, { idempotencyKey: key });
    const answers = await Promise.all(Array.from({ length: 8 }, () => submit("same")));
    expect(new Set(answers.map(job => job.id)).size).toBe(1);
    expect(await code(submit("same", { priority: 1 }))).toBe("idempotency_mismatch");
    const [job] = answers;
    if (job) await ended(plane, job);
    const count = await plane.api.jobs.submit({
      params: { cluster: "one" },
      body: { task: Task.parse({ run: "wc -l < ~/runs" }) },
    });
    await ended(plane, count);
    expect((await logOf(plane, count)).trim()).toBe("1");
  });

  test("a removed cluster leaves no folder and no process, and refuses jobs while it goes", async () => {
    const job = await launch(plane, "gone", { run: "sleep 300" });
    await inState(plane, job, "running");
    const before = readdirSync(join(plane.home, "machines")).length;
    await plane.api.clusters.remove({ params: { cluster: "gone" } });
    const body = { task: Task.parse({ run: "true" }), cluster: "gone" };
    expect(["conflict", "nothing"]).toContain(await code(plane.api.launches.plan({ body })));
    expect(await ended(plane, job)).toMatchObject({ state: "cancelled" });
    await until("the machine to go", () => readdirSync(join(plane.home, "machines")).length === before - 1);
    await until("the name to be free", async () => (await code(cluster("gone"))) === "not_found");
  });

  test("another person's cluster is not used, another workspace's is not seen, and forged or expired tokens open nothing", async () => {
    const { world } = plane.plane;
    const as = async (workspace: string, actor: string, expiresAt?: number) => {
      const grant = { workspace, actor, role: "member" as const, ...(expiresAt !== undefined && { expiresAt }) };
      const { token } = await retrying(() => Token.grant(world, grant));
      return client({ endpoint: plane.url, token, version: "test" });
    };
    const job = { task: Task.parse({ run: "true" }) };
    const ben = await as("local", "usr_ben");
    expect(await code(ben.jobs.submit({ params: { cluster: "one" }, body: job }))).toBe("forbidden");
    expect(await code(ben.launches.create({ body: { ...job, cluster: "one" } }))).toBe("name_taken");
    const eve = await as("elsewhere", "usr_eve");
    expect(await code(eve.clusters.get({ params: { cluster: "one" } }))).toBe("not_found");
    expect((await eve.clusters.list()).items).toEqual([]);
    const late = await as("local", "usr_ada", Date.now() - 1);
    expect(await code(late.clusters.list())).toBe("unauthenticated");
    const forged = client({
      endpoint: plane.url,
      token: plane.token.replace(/.$/, last => (last === "0" ? "1" : "0")),
      version: "test",
    });
    expect(await code(forged.clusters.list())).toBe("unauthenticated");
  });
});
