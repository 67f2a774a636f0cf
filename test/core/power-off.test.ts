/** What hosts are told about ending by themselves, and what they tell of their clouds; through the real poll. */
import { poll } from "@muster/core/agent/poll.ts";
import { events } from "@muster/core/cluster/read.ts";
import { authenticate } from "@muster/core/host/authenticate.ts";
import { enroll } from "@muster/core/host/enroll.ts";
import { expect, test } from "vitest";
import { FACTS } from "../support/host.ts";
import { MINUTE, readyCluster } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

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

test("what the cloud announces to a host stands in its cluster's history", async () => {
  const { world, id, ask } = await polling({});
  await ask({ notice: { kind: "interruption" } });
  const { items } = await events(world, ADA, id, { limit: 100 });
  expect(items.map(event => event.kind)).toContain("host.interruption");
});
