/**
 * How a machine on EC2 becomes known. The metadata service and the control plane are servers of our own; signatures are
 * checked by AWS's signing code.
 */
import { existsSync, readFileSync } from "node:fs";
import { Register } from "@muster/core/agent/protocol.ts";
import { expect, test } from "vitest";
import { Control } from "../../packages/agent/src/control/call.ts";
import { Registration } from "../../packages/agent/src/control/register.ts";
import { facts } from "../../packages/agent/src/host/facts.ts";
import { Metadata } from "../../packages/agent/src/host/metadata.ts";
import { Bench, codeOf, murder } from "./support/bench.ts";
import { CREDENTIALS, Machine } from "./support/machine.ts";
import { until } from "./support/until.ts";

const SECOND = { accessKeyId: "ASIASECOND0000000", secretAccessKey: "second", sessionToken: "second//token==" };

test.concurrent("a machine registers as itself, and runs a job", async () => {
  await using of = await Machine.open();
  of.bench.plane.assign("job_a", { run: "echo hello" });
  of.start();
  await of.bench.exit("job_a");
  expect(of.bench.plane.log("job_a")).toBe("hello\n");
  expect(of.bench.plane.turnedAway).toEqual([]);
  const [registration] = of.bench.plane.registrations;
  expect(Register.parse(registration)).toEqual(registration);
  expect(registration?.facts).toMatchObject({
    machineId: "i-0123456789abcdef0",
    zone: "eu-central-1b",
    instanceType: "g5.xlarge",
    market: "spot",
    sessionAgent: expect.any(Boolean),
  });
});

test.concurrent("it asks again while its launch is not on record, and while its metadata cannot be had", async () => {
  await using of = await Machine.open();
  const { bench, metadata } = of;
  metadata.fault = "cut";
  bench.plane.faults.set("register", 503);
  of.start();
  const log = (text: string): Promise<boolean> => until(text, () => bench.agentLog().includes(text));
  await log("enrollment not answered");
  metadata.fault = 503;
  await log("gave no token (HTTP 503)");
  metadata.fault = undefined;
  await log("HTTP 503 unavailable");
  expect(bench.plane.polls).toEqual([]);
  bench.plane.faults.clear();
  await until("a poll", () => bench.plane.polls.length > 0);
});

test.concurrent("a role without credentials, and an expired set, are replaced by what comes later", async () => {
  await using of = await Machine.open();
  const { bench, metadata } = of;
  metadata.values.set("iam/security-credentials/muster-test-host", JSON.stringify({ Code: "Failed" }));
  of.start();
  await until("the first try", () => bench.agentLog().includes("has no credentials yet (Failed)"));
  bench.plane.trusted.credentials = [SECOND];
  metadata.grant(CREDENTIALS);
  await until("the expired set", () => bench.plane.turnedAway.some(why => why.includes("expired")));
  metadata.grant(SECOND);
  metadata.forget();
  await until("a poll", () => bench.plane.polls.length > 0);
  expect(metadata.tokens).toBe(2);
});

test.concurrent("a role without a session token signs without one", async () => {
  await using of = await Machine.open();
  const plain = { accessKeyId: "AKIAPLAIN00000000", secretAccessKey: "plain" };
  of.metadata.grant(plain);
  of.bench.plane.trusted.credentials = [plain];
  of.start();
  await until("a poll", () => of.bench.plane.polls.length > 0);
  expect(of.bench.plane.turnedAway).toEqual([]);
});

test.concurrent("a machine whose clock is wrong learns the time from the refusal", async () => {
  await using of = await Machine.open();
  of.bench.plane.ahead = 3_600_000;
  of.start();
  await until("a poll", () => of.bench.plane.polls.length > 0);
  expect(of.bench.plane.turnedAway).toEqual(["Signature expired"]);
});

