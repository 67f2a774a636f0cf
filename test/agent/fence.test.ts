/** Attempts that are late, doubled, replaced or taken away; the control plane is a server of our own. */
import { expect, test } from "vitest";
import { Bench, isAlive, murder } from "./support/bench.ts";
import { until } from "./support/until.ts";

const ready = "echo $MUSTER_ATTEMPT >>~/began; echo $$ >~/pid; sleep 1000";

test.concurrent("a newer attempt of a job ends the older one first, which then reports nothing", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { fence: 1, run: ready });
  await bench.agent();
  const pid = Number(await until("the first attempt", () => bench.read("pid")));
  bench.plane.assignments = [];
  bench.plane.assign("job_a", {
    fence: 2,
    run: `case "$(ps -o stat= -p ${pid})" in ""|Z*) ;; *) echo both ;; esac; echo second`,
  });
  await bench.kick();
  await bench.exit("job_a", 2);
  expect(bench.plane.log("job_a", "", 2)).not.toContain("both");
  expect(bench.plane.log("job_a", "run", 2)).toContain("second\n");
  expect(isAlive(pid)).toBe(false);
  expect(bench.plane.exit("job_a", 1)).toBeUndefined();
});

test.concurrent("attempts that were seen before are not begun again, also not by the next agent", async () => {
  await using bench = await Bench.open();
  bench.plane.pollAfter = 100;
  bench.plane.assign("job_a", { fence: 3, run: "echo $MUSTER_ATTEMPT >>~/began" });
  const first = await bench.agent();
  await bench.exit("job_a", 3);
  const reports = bench.plane.reports.splice(0);
  bench.plane.assign("job_a", { fence: 2, run: "echo $MUSTER_ATTEMPT >>~/began" });
  await polls(bench, 3);
  await murder(first);
  await bench.agent();
  await polls(bench, 3);
  expect(bench.read("began")).toBe("job_a-3\n");
  expect(reports.at(-1)).toMatchObject({ state: "exited", fence: 3 });
  // What it is told to do again and does not hold any more, it disclaims; of the older one it says nothing.
  const said = bench.plane.reports.map(report => ({ fence: report.fence, cause: "cause" in report && report.cause }));
  expect(said.length).toBeGreaterThan(0);
  expect(said.every(({ fence, cause }) => fence === 3 && cause === "host_lost")).toBe(true);
});

test.concurrent("an attempt that is revoked is ended and forgotten, and reports nothing", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: ready });
  await bench.agent();
  const pid = Number(await until("the attempt", () => bench.read("pid")));
  await until("the report", () => bench.plane.states("job_a").includes("running"));
  bench.plane.revoked = [{ jobId: "job_a", fence: 1 }];
  await bench.kick();
  await until("the folder to be gone", () => bench.attempts().length === 0);
  expect(isAlive(pid)).toBe(false);
  expect(bench.plane.exit("job_a")).toBeUndefined();
});

test.concurrent("one that is revoked and does not end by itself holds up nothing new for long, whatever its grace", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: `trap '' TERM; ${ready}`, grace: 3600 });
  await bench.agent();
  const pid = Number(await until("the attempt", () => bench.read("pid")));
  await until("the report", () => bench.plane.states("job_a").includes("running"));
  bench.plane.assignments = [];
  bench.plane.revoked = [{ jobId: "job_a", fence: 1 }];
  bench.plane.assign("job_b", { run: "echo second" });
  await bench.kick();
  await bench.exit("job_b");
  expect(isAlive(pid)).toBe(false);
});

test.concurrent("an attempt whose report is not accepted is ended and forgotten", async () => {
  await using bench = await Bench.open();
  bench.plane.disowned.add("job_a-1");
  bench.plane.assign("job_a", { setup: "sleep 1000", run: ready });
  await bench.agent();
  await until("the attempt to have come and gone", () => bench.agentLog().includes("attempt revoked"));
  await until("the folder to be gone", () => bench.attempts().length === 0);
  expect(bench.processes()).toEqual([]);
  expect(bench.plane.reports).toEqual([]);
});

test.concurrent("polls name the attempts that are held until their end is accepted", async () => {
  await using bench = await Bench.open();
  bench.plane.pollAfter = 100;
  bench.plane.faults.set("report", "cut");
  bench.plane.assign("job_a", { run: "true" });
  await bench.agent();
  await until("the script to end", () => bench.agentState("job_a-1").includes('"closing"'));
  await polls(bench, 2);
  expect(bench.plane.polls.at(-1)?.attempts).toEqual([{ jobId: "job_a", fence: 1 }]);
  bench.plane.faults.delete("report");
  await bench.exit("job_a");
  await polls(bench, 2);
  expect(bench.plane.polls.at(-1)?.attempts).toEqual([]);
});

test.concurrent("an assignment whose id is no name for a folder is left alone", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("../../evil", { run: "touch ~/ran" });
  bench.plane.assign("job_b", { run: "true" });
  await bench.agent();
  await bench.exit("job_b");
  expect(bench.read("ran")).toBeUndefined();
});

/** Waits for so many more polls. */
async function polls(bench: Bench, count: number): Promise<void> {
  const before = bench.plane.polls.length;
  await until("more polls", () => bench.plane.polls.length >= before + count);
}
