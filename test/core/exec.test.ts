/** Commands beside jobs, through the real verbs on SQLite in memory; hosts speak the real agent verbs without a machine. */
import * as Create from "@muster/core/cluster/create.ts";
import * as Slots from "@muster/core/cluster/slots.ts";
import * as Command from "@muster/core/job/command.ts";
import { exec } from "@muster/core/job/exec.ts";
import { NONCE } from "@muster/core/job/exec-script.ts";
import * as Read from "@muster/core/job/read.ts";
import { reconcile as look } from "@muster/core/job/reconcile/reconcile.ts";
import { schedule } from "@muster/core/job/schedule.ts";
import { submit } from "@muster/core/job/submit.ts";
import { why } from "@muster/core/job/why.ts";
import { rerun } from "@muster/core/launch/rerun.ts";
import { amend } from "@muster/core/record.ts";
import { expect, test } from "vitest";
import { HEAD, readyGroups, WORKERS } from "../support/groups.ts";
import type { TestHost } from "../support/host.ts";
import { clusterRequest, code, jobRequest, MINUTE, passing, readyCluster, ref, stateOf } from "../support/requests.ts";
import { ADA, BEN, testWorld } from "../support/world.ts";

const commands = (more = {}) => Command.Create.parse({ commands: ["uptime"], ...more });

async function made(more = {}, groups?: unknown) {
  const world = testWorld();
  const { id, hosts } = await (groups === undefined ? readyCluster(world, more) : readyGroups(world, groups));
  const run = (asked = {}) => exec(world, ADA, id, commands(asked));
  const slots = async () => {
    const found = await Slots.get(world.table, "acme", id);
    if (found === undefined) throw new Error("no slots");
    return found;
  };
  /** This host is down, as when it was lost. */
  const lose = async (rank: number, up = false) => {
    const now = await slots();
    const all = now.hosts.map(slot => (slot.rank === rank ? { ...slot, up } : slot));
    await world.table.write([amend(Slots.noun, now, { hosts: all }).write]);
  };
  return { world, id, hosts, run, slots, lose };
}

const idsOn = async (host: TestHost | undefined) => (await host?.poll())?.assignments.map(({ jobId }) => jobId) ?? [];

test("commands begin at once, beside a job that has the whole host, before what waits, and count as no job", async () => {
  const { world, id, hosts, run, slots } = await made({ maxConcurrentJobs: 1 });
  const whole = await submit(world, ADA, id, jobRequest());
  await schedule(world, ref(id));
  const waiting = await submit(world, ADA, id, jobRequest({}, { priority: 1000 }));
  const first = await run({ envs: { A: "b" } });
  const second = await run();
  expect(first).toMatchObject({ state: "queued", name: "exec", needs: [{}], nodes: 1 });
  expect(await schedule(world, ref(id))).toEqual([first.id, second.id]);
  expect(await idsOn(hosts[0])).toEqual([whole.id, first.id, second.id]);
  const assignment = (await hosts[0]?.poll())?.assignments[1];
  expect(assignment).toMatchObject({ beside: { again: false }, env: { A: "b", [NONCE]: first.exec?.nonce } });
  expect(assignment).not.toHaveProperty("gpus");
  // The place of the job that ends is free for the next, whatever runs beside it.
  await hosts[0]?.run({ jobId: whole.id, fence: 1 }, 0);
  expect(await schedule(world, ref(id))).toEqual([waiting.id]);
  expect((await slots()).hosts[0]?.runs.map(run => run.whole ?? run.beside)).toEqual([true, true, true]);
});

test("all hosts that are up, those of a group, or just those that are named; also where no jobs run", async () => {
  const workers = { ...WORKERS, name: "work", nodes: 3 };
  const { world, id, run, lose } = await made({}, [HEAD, workers]);
  expect((await run()).exec).toMatchObject({ ranks: [0, 1, 2, 3] });
  expect((await run({ target: { group: "WORK" } })).exec?.ranks).toEqual([1, 2, 3]);
  const named = await run({ target: { nodes: [3, 0, 3] } });
  expect(named.exec?.ranks).toEqual([0, 3]);
  await lose(3);
  expect((await run()).exec).toMatchObject({ ranks: [0, 1, 2], lost: [3] });
  expect((await run({ target: { group: "work" } })).exec).toMatchObject({ ranks: [1, 2], lost: [3] });
  await expect(run({ target: { nodes: [2, 3] } })).rejects.toMatchObject({
    code: "conflict",
    message: "1 host of cluster 'demo' is down: 3",
  });
  await expect(run({ target: { nodes: [4] } })).rejects.toMatchObject({
    code: "invalid_request",
    message: /no host 4/,
  });
  await expect(run({ target: { group: "wurk" } })).rejects.toMatchObject({
    code: "invalid_request",
    details: { hint: "did you mean 'work'?" },
  });
  expect(await schedule(world, ref(id))).toHaveLength(2);
  expect((await why(world, ADA, named.id)).reasons).toEqual(["host 3 is lost"]);
  await lose(3, true);
  expect(await schedule(world, ref(id))).toHaveLength(3);
});

test("what waits for a host that was lost says so, holds up nobody however much of it there is, and ends in time", async () => {
  const { world, id, run, lose } = await made({ nodes: 2 });
  const stuck = [];
  for (let count = 0; count < 60; count++) stuck.push(await run());
  const job = await submit(world, ADA, id, jobRequest({ run: "true" }));
  await lose(1);
  expect(await schedule(world, ref(id))).toEqual([job.id]);
  const [one] = stuck;
  if (one === undefined) throw new Error("none");
  expect((await why(world, ADA, one.id)).reasons).toEqual(["host 1 is lost"]);
  world.clock.pass(6 * MINUTE);
  await look(world, { workspace: "acme", jobId: one.id });
  expect(await Read.get(world, ADA, one.id)).toMatchObject({
    state: "timed_out",
    failure: { message: /host 1 is lost/ },
  });
  await lose(1, true);
  expect(await schedule(world, ref(id))).toHaveLength(59);
});

