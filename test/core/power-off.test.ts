/** What hosts are told about ending by themselves, and what they tell of their clouds; through the real poll. */
import { poll } from "@muster/core/agent/poll.ts";
import { autostop } from "@muster/core/cluster/change.ts";
import { hold } from "@muster/core/cluster/hold.ts";
import { events } from "@muster/core/cluster/read.ts";
import { authenticate } from "@muster/core/host/authenticate.ts";
import { enroll } from "@muster/core/host/enroll.ts";
import { expect, test } from "vitest";
import { FACTS } from "../support/host.ts";
import { MINUTE, readyCluster } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
const PULSE = { cpu: 0, memory: 0.1, gpus: [], sessions: 0 };

async function polling(more: object) {
  const world = testWorld();
  const { id } = await readyCluster(world, more);
  const token = world.provider.intents.at(-1)?.hosts[0]?.enrollmentToken ?? "";
  const { hostToken } = await enroll(world, { token, nonce: "0".repeat(64), facts: FACTS });
  const actor = await authenticate(world, `Bearer ${hostToken}`);
  return { world, id, ask: (notice = {}) => poll(world, actor, { pulse: PULSE, attempts: [], ...notice }) };
}

test("a host lives by itself a little longer than its cluster's policy would let it idle", async () => {
  const { ask } = await polling({ idle: { after: 10, action: "stop" } });
  expect((await ask()).powerOff).toEqual({ afterSilence: 600 + 900 });
});

test("a host of a cluster that is kept is told nothing; one with a lifetime is told its end", async () => {
  expect((await (await polling({ idle: "never" })).ask()).powerOff).toBeUndefined();
  const { ask, world } = await polling({ idle: "never", maxLifetime: 60 });
  const end = world.clock.now() + 60 * MINUTE;
  expect((await ask()).powerOff).toEqual({ afterSilence: 3600 + 900, at: end });
});

test("a host of a cluster that is held lives by itself until the hold ends, and a little longer", async () => {
  const { ask, world } = await polling({ idle: { after: 10, action: "stop" } });
  await hold(world, ADA, "demo", { seconds: 7200 });
  expect((await ask()).powerOff).toEqual({ afterSilence: 7200 + 900 });
  world.clock.pass(115 * MINUTE);
  // Its hold ends before the policy's time would.
  expect((await ask()).powerOff).toEqual({ afterSilence: 600 + 900 });
});

test("a host does not power off in the hours in which its cluster is kept", async () => {
  // The clock begins on Thursday, 2026-01-01, 00:00 UTC.
  const keep = { zone: "UTC", hours: [{ days: ["thu" as const], from: "00:20", to: "06:00" }] };
  const { ask, world } = await polling({ idle: { after: 10, action: "stop", keep } });
  // At 00:10 the control plane would stop it; the host, later, would be in the hours.
  expect((await ask()).powerOff).toEqual({ afterSilence: 6 * 3600 });
  world.clock.pass(120 * MINUTE);
  expect((await ask()).powerOff).toEqual({ afterSilence: 4 * 3600 + 900 });
  const always = { zone: "UTC", hours: [{ days: [...DAYS], from: "00:00", to: "00:00" }] };
  const kept = await polling({ idle: { after: 10, action: "stop", keep: always } });
  expect((await kept.ask()).powerOff).toBeUndefined();
});

test("where nothing keeps it, the time counts from when it got ready", async () => {
  const { ask, world } = await polling({ idle: { after: 60, action: "stop", waitFor: "none" } });
  world.clock.pass(20 * MINUTE);
  expect((await ask()).powerOff).toEqual({ afterSilence: 2400 + 900 });
  world.clock.pass(80 * MINUTE);
  expect((await ask()).powerOff).toEqual({ afterSilence: 900 });
});

test("until its machine has learnt of a new policy, it lives as long as either lets it", async () => {
  const { ask, world, id } = await polling({ idle: { after: 60, action: "stop" } });
  world.provider.setPowerOff = async () => Promise.reject(new Error("not now"));
  await autostop(world, ADA, id, { after: 5, action: "terminate" });
  expect((await ask()).powerOff).toEqual({ afterSilence: 3600 + 900 });
  await autostop(world, ADA, id, "never");
  expect((await ask()).powerOff).toBeUndefined();
});

test("what the cloud announces to a host stands in its cluster's history", async () => {
  const { world, id, ask } = await polling({});
  await ask({ notice: { kind: "interruption" } });
  const { items } = await events(world, ADA, id, { limit: 100 });
  expect(items.map(event => event.kind)).toContain("host.interruption");
});
