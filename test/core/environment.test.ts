/** What a job is told of its place; through the real poll, on SQLite in memory, or as it is said there. */

import { visibleCores } from "@muster/core/accelerator/neuron.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { enroll } from "@muster/core/host/enroll.ts";
import { environment } from "@muster/core/job/environment.ts";
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

test.each([
  ["Inferentia", [1], {}, { NEURON_RT_VISIBLE_CORES: "4-7" }],
  ["Inferentia2", [0, 1], {}, { NEURON_RT_VISIBLE_CORES: "0-3" }],
  ["Trainium", [3, 4, 5], {}, { NEURON_RT_VISIBLE_CORES: "6-11" }],
  ["trn2", [15], {}, { NEURON_RT_VISIBLE_CORES: "60-63" }],
  ["Trainium2", [15], { NEURON_LOGICAL_NC_CONFIG: "1" }, { NEURON_RT_VISIBLE_CORES: "120-127" }],
  ["Trainium", [0, 2], {}, { NEURON_RT_NUM_CORES: "4" }],
  ["Trainium", [], {}, {}],
  ["A100", [0], {}, {}],
])("of %s the devices %j are these cores", (accelerator, numbers, envs, told) => {
  expect(visibleCores(accelerator, numbers, envs)).toEqual(told);
});

test("who has some of a machine's Neuron devices is told which cores these are; who has all of it is told nothing", () => {
  const run = { jobId: "job_a", fence: 1 };
  const envOf = (runs: object[]): Record<string, string> => {
    const slot = { rank: 0, address: "10.0.0.1", cpus: 8, memory: 32, gpus: 16, gpu: "Trainium", up: true, runs };
    const job = { id: "job_a", createdAt: 0, clusterName: "demo", clusterId: "clu_a", fence: 1, attempts: 1 };
    const place = { rank: 0, hosts: [slot], offer: { provider: "aws", region: "us-east-1", zone: "us-east-1a" } };
    const [placed, task] = [job, { envs: {}, secrets: {} }] as unknown as Parameters<typeof environment>;
    return environment(placed, task, place as unknown as Parameters<typeof environment>[2]);
  };
  expect(envOf([{ ...run, gpus: [2, 3] }]).NEURON_RT_VISIBLE_CORES).toBe("4-7");
  expect(envOf([{ ...run, whole: true }])).not.toHaveProperty("NEURON_RT_VISIBLE_CORES");
});
