/** What an agent finds on its machine; the metadata service is a server of our own, processes are real. */
import { Facts } from "@muster/core/host/host.ts";
import { expect, test } from "vitest";
import { facts } from "../../packages/agent/src/host/facts.ts";
import { hasSessionAgent, machineFacts } from "../../packages/agent/src/host/machine.ts";
import { Metadata } from "../../packages/agent/src/host/metadata.ts";
import { FakeMetadata } from "./support/metadata.ts";
import { sessionAgent } from "./support/session-agent.ts";
import { until } from "./support/until.ts";

test("a machine on EC2 tells what it is", async () => {
  await using fake = await FakeMetadata.open();
  const found = await machineFacts(new Metadata(fake.url));
  expect(found).toEqual({
    machineId: "i-0123456789abcdef0",
    zone: "eu-central-1b",
    instanceType: "g5.xlarge",
    market: "spot",
  });
  const all = { ...facts([]), ...found, sessionAgent: true };
  expect(Facts.parse(all)).toEqual(all);
  expect(fake.tokens).toBe(1);
});

test("whether sessions can reach it is seen by its processes", async () => {
  const isOfTheMachine = hasSessionAgent();
  {
    await using _ = sessionAgent();
    await until("the session agent", async () => hasSessionAgent());
  }
  await until("it to be gone", async () => hasSessionAgent() === isOfTheMachine);
});

test("a machine without a market says none", async () => {
  await using fake = await FakeMetadata.open();
  fake.values.delete("instance-life-cycle");
  expect(await machineFacts(new Metadata(`${fake.url}/`))).not.toHaveProperty("market");
});
