/** How an agent becomes known, and how it stops being so; the control plane is a server of our own. */
import { readFileSync, rmSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { Bench, codeOf, murder } from "./support/bench.ts";
import { until } from "./support/until.ts";

test.concurrent("an enrollment whose answers are lost is sent again by the same agent, and makes one host", async () => {
  await using bench = await Bench.open();
  bench.plane.faults.set("enroll", "cut after");
  await bench.agent();
  await until("two enrollments", () => bench.plane.enrollments.length >= 2);
  bench.plane.faults.delete("enroll");
  await until("a poll", () => bench.plane.polls.length > 0);
  expect(bench.plane.hosts).toBe(1);
  expect(new Set(bench.plane.enrollments.map(enrollment => enrollment.nonce)).size).toBe(1);
  expect(bench.plane.enrollments[0]).toMatchObject({ token: "mse_w.hst_1.secret", facts: { agentVersion: "0.1.0" } });
});

test.concurrent("an agent that is killed before the answer enrolls again with the same nonce", async () => {
  await using bench = await Bench.open();
  bench.plane.faults.set("enroll", "cut after");
  const first = await bench.agent();
  await until("an enrollment", () => bench.plane.enrollments.length > 0);
  await murder(first);
  bench.plane.faults.delete("enroll");
  await bench.agent();
  await until("a poll", () => bench.plane.polls.length > 0);
  expect(bench.plane.hosts).toBe(1);
});

test.concurrent("the host token is kept for the agent alone, and needs no second enrollment", async () => {
  await using bench = await Bench.open();
  const first = await bench.agent();
  await until("a poll", () => bench.plane.polls.length > 0);
  await murder(first);
  rmSync(bench.tokenFile);
  const polls = bench.plane.polls.length;
  await bench.agent();
  await until("another poll", () => bench.plane.polls.length > polls);
  expect(bench.plane.enrollments).toHaveLength(1);
  expect(statSync(bench.home.hostToken).mode & 0o777).toBe(0o600);
  expect(statSync(bench.home.agent).mode & 0o777).toBe(0o700);
  expect(bench.agentLog()).not.toContain(JSON.parse(readFileSync(bench.home.hostToken, "utf8")).hostToken);
});

test.concurrent("an agent that is refused ends with code 3", async () => {
  await using bench = await Bench.open();
  bench.plane.faults.set("enroll", 401);
  expect(await codeOf(bench.start())).toBe(3);
});

test.concurrent("a 401 that is not the control plane's own is not believed", async () => {
  await using bench = await Bench.open();
  bench.plane.errorCodes.delete(401);
  bench.plane.faults.set("enroll", 401);
  await bench.agent();
  await until("the agent to have noticed", () => bench.agentLog().includes("HTTP 401"));
  bench.plane.faults.delete("enroll");
  await until("a poll", () => bench.plane.polls.length > 0);
});

test.concurrent("a host that is no longer known ends its jobs, and the agent ends with code 3", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "sleep 1000" });
  const agent = await bench.agent();
  await until("the job to run", () => bench.plane.states("job_a").includes("running"));
  bench.plane.faults.set("poll", 401);
  await bench.kick();
  expect(await codeOf(agent)).toBe(3);
  expect(bench.processes()).toEqual([]);
  expect(bench.attempts()).toEqual([]);
  expect(bench.plane.exit("job_a")).toBeUndefined();
});
