/** What the control plane makes of what hosts have kept; blobs and table are in memory, the hosts are of ours. */
import { listOf, newest, prefixOf, rootOf } from "@muster/core/checkpoint/checkpoint.ts";
import { prune } from "@muster/core/checkpoint/prune.ts";
import { give } from "@muster/core/checkpoint/read.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { sweepLogs } from "@muster/core/log/sweep.ts";
import { list } from "@muster/core/output/list.ts";
import { endKey, partKey } from "@muster/core/output/manifest.ts";
import { prefixOf as outputsOf, Query } from "@muster/core/output/output.ts";
import type { TaskInput } from "@muster/core/task/task.ts";
import { expect, test } from "vitest";
import type { TestHost } from "../support/host.ts";
import { code, jobRequest, readyCluster } from "../support/requests.ts";
import { ADA, EVE, type TestWorld, testWorld } from "../support/world.ts";

const SHA = "ab".repeat(32);
const put = (world: TestWorld, key: string, value: unknown) =>
  world.blobs.put(key, new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value)));
const entry = (path: string, key = `files/${path}`, more = {}) => ({
  ...{ path, size: 3, mode: 0o644, mtime: 1, sha256: SHA, pieces: [{ key, size: 3 }] },
  ...more,
});
const lines = (entries: readonly object[]): string => entries.map(one => `${JSON.stringify(one)}\n`).join("");

async function manifest(world: TestWorld, at: string, parts: readonly (readonly object[])[], failed = 0) {
  const files = parts.flat().length;
  for (const [part, entries] of parts.entries()) await put(world, partKey(at, part), lines(entries));
  await put(world, endKey(at), { parts: parts.length, files, bytes: files * 3, failed });
}

/** A job that its hosts have taken. */
async function started(world: TestWorld, nodes: number, task: TaskInput) {
  const { hosts } = await readyCluster(world, { nodes });
  const job = await submit(world, ADA, "demo", jobRequest({ ...task, nodes }));
  // The first poll places the job.
  await hosts[0]?.poll();
  const orders = await Promise.all(hosts.map(host => host.poll()));
  const assignments = orders.flatMap(order => order.assignments);
  return { hosts, job, assignments, ref: { jobId: job.id, fence: assignments[0]?.fence ?? 0 } };
}

const exit = (host: TestHost | undefined, ref: { jobId: string; fence: number }, outputs?: object) =>
  host?.report({
    ...ref,
    ...{ state: "exited", cause: "exited", exitCode: 0, chunks: 0, logsComplete: true },
    ...(outputs && { outputs: { files: 1, bytes: 3, failed: 0, ...outputs } }),
  });

const read = (world: TestWorld, id: string, query = {}) => list(world, ADA, id, Query.parse(query));

test("what is kept lies where the deployment's functions may reach it", () => {
  expect(outputsOf("acme", "job_a", 7, 2)).toBe("outputs/acme/job_a/00000007/00002/");
  expect(prefixOf("acme", "job_a", 7, 2)).toBe("checkpoints/acme/job_a/00002/00000007/");
});

test("a host may write below its own place only, and the job says at its end what all have kept", async () => {
  const world = testWorld();
  const { hosts, job, assignments, ref } = await started(world, 2, { outputs: ["out"] });
  const prefixes = [0, 1].map(rank => outputsOf("acme", job.id, ref.fence, rank));
  expect(assignments.map(one => [one.outputs?.places, one.outputs?.policy.prefix])).toEqual(
    prefixes.map(prefix => [["out"], prefix]),
  );
  expect(assignments[0]?.outputs?.policy.maxBytes).toBe(5_000_000_000);
  const [again] = (await hosts[1]?.poll([{ ...ref, wants: ["outputs"] }]))?.held ?? [];
  expect([again?.outputs?.prefix, again?.checkpoint]).toEqual([prefixes[1], undefined]);
  expect((await hosts[0]?.poll([ref]))?.held[0]).not.toHaveProperty("outputs");
  await exit(hosts[0], ref, { files: 2, bytes: 6 });
  await exit(hosts[1], ref, { failed: 1 });
  expect((await Read.get(world, ADA, job.id)).outputs).toEqual({ files: 3, bytes: 9, failed: 1 });
});

