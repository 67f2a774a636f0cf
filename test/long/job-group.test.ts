/**
 * A file of tasks that run at the same time: the command line against the real embedded control plane, whose server, agents
 * and jobs are processes on this machine.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type * as Job from "@muster/core/job/job.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Home } from "../cli/support/muster.ts";

let home: Home;
beforeAll(() => {
  home = new Home();
});
afterAll(() => home[Symbol.asyncDispose](), 60_000);

/** A server that runs until it is told to end, and a client that waits for it. */
function group(name: string, end: string): string {
  const folder = join(home.path, name);
  mkdirSync(folder);
  const file = join(folder, "group.yaml");
  writeFileSync(
    file,
    `name: ${name}
execution: parallel
primary_tasks: [client]
termination_delay: 1s
---
name: client
run: |
  until [ -e ${folder}/up ]; do sleep 0.05; done
  echo "$SKYPILOT_JOBGROUP_NAME: server at $MUSTER_JOBGROUP_IPS_SERVER"
  echo "$MUSTER_JOBGROUP_HOSTS" > ${folder}/hosts
  ${end}
---
name: server
resources: { cpus: 1 }
run: |
  trap 'echo "told to end"; touch ${folder}/told; exit 0' TERM
  touch ${folder}/up
  while true; do sleep 0.05; done
`,
  );
  return file;
}

test("both begin, find each other, and the server is told to end when the client has", async () => {
  const file = group("talk", "exit 0");
  const { code, out, err } = await home.run("launch", file, "-c", "pair", "--output-filepath", join(home.path, "log"));
  expect(err).toMatch(/job job_\w{26} server {2}ended with its group/);
  expect(code).toBe(0);
  // Each host of this machine has an address of its own.
  expect(out).toMatch(/^\(client\) talk: server at 127\.\d+\.\d+\.3$/m);
  expect(out).toMatch(/^\(server\) told to end$/m);
  expect(readFileSync(join(home.path, "log"), "utf8")).toBe(out);
  expect(readFileSync(join(home.path, "talk", "hosts"), "utf8")).toMatch(
    /^127\.\d+\.\d+\.2 client-0\.talk\n127\.\d+\.\d+\.3 server-0\.talk\n$/,
  );
  const listed = await home.run("jobs", "--columns", "name,group,state", "--csv");
  expect(listed.out).toContain("client,talk,succeeded");
  expect(listed.out).toContain("server,talk,cancelled");
  const queue = await home.run("queue", "--all");
  expect(queue.out).toMatch(/ client \(talk\) +succeeded/);
  const again = await home.run("launch", file, "-c", "pair");
  expect([again.code, again.err]).toEqual([123, expect.stringContaining("a job group makes one of its own")]);
  const { code: ran, err: why } = await home.run("run", file, "-c", "pair");
  expect([ran, why]).toEqual([120, expect.stringContaining("run at the same time")]);
});

test("the first cause is kept when the client fails, and its exit code is the command's", async () => {
  const { code, err } = await home.run("launch", group("fails", "exit 7"));
  expect(code).toBe(7);
  expect(err).toMatch(/✗ job job_\w{26} client {2}failed {2}exit 7/);
  const jobs = (await home.json("jobs")) as Job.Info[];
  const server = jobs.find(({ name, jobGroup }) => name === "server" && jobGroup?.name === "fails");
  const { reasons } = (await home.json("why", server?.id ?? "")) as { reasons: string[] };
  expect(reasons).toContain(
    "its job group 'fails' has failed: task 'client' failed: the script exited with 7 on rank 0",
  );
});

test("is cancelled by its name, all of it", async () => {
  const { code, out } = await home.run("launch", group("long", "sleep 600"), "-d");
  expect([code, out.trim().split("\n")]).toEqual([0, [expect.stringMatching(/^job_/), expect.stringMatching(/^job_/)]]);
  const cancelled = await home.run("cancel", "long", "-y");
  expect(cancelled.code).toBe(0);
  const jobs = (await home.json("jobs")) as Job.Info[];
  expect(jobs.filter(({ jobGroup }) => jobGroup?.name === "long").map(({ state }) => state)).toEqual([
    "cancelled",
    "cancelled",
  ]);
});

test("what cannot be is refused before anything is made", async () => {
  const file = group("odd", "exit 0");
  const { code, err } = await home.run("launch", file, "--managed", "--runs", "3");
  expect([code, err]).toEqual([
    120,
    expect.stringContaining("--managed, --runs: not for tasks that run at the same time"),
  ]);
  const dry = await home.run("launch", file, "--dry-run");
  expect(dry.code).toBe(0);
  expect(dry.err).toMatch(/task +client: primary\n.*task +server: ends when these have, 1 s later/);
  const { out } = await home.run("validate", file);
  expect(out).toContain("at the same time, as job group odd: client (primary), server");
});