test.concurrent("lost answers and killed agents make one host: the nonce is on disk before it is sent", async () => {
  await using of = await Machine.open();
  const { bench } = of;
  bench.plane.faults.set("register", "cut after");
  const first = of.start();
  await until("a registration", () => bench.plane.registrations[0]);
  await murder(first);
  expect(readFileSync(bench.home.nonce, "utf8")).toBe(bench.plane.registrations[0]?.nonce);
  bench.plane.faults.clear();
  const second = of.start();
  await until("a poll", () => bench.plane.polls.length > 0);
  await murder(second);
  expect(bench.plane.hosts).toBe(1);
  const registrations = bench.plane.registrations.length;
  const polls = bench.plane.polls.length;
  of.start();
  await until("another poll", () => bench.plane.polls.length > polls);
  expect(bench.plane.registrations).toHaveLength(registrations);
  expect(new Set(bench.plane.registrations.map(one => one.nonce)).size).toBe(1);
});

test.concurrent("a disk that was copied to another machine registers as that one, and keeps what else is on it", async () => {
  await using of = await Machine.open();
  const { bench, metadata } = of;
  const first = of.start();
  await until("a poll", () => bench.plane.polls.length > 0);
  await murder(first);
  metadata.values.set("instance-id", "i-0aaaaaaaaaaaaaaaa");
  metadata.forget();
  of.start();
  await until("another registration", () => bench.plane.registrations.length > 1);
  const [before, after] = bench.plane.registrations;
  expect(after?.facts.machineId).toBe("i-0aaaaaaaaaaaaaaaa");
  expect(after?.nonce).not.toBe(before?.nonce);
  expect(bench.plane.hosts).toBe(2);
  const identity = () => (existsSync(bench.home.hostToken) ? readFileSync(bench.home.hostToken, "utf8") : "");
  await until("its identity on disk", () => identity().includes("i-0aaaaaaaaaaaaaaaa"));
});

test.concurrent("a machine that knows who it is goes on while its metadata cannot be had", async () => {
  await using of = await Machine.open();
  const { bench, metadata } = of;
  const first = of.start();
  await until("a poll", () => bench.plane.polls.length > 0);
  await murder(first);
  const polls = bench.plane.polls.length;
  metadata.fault = "cut";
  of.start();
  await until("another poll", () => bench.plane.polls.length > polls);
  expect(bench.plane.registrations).toHaveLength(1);
});

test.concurrent("a session agent that does not run yet is waited for, and not for ever", async () => {
  await using of = await Machine.open();
  const { bench, metadata } = of;
  let runs = false;
  const registration = (sessionAgentWithin: number) =>
    new Registration({
      control: new Control(bench.plane.url),
      metadata: new Metadata(metadata.url),
      sessionAgentWithin,
      hasSessionAgent: () => runs,
    });
  const waiting = registration(60_000);
  await expect(waiting.send("a".repeat(64), facts([], undefined))).rejects.toThrow("does not run yet");
  expect(bench.plane.registrations).toEqual([]);
  runs = true;
  await waiting.send("a".repeat(64), facts([], undefined));
  runs = false;
  await registration(0).send("a".repeat(64), facts([], undefined));
  expect(bench.plane.registrations.map(one => one.facts.sessionAgent)).toEqual([true, false]);
});

test.concurrent("an agent that is refused ends with code 3; the gateway's own refusal ends nothing", async () => {
  await using of = await Machine.open();
  const { bench } = of;
  bench.plane.trusted.credentials = [];
  const agent = of.start();
  await until("the gateway's refusal", () => bench.plane.turnedAway.length >= 2);
  expect(agent.exitCode).toBeNull();
  bench.plane.faults.set("register", 401);
  bench.plane.trusted.credentials = [CREDENTIALS];
  expect(await codeOf(agent)).toBe(3);
});

test.concurrent("nothing of the role's credentials is in the agent's log", async () => {
  await using of = await Machine.open();
  of.start();
  await until("a poll", () => of.bench.plane.polls.length > 0);
  for (const secret of Object.values(CREDENTIALS)) expect(of.bench.agentLog()).not.toContain(secret);
});

test.concurrent("only machines on EC2 register", async () => {
  await using bench = await Bench.open();
  expect(await bench.command("run", "--register", "moon")).toBe(2);
});
