/** Jobs that are made to end; the control plane is a server of our own. */
import { expect, test } from "vitest";
import { Bench, isAlive, murder } from "./support/bench.ts";
import { until } from "./support/until.ts";

/** A family: a child, a grandchild in a session of its own, one without environment, and one that ignores TERM. */
const FAMILY = `
sleep 1000 & echo $! >>~/pids
setsid bash -c 'echo $$ >>~/pids; exec sleep 1000' &
env -i bash -c 'echo $$ >>'$HOME'/pids; exec sleep 1000' &
bash -c 'trap "" TERM; echo $$ >>~/pids; while :; do sleep 0.1; done' &
setsid bash -c 'setsid bash -c "echo \\$\\$ >>~/pids; exec sleep 1000" & sleep 1000' &
wait
`;

test.concurrent("cancel ends the script and all that came of it, also what called setsid", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: FAMILY, grace: 1 });
  await bench.agent();
  const pids = await until("the family", () => {
    const found = (bench.read("pids") ?? "").split("\n").filter(line => line !== "");
    return found.length === 5 && found.map(Number);
  });
  expect(pids.every(isAlive)).toBe(true);
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.kick();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "cancelled", exitCode: 143, logsComplete: true });
  expect(pids.filter(isAlive)).toEqual([]);
  expect(bench.processes()).toEqual([]);
});

test.concurrent.each([
  ["peer_failed", "Another node of this job failed."],
  ["interrupted", "The cloud takes back a machine of this job: it is tried again."],
] as const)(
  "a script that heeds TERM has its grace, and what it writes then is in the log: %s",
  async (cancel, message) => {
    await using bench = await Bench.open();
    const run = "trap 'echo saving; sleep 0.3; echo saved; exit 5' TERM; echo ready; while :; do :; done";
    bench.plane.assign("job_a", { run, grace: 10 });
    await bench.agent();
    await until("the script to be ready", () => bench.plane.log("job_a") === "ready\n");
    bench.plane.held = [{ jobId: "job_a", fence: 1, cancel }];
    await bench.kick();
    const exit = await bench.exit("job_a");
    expect(exit).toMatchObject({ cause: "cancelled", exitCode: 5, message });
    expect(bench.plane.log("job_a", "run")).toBe("ready\nsaving\nsaved\n");
  },
);

test.concurrent("a script that runs out of time is ended, setup included", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "echo started; sleep 1000", timeout: 1 });
  bench.plane.assign("job_b", { setup: "sleep 1000", run: "touch ~/ran", timeout: 1 });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "timed_out", exitCode: 143 });
  expect(await bench.exit("job_b")).toMatchObject({ cause: "timed_out" });
  expect(bench.plane.log("job_a")).toBe("started\nIt ran longer than its timeout of 1 s.\n");
  expect(bench.read("ran")).toBeUndefined();
});

test.concurrent("the time that passes without an agent counts", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "echo $(date +%s%N) >~/began; sleep 1000", timeout: 2 });
  const first = await bench.agent();
  const began = Number(await until("the script", () => bench.read("began"))) / 1e6;
  await murder(first);
  await until("the time to be over", () => Date.now() > began + 2_500);
  await bench.agent();
  expect(await bench.exit("job_a", 1, 2_000)).toMatchObject({ cause: "timed_out", exitCode: 143 });
});

test.concurrent("a script that ended in time, though no agent saw it, did not time out", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", {
    run: "until [ -e ~/go ]; do sleep 0.02; done; date +%s%N >~/ended; exit 6",
    timeout: 2,
  });
  const first = await bench.agent();
  await until("the script", () => bench.plane.states("job_a").includes("running"));
  await murder(first);
  bench.write("go");
  const ended = Number(await until("the script to end", () => bench.read("ended"))) / 1e6;
  await until("the time to be over", () => Date.now() > ended + 2_500);
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 6 });
});

test.concurrent("a cancel that a killed agent had begun is still a cancel for the next one", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", {
    run: "trap 'until [ -e ~/go ]; do sleep 0.02; done; exit 0' TERM; echo ready; while :; do :; done",
    grace: 20,
  });
  const first = await bench.agent();
  await until("the script to be ready", () => bench.plane.log("job_a") === "ready\n");
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.kick();
  await until("the cancel to be on the record", () => bench.agentState("job_a-1").includes('"stop"'));
  await murder(first);
  bench.plane.held = [];
  bench.write("go");
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "cancelled" });
});

test.concurrent("a job that is cancelled again and again ends once", async () => {
  await using bench = await Bench.open();
  bench.plane.pollAfter = 100;
  bench.plane.assign("job_a", {
    run: "trap 'echo term; sleep 0.5; exit 0' TERM; echo ready; while :; do :; done",
    grace: 10,
  });
  await bench.agent();
  await until("the script to be ready", () => bench.plane.log("job_a") === "ready\n");
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.exit("job_a");
  expect(bench.plane.log("job_a")).toBe("ready\nterm\n");
  expect(bench.plane.states("job_a").filter(state => state === "exited")).toHaveLength(1);
});

test.concurrent("a job that was cancelled before its host heard of it never begins", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "touch ~/ran" });
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "cancelled" });
  expect(bench.read("ran")).toBeUndefined();
});
