/**
 * The bundled functions from their bundles, end to end: create → ready → job → done → down. Ran against: moto's DynamoDB,
 * EC2, S3, SQS and Step Functions through the edge, moto's interpreter running our state machines, and a real agent as the
 * host. API Gateway, the event sources, the metadata service, and client tokens of RunInstances are ours.
 */
import { DescribeInstancesCommand } from "@aws-sdk/client-ec2";
import { Task } from "@muster/core/task/task.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { until } from "../support/until.ts";
import { type Deployment, deploy } from "./deployment/deployment.ts";

let at: Deployment;
beforeAll(async () => {
  at = await deploy();
});
afterAll(() => at?.close());

const alive = async () => {
  const { Reservations = [] } = await at.ec2.send(new DescribeInstancesCommand({}));
  return Reservations.flatMap(one => one.Instances ?? []).filter(
    one => one.State?.Name !== "terminated" && one.State?.Name !== "shutting-down",
  );
};

const cluster = async (name: string) => at.api.clusters.get({ params: { cluster: name } });

test("a launch gets its machines, runs its job on real processes, keeps its log, and leaves nothing", async () => {
  const task = Task.parse({
    resources: { instanceType: "m7i.xlarge" },
    nodes: 2,
    run: 'echo "node $MUSTER_NODE_RANK of $MUSTER_NUM_NODES"',
  });
  const launched = await at.api.launches.create({ body: { task, cluster: "demo" } });
  const id = launched.job?.id ?? "";
  const job = await until(
    "the job to end",
    async () => {
      const found = await at.api.jobs.get({ params: { job: id } });
      return ["succeeded", "failed", "cancelled"].includes(found.state) ? found : undefined;
    },
    90_000,
  );
  expect(job).toMatchObject({ state: "succeeded" });
  expect(await alive()).toHaveLength(2);
  await at.api.clusters.remove({ params: { cluster: "demo" } });
  await until(
    "the cluster to be gone",
    async () => (await cluster(launched.cluster.id)).state === "terminated",
    90_000,
  );
  expect(await alive()).toEqual([]);
  expect(at.edge.unimplemented).toEqual([]);
});
