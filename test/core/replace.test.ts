/** Jobs that take the place of others, or will not wait behind them; through the real verbs on SQLite in memory. */
import type { Actor } from "@muster/core/actor/actor.ts";
import * as Clusters from "@muster/core/cluster/read.ts";
import { findClaim, Replay } from "@muster/core/commit.ts";
import type * as Job from "@muster/core/job/job.ts";
import * as Read from "@muster/core/job/read.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import type { TaskInput } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";
import { code, jobRequest, launchRequest, readyCluster, ref } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

const BOB: Actor = { workspace: "acme", id: "usr_bob", role: "member" };

/** A cluster of one host; one job runs there, and one waits that would take the cluster along. */
async function busy(more = {}) {
  const world = testWorld();
  const { id, hosts } = await readyCluster(world, { shared: true, ...more });
  const running = (await submit(world, BOB, id, jobRequest())).id;
  await schedule(world, ref(id));
  const waiting = (await submit(world, ADA, id, jobRequest({}, { down: true }))).id;
  const states = (...jobs: string[]) => Promise.all(jobs.map(async job => (await Read.get(world, ADA, job)).state));
  return { world, id, host: hosts[0], running, waiting, states };
}

const taking = (task: TaskInput = {}) => jobRequest(task, { force: true }) as Job.Submit;

test("with force a job takes the place of what runs and of what waits, and the cluster stays", async () => {
  const { world, id, host, running, waiting, states } = await busy();
  const { assignments } = (await host?.poll()) ?? { assignments: [] };
  const { idle } = await Clusters.get(world, ADA, id);
  const next = (await submit(world, ADA, id, taking())).id;
  expect(await states(running, waiting, next)).toEqual(["cancelling", "cancelled", "queued"]);
  const fence = assignments[0]?.fence ?? 0;
  const held = await host?.poll([{ jobId: running, fence }]);
  expect(held?.held).toMatchObject([{ jobId: running, cancel: "cancelled" }]);
  await host?.report({ jobId: running, fence, state: "exited", cause: "cancelled", chunks: 0, logsComplete: true });
  expect((await host?.poll())?.assignments.map(({ jobId }) => jobId)).toEqual([next]);
  const { state, idle: now } = await Clusters.get(world, ADA, id);
  expect([state, now]).toEqual(["ready", idle]);
});

test("only who manages the cluster may force, and nothing is cancelled for a request that is refused", async () => {
  const { world, id, running, waiting, states } = await busy();
  expect(await code(submit(world, BOB, id, taking()))).toBe("forbidden");
  expect(await code(submit(world, ADA, id, taking({ nodes: 2 })))).toBe("invalid_request");
  expect(await code(submit(world, ADA, id, taking({ storedSecrets: ["NONE"] })))).toBe("not_found");
  expect(await states(running, waiting)).toEqual(["starting", "queued"]);
});

test("an array that waits ends as a whole, or its next run would take the place", async () => {
  const { world, id, states } = await busy();
  const array = (await submit(world, ADA, id, jobRequest({ runs: { count: 3 } } as TaskInput))).id;
  const next = (await submit(world, ADA, id, taking())).id;
  expect((await world.table.get(Keys.array("acme", array)))?.data.state).toBe("cancelled");
  expect(await states(next)).toEqual(["queued"]);
  const { items } = await world.table.query({ pk: `W#acme#C#${id}`, prefix: "Q#" });
  expect(items.map(item => item.data.jobId)).toEqual([next]);
});

/** As the API's door does it. */
async function served(world: TestWorld, actor: Actor, run: () => Promise<Job.Info>): Promise<unknown> {
  const before = await findClaim(world, actor);
  if (before) return before.answer;
  return run().catch(error => {
    if (error instanceof Replay) return error.answer;
    throw error;
  });
}

test("the same request twice at once makes one job, which the second of them does not cancel", async () => {
  for (let delay = 0; delay < 40; delay++) {
    const { world, id, running, waiting, states } = await busy();
    const actor: Actor = { ...ADA, claim: { key: "k", request: "r" } };
    const slow = slowed(world, delay);
    const both = [slow, world].map(one => served(one, actor, () => submit(one, actor, id, taking())));
    const [one, two] = (await Promise.all(both)) as Job.Info[];
    expect(one?.id).toBe(two?.id);
    expect(await states(running, waiting, one?.id ?? "")).toEqual(["cancelling", "cancelled", "queued"]);
  }
});

/** Its n-th use of the table comes late, when everybody else is done. */
function slowed(world: TestWorld, nth: number): TestWorld {
  let uses = 0;
  const late = async <T>(use: () => Promise<T>): Promise<T> => {
    if (uses++ === nth) for (let turn = 0; turn < 500; turn++) await Promise.resolve();
    return use();
  };
  const { table } = world;
  return {
    ...world,
    table: {
      get: key => late(() => table.get(key)),
      query: (query => late(() => table.query(query as never))) as typeof table.query,
      write: writes => late(() => table.write(writes)),
    },
  };
}

test("a job that will not wait is refused while anything runs or waits, and taken when nothing does", async () => {
  const { world, id, host, running, waiting } = await busy();
  const alone = () => submit(world, ADA, id, jobRequest({}, { onBusy: "fail" }) as Job.Submit);
  await expect(alone()).rejects.toMatchObject({
    code: "cluster_busy",
    message: `cluster 'demo' is busy with job ${running}, and 1 other`,
  });
  const { assignments } = (await host?.poll()) ?? { assignments: [] };
  await host?.run({ jobId: running, fence: assignments[0]?.fence ?? 0 }, 0);
  await expect(alone()).rejects.toMatchObject({ message: `cluster 'demo' is busy with job ${waiting}` });
  const free = testWorld();
  const { id: other } = await readyCluster(free);
  const request = jobRequest({}, { onBusy: "fail" }) as Job.Submit;
  const codes = await Promise.all([1, 2, 3].map(() => code(submit(free, ADA, other, request))));
  expect(codes.toSorted()).toEqual(["cluster_busy", "cluster_busy", "nothing"]);
});

test("launches on a cluster that is there may be refused, or force their way, just so", async () => {
  const { world, running, waiting, states } = await busy();
  expect(await code(launch(world, ADA, { ...launchRequest, onBusy: "fail" }))).toBe("cluster_busy");
  const { job } = await launch(world, ADA, { ...launchRequest, force: true });
  expect(await states(running, waiting, job?.id ?? "")).toEqual(["cancelling", "cancelled", "queued"]);
});
