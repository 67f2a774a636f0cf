/** Jobs on a real agent with real processes; the control plane is a server of our own. */
import { readlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Bench, isAlive } from "./support/bench.ts";
import { until } from "./support/until.ts";

test.concurrent("setup, run and their output arrive in order, stdout and stderr alike", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", {
    setup: "echo preparing; echo warning >&2",
    run: "for i in 1 2 3; do echo out $i; echo err $i >&2; done; exit 3",
  });
  await bench.agent();
  const exit = await bench.exit("job_a");
  expect(exit).toMatchObject({ cause: "exited", exitCode: 3, logsComplete: true });
  expect(bench.plane.log("job_a")).toBe("preparing\nwarning\nout 1\nerr 1\nout 2\nerr 2\nout 3\nerr 3\n");
  expect(bench.plane.log("job_a", "setup")).toBe("preparing\nwarning\n");
  expect(exit.chunks).toBe(bench.plane.chunks("job_a").length);
  expect(bench.plane.states("job_a")).toEqual(["preparing", "running", "exited"]);
  await until("the folder to be gone", () => bench.attempts().length === 0);
});

test.concurrent("a job without run only runs its setup", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { setup: "echo done" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(bench.plane.log("job_a")).toBe("done\n");
});

test.concurrent("the agent polls at once when a job has ended, so that the next one starts without delay", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "true" });
  // The next job waits as the first one ends, and nobody kicks.
  bench.plane.onExit = ({ jobId }) => {
    if (jobId === "job_a") bench.plane.assign("job_b", { run: "true" });
  };
  await bench.agent();
  await bench.exit("job_b");
});

test.concurrent("the workdir is the current folder, and ~/sky_workdir leads to it", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "pwd; cd ~/sky_workdir; pwd -P; ls -A | wc -l" });
  await bench.agent();
  await bench.exit("job_a");
  const workdir = join(bench.home.jobs, "muster", "job_a");
  expect(bench.plane.log("job_a")).toBe(`${workdir}\n${workdir}\n0\n`);
  expect(readlinkSync(join(bench.home.jobs, "sky_workdir"))).toBe(workdir);
});

test.concurrent("a job sees its own environment, and nothing of the agent's", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { fence: 7, env: { MUSTER_JOB_ID: "job_a" }, run: "env -0 | sort -z | tr '\\0' '\\n'" });
  await bench.agent();
  await bench.exit("job_a", 7);
  const log = bench.plane.log("job_a", "", 7);
  const names = log.split("\n").map(line => line.split("=")[0]);
  const given = [
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "PATH",
    "LANG",
    "MUSTER_ATTEMPT",
    "MUSTER_ATTEMPT_DIR",
    "MUSTER_JOB_ID",
  ];
  const ofBash = ["PWD", "OLDPWD", "SHLVL", "_", ""];
  expect(names.filter(name => !given.includes(name ?? "") && !ofBash.includes(name ?? ""))).toEqual([]);
  expect(log).toContain("\nMUSTER_ATTEMPT=job_a-7\n");
  expect(log).toContain(`\nPATH=${bench.home.jobs}/.local/bin:`);
  expect(log).toContain(`HOME=${bench.home.jobs}\n`);
});

test.concurrent("what a script leaves behind in the background is ended with it", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "sleep 1000 & echo $! > ~/pid; setsid sleep 1000 & echo done" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(isAlive(Number(bench.read("pid")))).toBe(false);
  expect(bench.processes()).toEqual([]);
});

test.concurrent("a script that ends by a signal has 128 and its number as its exit code", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "kill -SEGV $$" });
  bench.plane.assign("job_b", { run: "kill -9 0" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 139 });
  expect(await bench.exit("job_b")).toMatchObject({ cause: "exited", exitCode: 137 });
});

test.concurrent("a script that writes to /dev/stderr does not cut the log", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", {
    run: "echo one; echo two > /dev/stderr; echo three > /dev/stdout; echo four | tee /dev/stderr",
  });
  await bench.agent();
  await bench.exit("job_a");
  expect(bench.plane.log("job_a").split("\n").sort().join(" ").trim()).toBe("four four one three two");
});

test.concurrent("a script that cannot be started says so", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "true", env: { BAD: "a\0b" } });
  bench.plane.assign("job_b", { run: "true", env: { HUGE: "x".repeat(200_000) } });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "start_failed" });
  const exit = await bench.exit("job_b");
  expect(exit).toMatchObject({ cause: "start_failed", message: expect.stringContaining("E2BIG") });
  expect(exit.exitCode).toBeUndefined();
});

test.concurrent("twenty jobs at once all end with their own code and their own log", async () => {
  await using bench = await Bench.open();
  const numbers = Array.from({ length: 20 }, (_, number) => number);
  for (const number of numbers) bench.plane.assign(`job_${number}`, { run: `echo this is ${number}; exit ${number}` });
  await bench.agent();
  for (const number of numbers) {
    expect((await bench.exit(`job_${number}`)).exitCode).toBe(number);
    expect(bench.plane.log(`job_${number}`)).toBe(`this is ${number}\n`);
  }
});