test("a host takes so many at a time and no more, and one that is not there any more ends what waits for it", async () => {
  const { world, id, run, slots } = await made({ nodes: 2 });
  for (let count = 0; count < 65; count++) await run({ target: { nodes: [0] } });
  const other = await run({ target: { nodes: [1] } });
  const placed = await schedule(world, ref(id));
  expect([placed.length, placed.at(-1)]).toEqual([65, other.id]);
  const late = await run({ target: { nodes: [1] } });
  const now = await slots();
  await world.table.write([amend(Slots.noun, now, { hosts: now.hosts.slice(0, 1) }).write]);
  expect(await schedule(world, ref(id))).toEqual([late.id]);
  expect(await Read.get(world, ADA, late.id)).toMatchObject({
    state: "failed",
    failure: { code: "host_lost", message: "cluster 'demo' has no host 1 any more" },
  });
});

test("commands that fail on one host go on at the others, and the first host's code is the job's", async () => {
  const { world, hosts, run, id } = await made({ nodes: 3 });
  const job = await run();
  await schedule(world, ref(id));
  const now = { jobId: job.id, fence: 1 };
  await hosts[2]?.run(now, 7);
  world.clock.pass(1000);
  expect((await hosts[1]?.poll([now]))?.held[0]).not.toHaveProperty("cancel");
  await hosts[1]?.run(now, 5);
  world.clock.pass(1000);
  expect((await Read.get(world, ADA, job.id)).state).toBe("running");
  await hosts[0]?.run(now, 0);
  expect(await Read.get(world, ADA, job.id)).toMatchObject({ state: "failed", exitCode: 5 });
});

test("commands see all GPUs of their hosts, whoever has them", async () => {
  const world = testWorld();
  const [offer] = world.provider.offered;
  if (offer) world.provider.offered.splice(0, 2, { ...offer, accelerators: { A100: 2 } });
  const { id, hosts } = await readyCluster(world);
  await submit(world, ADA, id, jobRequest({ resources: { accelerators: { A100: 2 } } }));
  await exec(world, ADA, id, commands());
  await schedule(world, ref(id));
  const given = (await hosts[0]?.poll())?.assignments ?? [];
  expect(given.map(({ gpus, env }) => [gpus, env.CUDA_VISIBLE_DEVICES])).toEqual([
    [undefined, "0,1"],
    [[0, 1], "0,1"],
  ]);
});

test("while commands run the cluster is busy, and then its idle time begins", async () => {
  const { world, hosts, run, id } = await made({ idle: { after: 5, action: "terminate" } });
  const job = await run();
  await schedule(world, ref(id));
  const now = { jobId: job.id, fence: 1 };
  await passing(world, 20, async () => hosts[0]?.poll([now]));
  expect(await stateOf(world, id)).toBe("ready");
  await hosts[0]?.run(now, 0);
  await passing(world, 7, async () => hosts[0]?.poll().catch(() => undefined));
  expect(await stateOf(world, id)).not.toBe("ready");
});

test("a job that wants the cluster free is not refused for commands, nor does one by force end them", async () => {
  const { world, run, id } = await made();
  const job = await run();
  await schedule(world, ref(id));
  const free = await submit(world, ADA, id, jobRequest({}, { onBusy: "fail" }));
  expect(await schedule(world, ref(id))).toEqual([free.id]);
  await submit(world, ADA, id, jobRequest({}, { force: true }));
  expect((await Read.get(world, ADA, job.id)).state).toBe("starting");
  expect((await Read.get(world, ADA, free.id)).state).toBe("cancelling");
});

test("what cannot be is refused: another's cluster, one that is not up, too much text, force without once", async () => {
  const { world, id, run } = await made();
  expect(await code(exec(world, BEN, id, commands()))).toBe("forbidden");
  expect(await code(run({ commands: ["x".repeat(130_000), "x".repeat(130_000)] }))).toBe("invalid_request");
  for (const wrong of [{ force: true }, { commands: ["a\0b"] }, { commands: ["\ud800"] }, { commands: [] }])
    expect(Command.Create.safeParse({ commands: ["true"], ...wrong }).success).toBe(false);
  const other = testWorld();
  await Create.create(other, ADA, clusterRequest());
  expect(await code(exec(other, ADA, "demo", commands()))).toBe("conflict");
  const job = await run();
  await expect(rerun(world, ADA, job.id, {})).rejects.toMatchObject({
    code: "conflict",
    details: { hint: "send them again: muster exec demo -- COMMAND" },
  });
});

test("commands that are to run once are a setup, the same for every nonce; by force it is run again", async () => {
  const { world, id, hosts, run } = await made();
  const all = [
    await run({ once: true }),
    await run({ once: true, force: true }),
    await run({ once: true, failFast: true }),
  ];
  await schedule(world, ref(id));
  const given = (await hosts[0]?.poll())?.assignments ?? [];
  expect(given.map(({ run: text, beside }) => [text, beside?.again])).toEqual([
    [undefined, false],
    [undefined, true],
    [undefined, false],
  ]);
  expect(given[0]?.setup).toBe(given[1]?.setup);
  expect(given[2]?.setup).not.toBe(given[1]?.setup);
  expect(new Set(all.map(({ exec: one }) => one?.nonce)).size).toBe(3);
});
