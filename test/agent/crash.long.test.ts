/** Agents that are killed (-9) at bad moments, and control planes that are away; the control plane is a server of our own. */
import { existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { main } from "../../packages/agent/src/command.ts";
import { Bench, codeOf, murder } from "./support/bench.ts";
import { until } from "./support/until.ts";

const numbered = (count: number): string => Array.from({ length: count }, (_, index) => `${index + 1}\n`).join("");

/** Whether the script of an attempt has left its exit code. */
const hasEnded = (bench: Bench, attempt: string): boolean => existsSync(join(bench.home.attempts, attempt, "run.exit"));

test.concurrent("a script outlives its agent; the next one brings home its exit code and all of its output, once", async () => {
  await using bench = await Bench.open();
  const run =
    "for i in $(seq 1 100); do echo $i; done; until [ -e ~/go ]; do sleep 0.02; done; for i in $(seq 101 200); do echo $i; done; exit 9";
  bench.plane.assign("job_a", { run });
  const first = await bench.agent();
  await until("the first half", () => bench.plane.log("job_a").includes("\n100\n"));
  await murder(first);
  bench.write("go");
  await until("the script to end", () => hasEnded(bench, "job_a-1"));
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 9, logsComplete: true });
  expect(bench.plane.log("job_a")).toBe(numbered(200));
});

test.concurrent("an agent that is killed again and again while a script writes loses no line and doubles none", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", {
    run: "for i in $(seq 1 4000); do echo $i; [ $((i % 10)) = 0 ] && sleep 0.01; done; exit 2",
  });
  bench.plane.held = [{ jobId: "job_a", fence: 1, followUntil: Date.now() + 600_000 }];
  for (const round of [1, 2, 3, 4]) {
    const agent = await bench.agent();
    const before = bench.plane.uploads.size;
    await until("something new", () => bench.plane.uploads.size >= before + round || bench.plane.exit("job_a"));
    await murder(agent);
  }
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 2, logsComplete: true });
  expect(bench.plane.log("job_a")).toBe(numbered(4000));
  for (const [key, versions] of bench.plane.uploads)
    for (const version of versions) expect(version.equals(versions[0] ?? Buffer.alloc(0)), key).toBe(true);
});

test.concurrent("an upload whose answer was lost with its agent is sent again as the same chunk", async () => {
  await using bench = await Bench.open();
  bench.plane.faults.set("logs", "cut after");
  bench.plane.assign("job_a", { run: "echo one; until [ -e ~/go ]; do sleep 0.02; done; echo two" });
  const first = await bench.agent();
  await until("the first upload", () => bench.plane.uploads.size > 0);
  await murder(first);
  bench.write("go");
  bench.plane.faults.delete("logs");
  await bench.agent();
  await bench.exit("job_a");
  expect(bench.plane.log("job_a")).toBe("one\ntwo\n");
});

test.concurrent("an agent that is killed between a script's end and its report reports it when it is back", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "echo done; exit 5" });
  bench.plane.faults.set("report", "cut");
  const first = await bench.agent();
  await until("the end to be on the record", () => bench.agentState("job_a-1").includes('"closing"'));
  await murder(first);
  bench.plane.faults.delete("report");
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 5 });
  expect(bench.plane.log("job_a")).toBe("done\n");
});

test.concurrent("a report whose answer was lost with its agent may come again, and is all that is left to do", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "true" });
  bench.plane.faults.set("report", "cut after");
  const first = await bench.agent();
  await until("the report", () => bench.plane.states("job_a").includes("preparing"));
  await murder(first);
  bench.plane.faults.delete("report");
  await bench.agent();
  await bench.exit("job_a");
  await until("the folder to be gone", () => bench.attempts().length === 0);
});

test.concurrent("jobs run on while the control plane is away, and all is told when it is back", async () => {
  await using bench = await Bench.open();
  bench.plane.pollAfter = 200;
  bench.plane.assign("job_a", { run: "echo one; until [ -e ~/go ]; do sleep 0.02; done; echo two; exit 8" });
  await bench.agent();
  await until("the first line", () => bench.plane.log("job_a") === "one\n");
  for (const route of ["poll", "report", "logs"] as const) bench.plane.faults.set(route, "cut");
  bench.plane.cut();
  await until("the agent to have noticed", () => bench.agentLog().includes("poll not answered"));
  bench.write("go");
  await until("the script to end", () => hasEnded(bench, "job_a-1"));
  await until("an upload to have failed", () => bench.agentLog().includes("log chunk not sent"));
  bench.plane.faults.clear();
  expect(await bench.exit("job_a", 1, 30_000)).toMatchObject({ cause: "exited", exitCode: 8, logsComplete: true });
  expect(bench.plane.log("job_a")).toBe("one\ntwo\n");
  expect(bench.plane.states("job_a")).toEqual(["preparing", "running", "exited"]);
});