test("pages of several parts and nodes add up; a node that was lost is told as incomplete", async () => {
  const world = testWorld();
  const { hosts, job, ref } = await started(world, 3, { outputs: ["out"] });
  const [zero = "", one = "", two = ""] = [0, 1, 2].map(rank => outputsOf("acme", job.id, ref.fence, rank));
  const many = (count: number, name: string) => Array.from({ length: count }, (_, n) => entry(`out/${name}${n}`));
  await manifest(world, `${zero}list/`, [many(500, "a"), many(500, "b"), many(7, "c")]);
  await put(world, `${one}files/out/x`, "abc");
  await put(world, partKey(`${one}list/`, 0), lines([entry("out/x")]));
  await manifest(world, `${two}list/`, [many(2, "d")], 3);
  for (const host of hosts) await exit(host, ref, {});
  const items: unknown[] = [];
  const nodes: unknown[] = [];
  let cursor: string | undefined;
  let asked = 0;
  do {
    const page = await read(world, job.id, cursor === undefined ? {} : { cursor });
    items.push(...page.items.map(item => `${item.rank} ${item.path}`));
    nodes.push(...page.nodes);
    cursor = page.cursor;
    asked++;
  } while (cursor !== undefined);
  expect([items.length, new Set(items).size, asked]).toEqual([1010, 1010, 3]);
  expect(nodes).toEqual([
    { rank: 0, fence: ref.fence, state: "complete", files: 1007, bytes: 3021, failed: 0 },
    { rank: 1, fence: ref.fence, state: "incomplete", files: 0, bytes: 0, failed: 0 },
    { rank: 2, fence: ref.fence, state: "complete", files: 2, bytes: 6, failed: 3 },
  ]);
  expect((await read(world, job.id, { rank: "2" })).items.map(item => item.parts)).toEqual(
    [0, 1].map(n => [{ url: `memory:${two}files/out/d${n}`, size: 3 }]),
  );
  expect((await read(world, job.id, { attempt: "1" })).items).toHaveLength(500);
  expect(await code(read(world, job.id, { attempt: "2" }))).toBe("not_found");
  expect(await code(read(world, job.id, { cursor: "1.2" }))).toBe("invalid_request");
  expect(await code(list(world, EVE, job.id, Query.parse({})))).toBe("not_found");
});

test("a manifest that names what is not its own, or is no manifest, opens nothing", async () => {
  const world = testWorld();
  const { hosts, job, ref } = await started(world, 1, { outputs: ["out"] });
  const prefix = outputsOf("acme", job.id, ref.fence, 0);
  const keys = [
    "../x",
    "files/../../../../elsewhere/x",
    "/x",
    "files//x",
    "files/./x",
    "files/\u0000",
    "a\\b",
    "é",
    "",
  ];
  await manifest(world, `${prefix}list/`, [
    [...keys.map(key => entry("evil", key)), entry("good"), { path: "half" }, entry("", "files/x")],
  ]);
  await world.blobs.put(
    partKey(`${prefix}list/`, 0),
    Buffer.concat([
      (await world.blobs.get(partKey(`${prefix}list/`, 0))) ?? Buffer.of(),
      Buffer.from("{not json\n\xff\n"),
    ]),
  );
  await exit(hosts[0], ref, {});
  const { items } = await read(world, job.id);
  expect(items.map(item => [item.path, item.parts.map(part => part.url)])).toEqual([
    ["good", [`memory:${prefix}files/good`]],
  ]);
  await put(world, endKey(`${prefix}list/`), "{}");
  expect((await read(world, job.id)).nodes).toEqual([]);
});

test("a try is told of the last whole generation before it, and may read that one alone, for its own rank", async () => {
  const world = testWorld();
  const { hosts } = await readyCluster(world, { nodes: 2 });
  const job = await submit(world, ADA, "demo", jobRequest({ checkpoint: "~/ckpt", nodes: 2 }));
  const root = rootOf("acme", job.id, 1);
  for (const [fence, number] of [
    [0, 1],
    [0, 2],
    [7, 1],
  ] as const)
    await manifest(world, listOf(root, { fence, number }), [
      [entry("w", `0000000${fence}/files/0000000${number}/0-0`)],
    ]);
  await put(world, partKey(listOf(root, { fence: 0, number: 3 }), 0), lines([entry("torn")]));
  await hosts[0]?.poll();
  const orders = await Promise.all(hosts.map(host => host.poll()));
  const [zero, one] = orders.map(order => order.assignments[0]);
  expect(zero?.checkpoint).toMatchObject({ path: "~/ckpt", policy: { prefix: prefixOf("acme", job.id, 1, 0) } });
  expect([zero?.checkpoint?.last, one?.checkpoint?.last]).toEqual([undefined, { fence: 0, number: 2 }]);
  const actor = (rank: number) => hosts[rank]?.actor() ?? expect.fail();
  const ask = { jobId: job.id, fence: 1, from: { fence: 0, number: 2 }, part: 0 };
  const given = await give(world, await actor(1), ask);
  const key = "00000000/files/00000002/0-0";
  expect(given).toMatchObject({
    parts: 1,
    files: [{ path: "w", pieces: [{ key, url: `memory:${root}${key}`, size: 3 }] }],
  });
  expect((await give(world, await actor(1), { ...ask, part: 1 })).files).toEqual([]);
  for (const [rank, more] of [
    [0, {}],
    [1, { fence: 2 }],
    [1, { jobId: "job_other" }],
    [1, { from: { fence: 0, number: 3 } }],
  ] as const)
    expect(await code(give(world, await actor(rank), { ...ask, ...more }))).toBe("not_found");
});

