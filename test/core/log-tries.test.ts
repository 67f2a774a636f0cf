/** What a reader is told of a job's log: before it has hosts, in each of its tries, and of parts of it. The real table, in memory. */

import { system } from "@muster/core/actor/actor.ts";
import * as Event from "@muster/core/event/event.ts";
import { logText } from "@muster/core/job/log-text.ts";
import { type LogPage, logs } from "@muster/core/job/logs.ts";
import * as Keys from "@muster/core/keys.ts";
import { sweepLogs } from "@muster/core/log/sweep.ts";
import { beforeEach, expect, test } from "vitest";
import { CLUSTER, ID, Logged, timedBlobs } from "../support/logged.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

let world: TestWorld;
let asked: { lists: number; gets: number };
let job: Logged;
beforeEach(async () => {
  const made = testWorld();
  const timed = timedBlobs(made.clock.now);
  world = { ...made, blobs: timed.blobs };
  asked = timed.asked;
  job = new Logged(world);
});

type Request = Omit<Parameters<typeof logs>[3], "follow">;

/** Reads on until there is no more for now. @returns what it was told, chunks by the text that they hold */
async function read(request: Request = {}, from?: string) {
  const told: string[] = [];
  let cursor = from;
  for (;;) {
    const page: LogPage = await logs(world, ADA, ID, { ...request, follow: false, cursor });
    for (const { attempt, rank, url } of page.chunks)
      told.push(`${attempt}/${rank} ${Buffer.from((await world.blobs.get(url.slice("memory:".length))) ?? "")}`);
    for (const line of page.provision) told.push(line.text.replace(/^\S+ /, `${line.attempt}: `));
    cursor = page.cursor;
    if (!page.hasMore) return { told, cursor, done: page.done };
  }
}

let events = 0;
/** Something happens to the cluster, now. */
async function cluster(state: string, message?: string): Promise<void> {
  world.clock.pass(1);
  const id = `evt_${String(++events).padStart(26, "0")}`;
  const event = { id, at: world.clock.now(), subject: CLUSTER, kind: `cluster.${state}` };
  const put = Event.draft(Keys.cluster("acme", CLUSTER), system("acme"), {
    ...event,
    ...(message !== undefined && { message }),
  });
  await world.table.write([{ put, expect: "absent" }]);
}

test("before it has hosts, what happens to its cluster is the log; each line once, and then the job's own", async () => {
  await cluster("ready", "of another day");
  await cluster("requested");
  await job.submit();
  const first = await read();
  expect(first).toMatchObject({ told: ["1: cluster demo requested\n", `1: job ${ID} queued\n`], done: false });
  await cluster("booting", "in\nzone b");
  const second = await read({}, first.cursor);
  expect(second.told).toEqual(["1: cluster demo booting: in zone b\n"]);
  expect((await read({}, second.cursor)).told).toEqual([]);
  await cluster("ready");
  await job.place();
  await job.print("hello\n");
  const third = await read({}, second.cursor);
  expect(third.told).toEqual(["1: cluster demo ready\n", `1: job ${ID} starting\n`, "1/0 hello\n"]);
  await job.move("run");
  await job.succeed();
  expect(await read({}, third.cursor)).toMatchObject({ told: [], done: true });
  // Later the job's own is all that is told, unless the rest is asked for: also when the cluster is long gone.
  await cluster("terminated");
  expect((await read()).told).toEqual(["1/0 hello\n"]);
  expect((await read({ phase: ["provision"] })).told).toHaveLength(5);
});

const NO = { code: "x", message: "no" };

test("a job that ends without hosts tells why, and its log is done", async () => {
  await job.submit();
  await cluster("failed", "no room");
  await job.move("fail", { endedAt: world.clock.now() + 1, logsComplete: true, failure: NO });
  expect(await read()).toMatchObject({
    told: [`1: job ${ID} queued\n`, "1: cluster demo failed: no room\n", `1: job ${ID} failed\n`],
    done: true,
  });
});

test("a follower sees each try to its end, then what leads to the next", async () => {
  await job.submit();
  await job.place();
  await job.print("one\n");
  const first = await read();
  await job.print("last words\n");
  await job.lose();
  const second = await read({}, first.cursor);
  expect(second.told).toEqual(["1/0 last words\n", `2: job ${ID} recovering: a host was lost\n`]);
  await job.requeue();
  const third = await read({}, second.cursor);
  expect(third).toMatchObject({ told: [`2: job ${ID} queued\n`], done: false });
  await job.place();
  await job.print("again\n");
  const fourth = await read({}, third.cursor);
  expect(fourth.told).toEqual([`2: job ${ID} starting\n`, "2/0 again\n"]);
  // One who was away meanwhile is told the same.
  expect((await read({}, first.cursor)).told).toEqual([...second.told, ...third.told, ...fourth.told]);
});

test("one who was away for several tries misses none of them; each can be read alone", async () => {
  await job.submit();
  await job.place();
  await job.print("one\n");
  const { cursor } = await read();
  for (const text of ["two\n", "three\n"]) {
    await job.lose();
    await job.requeue();
    await job.place();
    await job.print(text);
  }
  const own = ({ told }: { told: string[] }) => told.filter(line => line.includes("/"));
  expect(own(await read({}, cursor))).toEqual(["2/0 two\n", "3/0 three\n"]);
  expect(await read()).toMatchObject({ told: ["3/0 three\n"], done: false });
  expect(await read({ attempt: 1 })).toMatchObject({ told: ["1/0 one\n"], done: true });
  expect(await read({ attempt: 2 })).toMatchObject({ told: ["2/0 two\n"], done: true });
  expect(await read({ attempt: 3 })).toMatchObject({ told: ["3/0 three\n"], done: false });
  await job.succeed();
  expect(await read({ attempt: 3 })).toMatchObject({ told: ["3/0 three\n"], done: true });
  await expect(read({ attempt: 4 })).rejects.toThrow("the job has had 3 tries");
});

