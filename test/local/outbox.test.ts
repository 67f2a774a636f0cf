/**
 * The outbox of one process: over SQLite, in files where it must outlive a process, and with a receiver of the test's own.
 * The process that is killed is a real one.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { list } from "@muster/core/deadletter/read.ts";
import { replay } from "@muster/core/deadletter/replay.ts";
import { ringFor } from "@muster/core/doorbell.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Outside } from "@muster/core/ports/world.ts";
import { create } from "@muster/core/webhook/create.ts";
import { isNews, Outbox } from "@muster/local/run/outbox.ts";
import { type LocalTable, openTable, type TableOptions } from "@muster/local/table/table.ts";
import { createDigest } from "@muster/node/digest.ts";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { type TestWorld, testWorld } from "../support/world.ts";
import { eventWrite, WORKSPACE } from "./outbox-support.ts";

const ADMIN = { workspace: WORKSPACE, id: "usr_ada", role: "admin" } as const;
const digest = createDigest("a key for tests, 32 bytes or more");

function newFile(): string {
  const folder = mkdtempSync(join(tmpdir(), "outbox-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "table.db");
}

const open = (path: string, onCommit: TableOptions["onCommit"] = () => undefined): LocalTable => {
  const table = openTable({ path, digest, isNews, onCommit });
  onTestFinished(() => table.close());
  return table;
};
const untold = (table: LocalTable): string[] => table.untold().map(({ data }) => String(data.subject));

test("an event is noted with its commit, and struck off once somebody was told", async () => {
  const path = newFile();
  const table = open(path);
  for (const n of [1, 2, 3]) await table.write([eventWrite(n)]);
  await table.write([{ put: { pk: "a", sk: "b", type: "other", data: {} }, expect: "absent" }]);
  // Another process that opens the file sees what one that was killed would have left.
  expect(untold(open(path))).toEqual(["job_1", "job_2", "job_3"]);
  const [first, second] = table.untold();
  if (first) table.told(first);
  if (second) table.told(second);
  await table.write([{ put: { pk: "a", sk: "c", type: "other", data: {} }, expect: "absent" }]);
  expect(untold(open(path))).toEqual(["job_3"]);
  table.close();
  expect(untold(open(path))).toEqual(["job_3"]);
});

test("an end that is in order leaves nothing that was told", async () => {
  const path = newFile();
  const table = open(path);
  await table.write([eventWrite(1)]);
  for (const item of table.untold()) table.told(item);
  table.close();
  expect(untold(open(path))).toEqual([]);
});

test("what was refused is not noted", async () => {
  const table = open(newFile());
  await table.write([eventWrite(1)]);
  for (const item of table.untold()) table.told(item);
  await expect(table.write([eventWrite(2), eventWrite(1)])).rejects.toThrow("conflict");
  await table.write([eventWrite(3)]);
  expect(untold(table)).toEqual(["job_3"]);
});

/** A world over this file, with this receiver, whose outbox hears of each commit. */
function worldOn(path: string, send: Outside["outbound"]["send"]) {
  const table = open(path, changes => outbox.note(changes));
  const world = { ...testWorld(), table, outbound: { check: () => undefined, send } };
  world.clock.pass(Date.now() - world.clock.now());
  const outbox = new Outbox(
    () => world,
    () => table,
  );
  onTestFinished(() => outbox.close());
  return { world, outbox, table };
}

const hook = (world: TestWorld) =>
  create(world, ADMIN, {
    name: "ci",
    webhook: { url: "https://hooks.example.com/", format: "standard", events: ["job.*"] },
  });

test("an event whose process was killed right after the commit is told by the next, once", async () => {
  const path = newFile();
  const sent: string[] = [];
  const take: Outside["outbound"]["send"] = async ({ body = "" }) => {
    sent.push(JSON.parse(body).data.subject);
    return { status: 200, headers: {}, body: "" };
  };
  const { world, outbox, table } = worldOn(path, take);
  await hook(world);
  const child = spawn(process.execPath, [resolve("test/local/outbox-child.ts"), path], { stdio: "inherit" });
  const [, signal] = await once(child, "exit");
  expect(signal).toBe("SIGKILL");
  outbox.start();
  await expect.poll(() => sent).toEqual(["job_1"]);
  await expect.poll(() => untold(table)).toEqual([]);
});

