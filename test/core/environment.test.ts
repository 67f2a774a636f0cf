/** What a job is told of its place; through the real poll, on SQLite in memory. */

import * as Create from "@muster/core/cluster/create.ts";
import { enroll } from "@muster/core/host/enroll.ts";
import { submit } from "@muster/core/job/submit.ts";
import { expect, test } from "vitest";
import { FACTS, TestHost } from "../support/host.ts";
import { clusterRequest, jobRequest, passing } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

test("the zone is the machine's own, where it knows: groups may be in several", async () => {
  const world = testWorld();
  const { id } = await Create.create(world, ADA, clusterRequest());
  await passing(world, 1);
  const token = world.provider.intents[0]?.hosts[0]?.enrollmentToken ?? "";
  const facts = { ...FACTS, zone: "eu-central-1c" };
  const { hostToken } = await enroll(world, { token, nonce: "0".repeat(64), facts });
  await submit(world, ADA, id, jobRequest());
  const { assignments } = await new TestHost(world, hostToken).poll();
  expect(JSON.parse(assignments[0]?.env.MUSTER_CLUSTER_INFO ?? "")).toEqual({
    cluster_name: "demo",
    cloud: "fake",
    region: null,
    zone: "eu-central-1c",
  });
});