test("nodes and phases are told apart, and a node that it does not have is refused", async () => {
  job = await new Logged(world, 2).submit();
  await job.place();
  for (const rank of [0, 1])
    for (const phase of ["packages", "setup", "run", "muster"]) await job.print(`${phase}\n`, { rank, phase });
  expect((await read({ node: 1 })).told).toEqual(["packages", "setup", "run", "muster"].map(name => `1/1 ${name}\n`));
  expect((await read({ phase: ["setup"] })).told).toEqual(["1/0 setup\n", "1/1 setup\n"]);
  expect((await read({ phase: ["muster", "setup"], node: 0 })).told).toEqual(["1/0 setup\n", "1/0 muster\n"]);
  await expect(read({ node: 2 })).rejects.toThrow("the job has nodes 0 to 1");
});

test("a phase behind a long one is found without reading that", async () => {
  await job.submit();
  await job.place();
  for (let index = 0; index < 5000; index++) await job.print("x");
  await job.print("the end\n", { phase: "muster" });
  asked.lists = 0;
  expect((await read({ phase: ["muster"] })).told).toEqual(["1/0 the end\n"]);
  expect(asked.lists).toBeLessThanOrEqual(10);
});

test("since a moment: what came home then or later, and with the lines before there were hosts as well", async () => {
  await job.submit();
  world.clock.pass(5000);
  const moment = world.clock.now() + 1;
  await cluster("booting");
  expect((await read({ since: moment })).told).toEqual(["1: cluster demo booting\n"]);
  await job.place();
  await job.print("early\n");
  world.clock.pass(5000);
  const later = world.clock.now();
  await job.print("late\n");
  world.clock.pass(5000);
  await job.print("later\n");
  expect((await read({ since: later })).told).toEqual(["1/0 late\n", "1/0 later\n"]);
  expect((await read({ since: world.clock.now() + 5000 })).told).toEqual([]);
});

test("the last bytes of each node, with word of whose log began earlier", async () => {
  job = await new Logged(world, 2).submit();
  await job.place();
  for (const text of ["aaaa", "bbbb", "cccc"]) await job.print(text);
  await job.print("short", { rank: 1 });
  const page = await logs(world, ADA, ID, { follow: false, last: 5 });
  expect(page.chunks.map(({ rank, sequence }) => [rank, sequence])).toEqual([
    [0, 1],
    [0, 2],
    [1, 0],
  ]);
  expect(page.earlier).toEqual([0]);
});

test("text from an offset: every character once and whole, whatever the steps", async () => {
  await job.submit();
  expect(await logText(world, ADA, ID, { offset: 0, limit: 100 })).toEqual({
    ...{ text: "", nextOffset: 0, status: "queued", done: false },
  });
  await job.place();
  const text = "naïve 日本 🎉 ".repeat(40);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += 7)
    await world.blobs.put(
      `logs/acme/${ID}/00000002/00000/${String(at / 7).padStart(9, "0")}.run`,
      bytes.subarray(at, at + 7),
    );
  for (const limit of [4, 5, 11, 1000]) {
    const parts: string[] = [];
    let offset = 0;
    while (offset < bytes.length) {
      const slice = await logText(world, ADA, ID, { offset, limit });
      expect(slice).toMatchObject({ status: "running", done: false });
      expect(Buffer.byteLength(slice.text)).toBe(slice.nextOffset - offset);
      parts.push(slice.text);
      offset = slice.nextOffset;
    }
    expect(parts.join("")).toBe(text);
  }
  await job.succeed();
  const end = await logText(world, ADA, ID, { offset: bytes.length - 5, limit: 100 });
  expect(end).toEqual({ text: "🎉 ", nextOffset: bytes.length, status: "completed", done: true });
});

test("text of a node or a try that the job does not have is refused, as its chunks are", async () => {
  job = await new Logged(world, 2).submit();
  await job.place();
  const range = { offset: 0, limit: 100 };
  await expect(logText(world, ADA, ID, { ...range, node: 2 })).rejects.toThrow("the job has nodes 0 to 1");
  await expect(logText(world, ADA, ID, { ...range, attempt: 2 })).rejects.toThrow("the job has had 1 try");
  expect(await logText(world, ADA, ID, { ...range, node: 1, attempt: 1 })).toMatchObject({ text: "", done: false });
});

test("logs go when their time is over, and nothing else does", async () => {
  await job.submit();
  await job.place();
  for (let index = 0; index < 1500; index++) await job.print("old");
  await world.blobs.put("uploads/acme/x", new Uint8Array());
  world.clock.pass(3 * 86_400_000);
  await job.print("young\n");
  expect(await sweepLogs(world, 4)).toBe(0);
  expect(await sweepLogs(world, 2)).toBe(1500);
  expect((await read()).told).toEqual(["1/0 young\n"]);
  expect(await world.blobs.head("uploads/acme/x")).toBeDefined();
});