test("what it has sent, and could not note, it sends again when it begins anew", async () => {
  const path = newFile();
  const sent: string[] = [];
  const first = worldOn(path, ({ headers }) => {
    sent.push(headers["webhook-id"] ?? "");
    return new Promise<never>(() => {});
  });
  await hook(first.world);
  await first.table.write([eventWrite(1)]);
  await expect.poll(() => sent.length).toBe(1);
  const next = worldOn(path, async ({ headers }) => {
    sent.push(headers["webhook-id"] ?? "");
    return { status: 200, headers: {}, body: "" };
  });
  next.world.clock.pass(60_000);
  next.outbox.start();
  await expect.poll(() => sent.length).toBe(2);
  expect(new Set(sent).size).toBe(1);
});

test("a delivery is tried again when it is due, without anybody being asked", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "setImmediate", "Date"] });
  const { world } = stubbed();
  let times = 0;
  world.outbound.send = async () => ({ status: ++times === 1 ? 500 : 200, headers: {}, body: "" });
  const outbox = new Outbox(
    () => world,
    () => ({ untold: () => [], told: () => undefined }),
  );
  await hook(world);
  await world.table.write([eventWrite(1)]);
  const told = async (ms: number): Promise<void> => {
    outbox.note(world.changes.splice(0));
    world.clock.pass(ms);
    await vi.advanceTimersByTimeAsync(ms);
  };
  for (let turn = 0; turn < 5; turn++) await told(1);
  expect(times).toBe(1);
  await told(5_000);
  await told(10);
  expect(times).toBe(2);
  await outbox.close();
});
afterEach(() => void vi.useRealTimers());

function stubbed() {
  const world = testWorld();
  const outbound = { check: () => undefined, send: world.outbound.send };
  return { world: { ...world, outbound } };
}

test("an event that nobody can be told of is a dead letter, rings no doorbell, and is told when it is tried anew", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setImmediate"] });
  const { world } = stubbed();
  let isBroken = true;
  const query: typeof world.table.query = ((range: { pk: string }) =>
    isBroken && range.pk === Keys.webhooks(WORKSPACE)
      ? Promise.reject(new MusterError("unavailable", "no table"))
      : world.table.query(range)) as typeof world.table.query;
  const part = { ...world, table: { ...world.table, query } };
  const told: unknown[] = [];
  const outbox = new Outbox(
    () => part,
    () => ({ untold: () => [], told: key => void told.push(key) }),
  );
  await world.table.write([eventWrite(1)]);
  outbox.note(world.changes.splice(0));
  await vi.advanceTimersByTimeAsync(5_000);
  const [letter] = (await list(world, ADMIN, { limit: 10 })).items;
  expect(letter).toMatchObject({ times: 3, canReplay: true, what: expect.stringContaining("job.succeeded") });
  // It is kept as a letter now, and needs no note.
  expect(told).toHaveLength(1);
  world.changes.splice(0);
  await replay(world, ADMIN, letter?.id ?? "");
  const changes = world.changes.splice(0);
  expect(changes.map(ringFor).filter(ring => ring !== undefined)).toEqual([]);
  isBroken = false;
  outbox.note(changes);
  await vi.advanceTimersByTimeAsync(1);
  expect((await list(world, ADMIN, { limit: 10 })).items).toEqual([]);
  await outbox.close();
});

test("its end does not wait for a server that does not answer", async () => {
  let isSent = false;
  const { world, outbox, table } = worldOn(newFile(), () => {
    isSent = true;
    return new Promise<never>(() => {});
  });
  await hook(world);
  await table.write([eventWrite(1)]);
  await expect.poll(() => isSent).toBe(true);
  await outbox.close();
});
