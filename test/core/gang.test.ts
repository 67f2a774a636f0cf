/** What the control plane tells the nodes of a job of each other, and keeps of its services; the hosts are of ours. */
import { create } from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { choose, orderOf, Phase } from "@muster/core/log/phases.ts";
import type { Key, Table } from "@muster/core/ports/table.ts";
import type { TaskInput } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";
import * as Columns from "../../packages/cli/src/job-columns.ts";
import * as Shown from "../../packages/cli/src/shown.ts";
import { enrollAll, FACTS, type TestHost } from "../support/host.ts";
import { clusterRequest, jobRequest, ref as refOf } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

const keyOf = (letter: string): string => `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${letter.repeat(43)}`;

/** A job that its hosts have taken; each of them comes by a key of its own, as far as there are keys. */
async function started(world: TestWorld, nodes: number, task: TaskInput, keys: readonly (string | undefined)[] = []) {
  const { id } = await create(world, ADA, clusterRequest({ nodes }));
  await reconcile(world, refOf(id));
  const hosts: TestHost[] = [];
  for (const host of world.provider.intents.at(-1)?.hosts ?? []) {
    const sshKey = keys[host.rank];
    hosts.push(...(await enrollAll(world, { ...FACTS, ...(sshKey && { sshKey }) }, { hosts: [host] })));
  }
  const job = await submit(world, ADA, "demo", jobRequest({ ...task, nodes }));
  // The first poll places the job.
  await hosts[0]?.poll();
  const orders = await Promise.all(hosts.map(host => host.poll()));
  const assignments = orders.flatMap(order => order.assignments);
  return { hosts, job, assignments, ref: { jobId: job.id, fence: assignments[0]?.fence ?? 0 } };
}

test("a host learns the public keys of the job's other hosts, and of no others", async () => {
  const [a, b, c] = ["a", "b", "c"].map(keyOf);
  const { assignments } = await started(testWorld(), 3, {}, [a, b, c]);
  expect(assignments.map(({ peers }) => peers)).toEqual([
    [
      { address: "10.0.0.2", sshKey: b },
      { address: "10.0.0.3", sshKey: c },
    ],
    [
      { address: "10.0.0.1", sshKey: a },
      { address: "10.0.0.3", sshKey: c },
    ],
    [
      { address: "10.0.0.1", sshKey: a },
      { address: "10.0.0.2", sshKey: b },
    ],
  ]);
});

test("a host without a key is nobody's to reach, and reaches nobody; a job of one node has no others", async () => {
  const [a, c] = ["a", "c"].map(keyOf);
  const { assignments } = await started(testWorld(), 3, {}, [a, undefined, c]);
  expect(assignments.map(({ peers }) => peers?.map(({ address }) => address))).toEqual([
    ["10.0.0.3"],
    [],
    ["10.0.0.1"],
  ]);
  const alone = await started(testWorld(), 1, {}, [a]);
  expect(alone.assignments[0]).not.toHaveProperty("peers");
});

test("of many hosts the keys are read together: each node asks for all of them", async () => {
  const world = testWorld();
  const { table } = world;
  const read: string[] = [];
  const counting = Object.assign(Object.create(table) as Table, {
    get: (key: Key) => {
      read.push(key.sk);
      return table.get(key);
    },
    query: table.query.bind(table),
    write: table.write.bind(table),
  });
  const { assignments } = await started({ ...world, table: counting }, 20, {}, Array(20).fill(keyOf("a")));
  expect(assignments.map(({ peers }) => peers?.length)).toEqual(Array(20).fill(19));
  expect(assignments[3]?.peers?.some(({ address }) => address === "10.0.0.4")).toBe(false);
  // A few for each of the calls, and none for each of the others.
  expect(read.filter(sk => sk.startsWith("HOST#")).length).toBeLessThan(20 * 10);
});

test("services are the first host's, and Ray is all of theirs", async () => {
  const services = [{ name: "board", run: "serve", port: 6006 }];
  const { assignments } = await started(testWorld(), 2, { services, ray: true });
  expect(assignments.map(one => [one.services, one.ray])).toEqual([
    [services, true],
    [undefined, true],
  ]);
});

const ENDPOINTS = [{ name: "board", url: "http://10.0.0.1:6006" }];

test.each([
  ["before the others", [0, 1]],
  ["after the others", [1, 0]],
])("where services are is told of a job that runs, though its first host begins %s", async (_, order) => {
  const world = testWorld();
  const { hosts, job, ref } = await started(world, 2, {});
  expect((await Read.get(world, ADA, job.id)).endpoints).toBeUndefined();
  for (const rank of order)
    await hosts[rank]?.report({ ...ref, state: "running", ...(rank === 0 && { endpoints: ENDPOINTS }) });
  expect(await Read.get(world, ADA, job.id)).toMatchObject({ state: "running", endpoints: ENDPOINTS });
  for (const host of hosts) await host.run(ref, 0);
  const over = await Read.get(world, ADA, job.id);
  expect([over.state, over.endpoints]).toEqual(["succeeded", undefined]);
});

test("people see them as a column and below their status", async () => {
  const world = testWorld();
  const { hosts, job, ref } = await started(world, 1, {});
  await hosts[0]?.report({ ...ref, state: "running", endpoints: ENDPOINTS });
  const info = await Read.get(world, ADA, job.id);
  expect(Columns.csv([info], ["state", "endpoints"])).toBe("state,endpoints\r\nrunning,board=http://10.0.0.1:6006");
  expect(Shown.endpoints([info])).toEqual([`board: http://10.0.0.1:6006 (${job.id})`]);
  expect(Shown.endpoints([{ ...info, endpoints: undefined }])).toEqual([]);
});

test("what services print is a part of the log beside run's, by their names", () => {
  expect(
    ["service-board", "ray", "service-", "service-B", "services"].map(one => Phase.safeParse(one).success),
  ).toEqual([true, true, false, false, false]);
  const order = ["run", "ray", "service-b", "hooks", "muster"].map(orderOf);
  expect(order.toSorted((a, b) => a - b)).toEqual(order);
  // Their chunks come in any order: none of them ends another.
  expect(order.slice(0, 3)).toEqual([orderOf("run"), orderOf("run"), orderOf("run")]);
  expect(new Set(order).size).toBe(3);
  const choice = choose(["service-b"]);
  expect(["service-a", "service-b", "run"].map(one => choice.has(one))).toEqual([false, true, false]);
});
