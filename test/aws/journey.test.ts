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

/** What the nodes of a job wrote, a line each, in order of rank. */
async function logOf(job: string): Promise<string[]> {
  const { chunks } = await at.api.jobs.logs({ params: { job } });
  const texts = await Promise.all(chunks.map(async chunk => (await fetch(chunk.url)).text()));
  return texts
    .flatMap(text => text.split("\n"))
    .filter(line => line.startsWith("node "))
    .toSorted();
}

const cluster = async (name: string) => at.api.clusters.get({ params: { cluster: name } });

test("a launch gets its machines, runs its job on real processes, keeps its log, and leaves nothing", async () => {
  const task = Task.parse({
    resources: { instanceType: "m7i.xlarge" },
    nodes: 2,
    secrets: { WORD: "hunter2" },
    run: 'echo "node $MUSTER_NODE_RANK of $MUSTER_NUM_NODES, $(printf %s "$WORD" | wc -c | tr -d " ") letters"',
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
  expect(job).toMatchObject({ state: "succeeded", logsComplete: true });
  expect(await alive()).toHaveLength(2);
  expect(await logOf(id)).toEqual(["node 0 of 2, 7 letters", "node 1 of 2, 7 letters"]);
  // The secret went to Parameter Store and to the hosts, and to no other service and no log; its job is over, and so is it.
  const spoken = at.edge.log.filter(call => call.body.includes("hunter2"));
  expect(spoken.map(call => call.operation)).toEqual(["PutParameter"]);
  expect(JSON.stringify(Object.values(at.functions).map(({ lines }) => lines))).not.toContain("hunter2");
  await until("its secret to be forgotten", async () => at.edge.log.some(call => call.operation === "DeleteParameter"));
  // The kick made the agents look: nobody waited for the next poll.
  expect(at.edge.log.filter(call => call.operation === "SendCommand").length).toBeGreaterThan(0);
  expect(at.edge.log.filter(call => call.operation === "RunInstances")).toHaveLength(1);
  expect(at.edge.log.filter(call => call.operation === "StartExecution").length).toBeGreaterThan(0);
  await at.api.clusters.remove({ params: { cluster: "demo" } });
  await until("the machines to be gone", async () => (await alive()).length === 0, 60_000);
  // The record waits until nothing of the launch can show any more: two minutes after it.
  at.clock.ahead = 120_000;
  await until(
    "the cluster to be gone",
    async () => (await cluster(launched.cluster.id)).state === "terminated",
    60_000,
  );
  expect(await alive()).toEqual([]);
  expect(at.functions.lifecycle.lines.filter(line => line.includes('"level":"error"'))).toEqual([]);
  expect(at.edge.unimplemented).toEqual([]);
}, 400_000);