test("of generations two stay, with the files that they need, and what is on its way", async () => {
  const world = testWorld();
  const root = rootOf("acme", "job_a", 0);
  const key = (fence: number, number: number, file: number) => `0000000${fence}/files/0000000${number}/${file}-0`;
  const generations = [
    [1, 1, [key(1, 1, 0), key(1, 1, 1)]],
    [1, 2, [key(1, 1, 0), key(1, 2, 1)]],
    [2, 1, [key(1, 1, 0), key(2, 1, 0)]],
  ] as const;
  for (const [fence, number, keys] of generations) {
    await manifest(world, listOf(root, { fence, number }), [keys.map(one => entry(one.replaceAll("/", "_"), one))]);
    for (const one of keys) await put(world, `${root}${one}`, "abc");
  }
  await put(world, `${root}${key(2, 2, 5)}`, "on its way");
  await put(world, `${root}${key(1, 3, 9)}`, "came to nothing");
  await put(world, `${rootOf("acme", "job_a", 1)}${key(1, 1, 0)}`, "another rank's");
  expect(await newest(world.blobs, root, 5)).toEqual([
    { fence: 2, number: 1 },
    { fence: 1, number: 2 },
    { fence: 1, number: 1 },
  ]);
  // A list and its end, a file of the first that no other needs, and what came to nothing.
  expect(await prune(world.blobs, root)).toBe(4);
  expect(await newest(world.blobs, root, 5)).toHaveLength(2);
  const left = (await world.blobs.list(root)).map(head => head.key.slice(root.length)).filter(one => /files/.test(one));
  expect(left).toEqual([key(1, 1, 0), key(1, 2, 1), key(2, 1, 0), key(2, 2, 5)]);
  expect(await world.blobs.list(rootOf("acme", "job_a", 1))).toHaveLength(1);
  expect(await prune(world.blobs, root)).toBe(0);
});

test("nothing goes while it cannot be told what a generation needs", async () => {
  const world = testWorld();
  const root = rootOf("acme", "job_a", 0);
  const key = (number: number) => `00000001/files/0000000${number}/0-0`;
  for (const number of [1, 2, 3]) {
    await manifest(world, listOf(root, { fence: 1, number }), [[entry(`f${number}`, key(number))]]);
    await put(world, `${root}${key(number)}`, "abc");
  }
  await world.blobs.remove(partKey(listOf(root, { fence: 1, number: 2 }), 0));
  expect(await prune(world.blobs, root)).toBe(0);
  expect((await world.blobs.list(root)).filter(({ key: one }) => one.includes("/files/"))).toHaveLength(3);
});

test("what the checkpoint holds is listed as what was kept is", async () => {
  const world = testWorld();
  const { job, ref } = await started(world, 1, { checkpoint: "~/ckpt" });
  const root = rootOf("acme", job.id, 0);
  expect((await read(world, job.id, { checkpoint: "true" })).items).toEqual([]);
  await manifest(world, listOf(root, { fence: ref.fence, number: 4 }), [[entry("w", "00000001/files/00000004/0-0")]]);
  const page = await read(world, job.id, { checkpoint: "true" });
  expect(page.items.map(item => [item.path, item.rank, item.fence])).toEqual([["w", 0, ref.fence]]);
  expect(page.nodes).toMatchObject([{ state: "complete", files: 1 }]);
  expect((await read(world, job.id)).items).toEqual([]);
});

test("where the store does not see to it, outputs go with the logs, checkpoints after three months", async () => {
  const world = testWorld();
  const days = (count: number) => world.clock.now() - count * 86_400_000;
  const held = {
    "logs/a": 15,
    "outputs/a": 15,
    "outputs/b": 13,
    "checkpoints/a": 80,
    "checkpoints/b": 91,
    "uploads/a": 99,
  };
  const removed: string[] = [];
  const blobs = {
    ...world.blobs,
    list: async (prefix: string) =>
      Object.entries(held).flatMap(([key, age]) =>
        key.startsWith(prefix) ? { key, size: 1, writtenAt: days(age) } : [],
      ),
    remove: async (key: string) => void removed.push(key),
  };
  expect(await sweepLogs({ ...world, blobs }, 14)).toBe(3);
  expect(removed.toSorted()).toEqual(["checkpoints/b", "logs/a", "outputs/a"]);
});