test.concurrent("SIGTERM means that the machine goes down: scripts end, nothing is reported as theirs, and the next agent says why", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", {
    run: "trap 'echo bye >~/bye; exit 0' TERM; echo ready; while :; do :; done",
    grace: 30,
  });
  const first = await bench.agent();
  await until("the script to be ready", () => bench.plane.log("job_a") === "ready\n");
  first.kill("SIGTERM");
  expect(await codeOf(first)).toBe(0);
  expect(bench.processes()).toEqual([]);
  expect(bench.read("bye")).toBe("bye\n");
  expect(bench.plane.exit("job_a")).toBeUndefined();
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "host_lost" });
});

test.concurrent("an agent whose call hangs still goes down at once", async () => {
  await using bench = await Bench.open();
  bench.plane.faults.set("enroll", "hang");
  const first = await bench.agent();
  first.kill("SIGTERM");
  expect(await codeOf(first)).toBe(0);
  bench.plane.faults.clear();
  const second = await bench.agent();
  await until("a poll", () => bench.plane.polls.length > 0);
  bench.plane.faults.set("poll", "hang");
  await bench.kick();
  const before = Date.now();
  second.kill("SIGTERM");
  expect(await codeOf(second)).toBe(0);
  expect(Date.now() - before).toBeLessThan(5_000);
});

test.concurrent("kill ends every process of a home whose agent is dead already", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", {
    run: "setsid bash -c 'echo $$ >~/pid; exec sleep 1000' & trap '' TERM; while :; do sleep 1; done",
  });
  const first = await bench.agent();
  await until("the script", () => bench.read("pid"));
  await murder(first);
  expect(bench.processes().length).toBeGreaterThan(2);
  expect(await bench.command("kill")).toBe(0);
  expect(bench.processes()).toEqual([]);
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "host_lost" });
});

test.concurrent("kill finds a home's processes by whatever name it is called", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "echo ready; sleep 1000" });
  const first = await bench.agent();
  await until("the script to be ready", () => bench.plane.log("job_a") === "ready\n");
  await murder(first);
  const link = `${bench.home.root}/link`;
  symlinkSync(bench.home.root, link);
  expect(await main(["kill", "--home", link])).toBe(0);
  expect(bench.processes()).toEqual([]);
});

test.concurrent("kill also ends an agent that lives, before it can report anything", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "echo ready; sleep 1000" });
  const agent = await bench.agent();
  await until("the script to be ready", () => bench.plane.log("job_a") === "ready\n");
  expect(await bench.command("kill")).toBe(0);
  expect(await codeOf(agent)).toBe(0);
  expect(bench.processes()).toEqual([]);
  expect(bench.plane.exit("job_a")).toBeUndefined();
});

test.concurrent("secrets lie in files that only the agent's user may read, and never in its own log", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", {
    env: { KEY: "very-secret" },
    secretNames: ["KEY"],
    mounts: [{ url: "http://127.0.0.1:9/x", sha256: "0".repeat(64), path: "~root/very-secret", kind: "file" }],
    run: "true",
  });
  await bench.agent();
  expect((await bench.exit("job_a")).message).toBe("mount ~root/***: only ~ itself is known, no other user's home");
  expect(readFileSync(bench.home.log, "utf8")).not.toContain("very-secret");
});

test.concurrent("of an attempt that cannot be read any more nothing goes on, and it is told lost", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "touch ~/up; sleep 1000" });
  const first = await bench.agent();
  await until("the script", () => bench.read("up") !== undefined);
  await murder(first);
  writeFileSync(join(bench.home.attempts, "job_a-1", "state.json"), "{");
  // The control plane knows of it, and asks for it again.
  bench.plane.reports.length = 0;
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "host_lost", logsComplete: false });
  await until("its processes to end", () => bench.processes().length === 0);
  await until("its folder to go", () => bench.attempts().length === 0);
});
