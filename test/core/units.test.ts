/** What verbs cost, as counts, against the budgets; on SQLite, with DynamoDB's rules of charging (see support/units.ts). */
import * as Create from "@muster/core/cluster/create.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import type { TaskInput } from "@muster/core/task/task.ts";
import { LONGEST_ORIGIN } from "@muster/core/token/stored.ts";
import { expect, test } from "vitest";
import { clusterRequest, jobRequest, readyCluster, ref } from "../support/requests.ts";
import { counted, type Units } from "../support/units.ts";
import { ADA, testWorld } from "../support/world.ts";

function countedWorld() {
  const world = testWorld();
  const { table, units } = counted(world.table);
  const spent = async (run: () => Promise<unknown>): Promise<Units> => {
    const before = { ...units };
    await run();
    return { writes: units.writes - before.writes, reads: units.reads - before.reads };
  };
  return { world: { ...world, table }, spent };
}

/** As much as an event can be made to say of how its request came. */
const VIA = {
  token: `tok_${"0".repeat(26)}`,
  from: "2001:0db8:1111:2222:3333:4444:5555:6666",
  origin: "o".repeat(LONGEST_ORIGIN),
};

test("a submit to a warm cluster costs 9 write units, and 2 more for its idempotency key; it asks no provider", async () => {
  const { world, spent } = countedWorld();
  const { id } = await readyCluster(world);
  const launches = world.provider.intents.length;
  expect((await spent(() => submit(world, ADA, id, jobRequest()))).writes).toBe(9);
  const ben = { ...ADA, via: VIA };
  expect((await spent(() => submit(world, ben, id, jobRequest()))).writes).toBe(9);
  const actor = { ...ben, claim: { key: "k", request: "r" } };
  // One more than the budget of ten: see designs/002.
  expect((await spent(() => submit(world, actor, id, jobRequest()))).writes).toBeLessThanOrEqual(11);
  expect(world.provider.intents.length).toBe(launches);
});

test("secrets cost no write units, neither when their job is submitted nor when it ends", async () => {
  const costs = async (task: TaskInput) => {
    const { world, spent } = countedWorld();
    const { id, hosts } = await readyCluster(world);
    let job = "";
    const submitted = await spent(async () => {
      job = (await submit(world, ADA, id, jobRequest(task))).id;
    });
    await hosts[0]?.poll();
    const fence = (await Read.get(world, ADA, job)).fence ?? 0;
    const ended = await spent(async () => hosts[0]?.run({ jobId: job, fence }, 0));
    return { submitted: submitted.writes, ended };
  };
  const without = await costs({});
  expect(without.submitted).toBe(9);
  expect(await costs({ secrets: { TOKEN: "t".repeat(5000) } })).toEqual(without);
});

test("a job's completion costs 14 write units at most", async () => {
  const { world, spent } = countedWorld();
  const { id, hosts } = await readyCluster(world);
  const { id: jobId } = await submit(world, ADA, id, jobRequest());
  await hosts[0]?.poll();
  const fence = (await Read.get(world, ADA, jobId)).fence ?? 0;
  await hosts[0]?.report({ jobId, fence, state: "running" });
  const { writes } = await spent(
    async () =>
      hosts[0]?.report({
        jobId,
        fence,
        state: "exited",
        cause: "exited",
        exitCode: 0,
        chunks: 0,
        logsComplete: true,
      }) ?? Promise.reject(new Error("no host")),
  );
  expect((await Read.get(world, ADA, jobId)).state).toBe("succeeded");
  expect(writes).toBeLessThanOrEqual(14);
});

test("a cluster is created with one launch call, however many hosts it has", async () => {
  const { world } = countedWorld();
  const { id } = await Create.create(world, ADA, clusterRequest({ nodes: 16 }));
  await reconcile(world, ref(id));
  expect(world.provider.intents).toHaveLength(1);
});

test("a sweep writes nothing when nothing has changed", async () => {
  const { world, spent } = countedWorld();
  for (const name of ["a", "b", "c", "d"]) await readyCluster(world, { name, idle: "never" });
  const quiet = await spent(async () => {
    await sweepDue(world);
    await sweepOrphans(world);
  });
  expect(quiet.writes).toBe(0);
});
