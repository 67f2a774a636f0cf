/** One agent per home, and what others may ask of it; the control plane is a server of our own. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { markOf, membersOf, parse } from "../../packages/agent/src/script/processes.ts";
import { ask } from "../../packages/agent/src/sock.ts";
import { Bench, bundle, codeOf, isRunning, murder } from "./support/bench.ts";
import { until } from "./support/until.ts";

test.concurrent("of agents that start at once in one home, one stays and the others leave quietly", async () => {
  await using bench = await Bench.open();
  const agents = Array.from({ length: 4 }, () => bench.start());
  await until("three to leave", () => agents.filter(isRunning).length === 1);
  expect(agents.filter(agent => !isRunning(agent)).map(agent => agent.exitCode)).toEqual([0, 0, 0]);
  await until("a poll", () => bench.plane.polls.length > 0);
  expect(await codeOf(bench.start())).toBe(0);
  expect(bench.plane.enrollments).toHaveLength(1);
});

test.concurrent("the socket of a killed agent does not keep the next one out", async () => {
  await using bench = await Bench.open();
  await murder(await bench.agent());
  expect(existsSync(bench.home.sock)).toBe(true);
  expect(await ask(bench.home, "status")).toBeUndefined();
  const agent = await bench.agent();
  expect(isRunning(agent)).toBe(true);
});

test.concurrent("of an agent that nobody answers no kicks make a storm", async () => {
  await using bench = await Bench.open();
  await bench.agent();
  await until("the first poll", () => bench.plane.polls.length === 1);
  bench.plane.faults.set("poll", 503);
  const failures = (): number => bench.agentLog().split("poll not answered").length - 1;
  await bench.kick();
  await until("the first failure", () => failures() > 0);
  for (const until = Date.now() + 1_500; Date.now() < until; ) await bench.kick();
  expect(failures()).toBeLessThan(7);
  bench.plane.faults.delete("poll");
  await bench.kick();
  await until("an answer", () => bench.plane.polls.length > 1, 3_000);
});

test.concurrent("a kick makes the agent poll at once, and one that comes during a poll makes another follow", async () => {
  await using bench = await Bench.open();
  await bench.agent();
  await until("the first poll", () => bench.plane.polls.length === 1);
  expect(await bench.command("kick")).toBe(0);
  await until("the second poll", () => bench.plane.polls.length === 2);
  await Promise.all(Array.from({ length: 20 }, () => bench.kick()));
  await until("a poll after the kicks", () => bench.plane.polls.length >= 3);
  expect(bench.plane.polls.length).toBeLessThan(23);
});

test.concurrent("status tells what the agent holds, and stop ends it", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "sleep 1000" });
  const agent = await bench.agent();
  await until("the job to run", () => bench.plane.states("job_a").includes("running"));
  const status = JSON.parse((await ask(bench.home, "status")) ?? "");
  expect(status).toMatchObject({
    pid: agent.pid,
    hostId: "hst_1",
    attempts: [{ jobId: "job_a", fence: 1, step: "run" }],
  });
  expect(await ask(bench.home, "stop", true)).toBe("ok");
  expect(await codeOf(agent)).toBe(0);
  expect(existsSync(bench.home.sock)).toBe(false);
  expect(bench.processes()).toEqual([]);
});

test.concurrent("commands say when no agent lives, and when they are misused", async () => {
  await using bench = await Bench.open();
  expect(await bench.command("kick")).toBe(1);
  expect(await bench.command("kill")).toBe(0);
  expect(await bench.command("dance")).toBe(2);
});

test.concurrent("a home whose path is too long for a socket is refused in words", async () => {
  await using bench = await Bench.open();
  const agent = bench.start(["run", "--home", join(bench.home.root, "x".repeat(120))]);
  const said = await text(agent.stderr ?? Readable.from([]));
  expect(said).toContain("take a shorter home");
  expect(await codeOf(agent)).toBe(1);
});

test.concurrent("pulse and facts have the form that the protocol wants", async () => {
  await using bench = await Bench.open();
  await bench.agent();
  const poll = await until("a poll", () => bench.plane.polls[0]);
  const { Enroll, Poll } = await import("@muster/core/agent/protocol.ts");
  expect(Poll.parse(poll)).toEqual(poll);
  expect(Enroll.parse(bench.plane.enrollments[0])).toEqual(bench.plane.enrollments[0]);
});

test.concurrent("a machine whose disk is gone has no agent, though somebody made the folder anew; and no exit code of its own", async () => {
  await using bench = await Bench.open();
  // What is written to a folder that is gone makes it anew.
  const again =
    'trap "exit 3" TERM; while [ -e "$MUSTER_ATTEMPT_DIR/assignment.json" ]; do sleep 0.02; done; mkdir -p "$MUSTER_ATTEMPT_DIR/out"; echo 3 > "$MUSTER_ATTEMPT_DIR/run.exit"; sleep 60';
  bench.plane.assign("job_a", { run: `echo begun; ${again}` });
  const agent = await bench.agent();
  await until("the job to print", () => bench.plane.log("job_a") === "begun\n");
  rmSync(bench.home.root, { recursive: true, maxRetries: 20 });
  expect(await codeOf(agent)).toBe(3);
  expect(bench.plane.states("job_a")).not.toContain("exited");
  await until("the end of all that it did", () => bench.processes().length === 0);
});

test.concurrent("the bundle is one file that needs nothing beside it", async () => {
  await using bench = await Bench.open();
  const folder = join(bench.home.root, "elsewhere");
  const file = bundle(folder);
  expect(readdirSync(folder)).toEqual(["agent.mjs"]);
  expect(readFileSync(file, "utf8").match(/from\s*"(?!node:)[^"]+"/g)).toBeNull();
  bench.plane.assign("job_a", { run: "echo from the bundle" });
  bench.start(["run"], file);
  await bench.exit("job_a");
  expect(bench.plane.log("job_a")).toBe("from the bundle\n");
});

test.concurrent("the source runs as it stands", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "echo from the source" });
  bench.start(["run"], resolve("packages/agent/src/main.ts"));
  await bench.exit("job_a");
  expect(bench.plane.log("job_a")).toBe("from the source\n");
});

test.concurrent("where there is no /proc, the marker is found in what ps prints", () => {
  const folder = "/h/attempts/job_1-1";
  const lines = [
    "  10     1    10 S    bash -p /h/attempts/job_1-1/wrap.sh /h/attempts/job_1-1 run",
    "  11    10    10 S    sleep 9 HOME=/h MUSTER_ATTEMPT_DIR=/h/attempts/job_1-1 PATH=/bin",
    "  12     1    12 S    sleep 9 HOME=/h MUSTER_ATTEMPT_DIR=/h/attempts/job_1-10 PATH=/bin",
    "  13    12    13 Z    sleep MUSTER_ATTEMPT_DIR=/h/attempts/job_1-1",
    "  14     1    14 S    tail -f /h/attempts/job_1-1/out/run.log",
    "  15    11    15 S    a child that has dropped its environment",
  ].join("\n");
  expect(membersOf(folder, parse(lines, markOf(folder))).map(one => one.pid)).toEqual([10, 11, 15]);
});
