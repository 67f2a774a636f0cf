/** What an agent finds on its machine; the metadata service is a server of our own, processes are real. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Facts } from "@muster/core/host/host.ts";
import { expect, test } from "vitest";
import { facts } from "../../packages/agent/src/host/facts.ts";
import { machineFacts } from "../../packages/agent/src/host/machine.ts";
import { Metadata } from "../../packages/agent/src/host/metadata.ts";
import { FakeMetadata } from "./support/metadata.ts";
import { until } from "./support/until.ts";

test("a machine on EC2 tells what it is, and whether sessions can reach it", async () => {
  await using fake = await FakeMetadata.open();
  const metadata = new Metadata(fake.url);
  const place = mkdtempSync(join(tmpdir(), "mf-"));
  copyFileSync("/bin/sleep", join(place, "amazon-ssm-agent"));
  const sessions = spawn(join(place, "amazon-ssm-agent"), ["1000"]);
  try {
    const found = await until("the session agent", async () => {
      const now = await machineFacts(metadata);
      return now.sessionAgent && now;
    });
    expect(found).toEqual({
      machineId: "i-0123456789abcdef0",
      zone: "eu-central-1b",
      instanceType: "g5.xlarge",
      market: "spot",
      sessionAgent: true,
    });
    const all = { ...facts([]), ...found };
    expect(Facts.parse(all)).toEqual(all);
  } finally {
    sessions.kill();
    await once(sessions, "exit");
    rmSync(place, { recursive: true });
  }
  await until("it to be gone", async () => (await machineFacts(metadata)).sessionAgent === false);
  expect(fake.tokens).toBe(1);
});

test("a machine without a market says none", async () => {
  await using fake = await FakeMetadata.open();
  fake.values.delete("instance-life-cycle");
  expect(await machineFacts(new Metadata(`${fake.url}/`))).not.toHaveProperty("market");
});
