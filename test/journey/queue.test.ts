/** Jobs that share a host: client → local HTTP server → a real agent → real processes. The machine's GPUs are a script's word. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import { Task, type TaskInput } from "@muster/core/task/task.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ended, type InProcess, inState, launch, logOf, openPlane } from "../support/plane.ts";

const tools = mkdtempSync(join(tmpdir(), "mq-"));
const path = process.env.PATH;

/** There are four of them, by their names, by their numbers, and at rest. */
const SMI = `#!/bin/sh
for one in 0 1 2 3; do
  case "$1" in *name*) echo "NVIDIA A100-SXM4-40GB" ;; *index*) echo $one ;; *) echo 0 ;; esac
done
`;

let plane: InProcess;
beforeAll(async () => {
  writeFileSync(join(tools, "nvidia-smi"), SMI, { mode: 0o755 });
  process.env.PATH = `${tools}:${path}`;
  plane = await openPlane();
});
afterAll(async () => {
  await plane.close();
  process.env.PATH = path;
  rmSync(tools, { recursive: true });
});

const gpus = (count: number) => ({ resources: { accelerators: { A100: count } } });

const submit = (cluster: string, task: TaskInput, more: object = {}) =>
  plane.api.jobs.submit({ params: { cluster }, body: { task: Task.parse(task), ...more } });

/** Goes on when so many have come to the same place, which they do only when they run at the same time. */
const meet = (count: number) =>
  [
    'echo "$CUDA_VISIBLE_DEVICES of $MUSTER_NUM_GPUS_PER_NODE"',
    'mkdir -p ~/met && touch ~/met/"$MUSTER_JOB_ID"',
    `until [ "$(ls ~/met | wc -l)" -ge ${count} ]; do sleep 0.05; done`,
  ].join("\n");

test("jobs on one host run at the same time, each with GPUs of its own, and the next has those that come free", async () => {
  const one = await launch(plane, "shared", { ...gpus(1), run: meet(3) });
  const two = await submit("shared", { ...gpus(2), run: meet(3) });
  const none = await submit("shared", { resources: { cpus: { count: 0.5, atLeast: true } }, run: meet(3) });
  const next = await submit("shared", { ...gpus(4), run: "echo $CUDA_VISIBLE_DEVICES" });
  const jobs = [one, two, none, next];
  for (const job of jobs) expect(await ended(plane, job)).toMatchObject({ state: "succeeded" });
  const logs = await Promise.all(jobs.map(job => logOf(plane, job, { phase: "run" })));
  expect(logs).toEqual(["0 of 1\n", "1,2 of 2\n", " of 0\n", "0,1,2,3\n"]);
});

test("more than any host has is refused, and so is who will not wait; who waits too long ends, and who may takes their place", async () => {
  const running = await submit("shared", { run: "sleep 60" });
  const code = (promise: Promise<unknown>) =>
    promise.then(
      () => "nothing",
      error => (error instanceof MusterError ? error.code : error),
    );
  expect(await code(submit("shared", { ...gpus(5), run: "true" }))).toBe("invalid_request");
  expect(await code(submit("shared", { run: "true" }, { onBusy: "fail" }))).toBe("cluster_busy");
  await inState(plane, running, "running");
  const late = await submit("shared", { run: "true", queueTimeout: 1 });
  expect(await ended(plane, late)).toMatchObject({
    state: "timed_out",
    failure: { code: "queue_timeout", message: expect.stringContaining(`taken by ${running.id}`) },
  });
  const instead = await submit("shared", { run: "echo mine" }, { force: true });
  expect(await ended(plane, running)).toMatchObject({ state: "cancelled" });
  expect(await ended(plane, instead)).toMatchObject({ state: "succeeded" });
});
