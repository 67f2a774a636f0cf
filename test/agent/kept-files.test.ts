/** Single files, and folders that change, on their way to the store: the agent's own code against the local adapter of blobs. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFileSync, chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listOf, newest, prefixOf, rootOf } from "@muster/core/checkpoint/checkpoint.ts";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Checkpoint } from "../../packages/agent/src/checkpoint/checkpoint.ts";
import { look, sendState } from "../../packages/agent/src/checkpoint/generation.ts";
import { Clock } from "../../packages/agent/src/control/clock.ts";
import type { Account } from "../../packages/agent/src/host/account.ts";
import { Journal } from "../../packages/agent/src/journal.ts";
import { sendFile } from "../../packages/agent/src/keep/file.ts";
import { rawOf } from "../../packages/agent/src/keep/names.ts";
import { Changed, Refused, Store } from "../../packages/agent/src/keep/store.ts";
import { Depot } from "./support/depot.ts";
import { until } from "./support/until.ts";

let depot: Depot;
beforeAll(async () => {
  depot = await Depot.open();
});
afterAll(() => depot[Symbol.asyncDispose]());

const folders: string[] = [];
const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function temporary(): string {
  folders.push(mkdtempSync(join(tmpdir(), "ma-file-")));
  return folders.at(-1) ?? "";
}

let runs = 0;
const jobOf = (): string => `job_${++runs}`;

async function storeOf(prefix: string): Promise<Store> {
  const halt = new AbortController();
  ends.push(() => halt.abort());
  return new Store({
    policy: await depot.policy(prefix),
    clock: new Clock(),
    journal: new Journal("/dev/null"),
    refresh: () => undefined,
    halt: halt.signal,
  });
}

async function send(file: string, more: { piece?: number; owner?: Account } = {}) {
  const prefix = `outputs/w/${jobOf()}/0/0/`;
  const store = await storeOf(prefix);
  const keyOf = (piece: number): string => `files/f-${piece}`;
  const sent = await sendFile(rawOf(file), { store, owner: undefined, keyOf, under: "", ...more });
  return { ...sent, text: String(await depot.bytes({ ...sent, path: "f", pieces: below(prefix, sent.pieces) })) };
}

const below = (prefix: string, pieces: readonly { key: string; size: number }[]) =>
  pieces.map(piece => ({ ...piece, key: `${prefix}${piece.key}` }));

const TEXT = "0123456789abcdefghijvwxyz";

test.each([1, 10, 24, 25, 26])(
  "a file that is larger than what the store takes goes in pieces, here of %i",
  async piece => {
    const file = join(temporary(), "f");
    writeFileSync(file, TEXT);
    const sent = await send(file, { piece });
    expect(sent).toMatchObject({ size: 25, text: TEXT, sha256: createHash("sha256").update(TEXT).digest("hex") });
    expect(sent.pieces.map(one => one.size)).toEqual(
      Array.from({ length: Math.ceil(25 / piece) }, (_, index) => Math.min(piece, 25 - index * piece)),
    );
  },
);

test("a piece that broke on its way does not spoil the hash of the whole", async () => {
  const file = join(temporary(), "f");
  writeFileSync(file, TEXT);
  depot.fault = "cut";
  const sending = send(file, { piece: 10 });
  const posts = depot.refused;
  await until("two uploads to have failed", () => depot.refused >= posts + 2);
  depot.fault = undefined;
  expect(await sending).toMatchObject({ text: TEXT, sha256: createHash("sha256").update(TEXT).digest("hex") });
});

test("a file that is written to while it is sent is not taken for what it was", async () => {
  const file = join(temporary(), "f");
  writeFileSync(file, TEXT);
  depot.room = 0;
  const sending = send(file);
  const failure = expect(sending).rejects.toBeInstanceOf(Changed);
  await until("the upload to wait", () => depot.waiting > 0);
  appendFileSync(file, "more");
  depot.open();
  await failure;
});

test("neither links nor pipes are opened, nor what the job's user may not read", async () => {
  const folder = temporary();
  const file = join(folder, "f");
  writeFileSync(file, TEXT, { mode: 0o600 });
  symlinkSync(file, join(folder, "link"));
  execFileSync("mkfifo", [join(folder, "pipe")]);
  await expect(send(join(folder, "link"))).rejects.toMatchObject({ code: "ELOOP" });
  await expect(send(join(folder, "pipe"))).rejects.toBeInstanceOf(Refused);
  const owner: Account = { name: "ben", uid: 54_321, gid: 54_321, home: "/", as: ["x"], plain: [], asOwner: [] };
  await expect(send(file, { owner })).rejects.toThrow("ben may not read it");
  chmodSync(file, 0o604);
  expect((await send(file, { owner })).text).toBe(TEXT);
});

test("a folder that changes between the look and the sending makes no generation", async () => {
  const folder = temporary();
  const root = rootOf("w", jobOf(), 0);
  const store = await storeOf(`${root}00000001/`);
  writeFileSync(join(folder, "a"), "1");
  writeFileSync(join(folder, "b"), "1");
  const state = await look(rawOf(folder), []);
  writeFileSync(join(folder, "b"), "22");
  const home = new Map();
  await expect(sendState(state, { store, owner: undefined, number: 1, home })).rejects.toBeInstanceOf(Changed);
  rmSync(join(folder, "a"));
  await expect(sendState(state, { store, owner: undefined, number: 2, home })).rejects.toBeInstanceOf(Changed);
  expect(await newest(depot.blobs, root, 1)).toEqual([]);
  const now = await look(rawOf(folder), []);
  await sendState(now, { store, owner: undefined, number: 3, home });
  expect(await newest(depot.blobs, root, 1)).toEqual([{ fence: 1, number: 3 }]);
  expect((await depot.manifest(listOf(root, { fence: 1, number: 3 }), root)).entries.map(one => one.path)).toEqual([
    "b",
  ]);
});

test("a folder of too many files is told, not sent in part", async () => {
  const folder = temporary();
  for (let n = 0; n <= 3; n++) writeFileSync(join(folder, `${n}`), "");
  expect((await look(rawOf(folder), [], 4)).files).toHaveLength(4);
  await expect(look(rawOf(folder), [], 3)).rejects.toThrow("it has more than 3 files");
});

async function watched(jobId: string, home: string, fence: number, said: string[] = []) {
  const [last] = await newest(depot.blobs, rootOf("w", jobId, 0), 1, fence);
  const halt = new AbortController();
  ends.push(() => halt.abort());
  mkdirSync(join(home, "work"), { recursive: true });
  return new Checkpoint({
    said: "~/ckpt",
    whose: { jobId, rank: 0 },
    fence,
    last,
    places: { home, workdir: join(home, "work") },
    records: join(home, "records"),
    owner: undefined,
    control: { checkpoint: ask => depot.give(ask) },
    store: await storeOf(prefixOf("w", jobId, fence, 0)),
    journal: new Journal("/dev/null"),
    halt: halt.signal,
    say: line => void said.push(line),
    onSent: () => undefined,
    every: 20,
    quiet: 20,
  });
}

test("what changes is sent by and by, each state once, and the next agent goes on counting", async () => {
  const home = temporary();
  const id = jobOf();
  const root = rootOf("w", id, 0);
  const last = async () => (await newest(depot.blobs, root, 1))[0]?.number;
  const first = await watched(id, home, 1);
  await first.bring(new AbortController().signal);
  first.watch();
  writeFileSync(join(home, "ckpt/a"), "1");
  await until("a generation", async () => (await last()) === 1);
  writeFileSync(join(home, "ckpt/b"), "1");
  await until("another", async () => (await last()) === 2);
  expect(first.news).toBe(2);
  first.told(1);
  expect(first.news).toBe(2);
  first.told(2);
  expect(first.news).toBeUndefined();
  ends.pop()?.();
  const posts = depot.posts;
  const second = await watched(id, home, 1);
  second.watch();
  writeFileSync(join(home, "ckpt/b"), "22");
  const said: string[] = [];
  expect(await second.finish()).toBe(true);
  expect(await last()).toBe(3);
  // The file that changed, the list and its end.
  expect(depot.posts - posts).toBe(3);
  expect(said).toEqual([]);
});

test("folders whose state is home make room for the next job; those that are not stay", async () => {
  const home = temporary();
  const [done, torn, next] = [jobOf(), jobOf(), jobOf()];
  const bring = async (id: string) => {
    const one = await watched(id, home, 1);
    await one.bring(new AbortController().signal);
    writeFileSync(join(one.folder, "w"), id);
    return one;
  };
  const first = await bring(done);
  await first.finish();
  const second = await bring(torn);
  expect((await look(rawOf(first.folder), [])).files).toEqual([]);
  depot.fault = 400;
  expect(await second.finish()).toBe(false);
  depot.fault = undefined;
  await bring(next);
  expect((await look(rawOf(second.folder), [])).files).toHaveLength(1);
});
