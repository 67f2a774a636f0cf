/**
 * Ran against: the comparers of users' tokens, of hosts' tokens, of GitHub's signatures and of GitLab's tokens, on
 * node:crypto, in this process. A secret that is wrong from its first sign on must take the time of one that is wrong in its
 * last alone. Comparers that stop where texts differ are measured in the same run: were they not told apart, nothing
 * would have been shown.
 *
 * The machine may be busy: the classes come by turns, and only a difference that shows three times in a row is one.
 */
import { verify as verifyHook } from "@muster/core/hook/verify.ts";
import { authenticate } from "@muster/core/host/authenticate.ts";
import type { Item } from "@muster/core/ports/table.ts";
import { verify } from "@muster/core/token/verify.ts";
import { createDigest } from "@muster/node/digest.ts";
import { expect, test } from "vitest";
import { furnish } from "./furnish.ts";
import { openStage } from "./stage.ts";
import { differenceOf, laterDifferenceOf } from "./timing.ts";

const SAMPLES = 200_000;
const MOST = 10;
const LEAST_OF_CONTROL = 100;
const TRIES = 3;

const digest = createDigest("k".repeat(32));

/** The same text, wrong in its first sign and in its last; texts of their own, not parts of others. */
function wrongs(text: string, skip = 0): readonly [string, string] {
  const flip = (at: number) => {
    const bytes = Buffer.from(text, "latin1");
    bytes[at] = bytes[at] === 0x30 ? 0x31 : 0x30;
    return bytes.toString("latin1");
  };
  return [flip(skip), flip(text.length - 1)];
}

async function expectSilent(measure: () => number | Promise<number>): Promise<void> {
  const found: number[] = [];
  for (let tried = 0; tried < TRIES; tried++) {
    const difference = await measure();
    found.push(difference);
    if (Math.abs(difference) < MOST) return;
  }
  expect(found.map(Math.abs), "Welch's t of three runs").toEqual([]);
}

test("the comparison of texts tells nothing", async () => {
  const secret = digest.hash("a secret");
  const [first, last] = wrongs(secret);
  await expectSilent(() => differenceOf(isLast => digest.same(isLast ? last : first, secret), SAMPLES));
});

const hook = { now: 0, body: new TextEncoder().encode('{"zen":"Keep it logically awesome."}') };
const key = { text: digest.hash("of a hook"), bytes: new Uint8Array(32).fill(7) };

test("GitHub's signatures: how much of one is right does not show", async () => {
  const right = `sha256=${digest.sign(new TextEncoder().encode(key.text), hook.body)}`;
  const [first, last] = wrongs(right, "sha256=".length).map(text => ({
    ...hook,
    headers: { "x-hub-signature-256": text },
  }));
  if (first === undefined || last === undefined) throw new Error("there are two");
  const run = (isLast: boolean) => verifyHook(digest, { forge: "github" }, [key], isLast ? last : first);
  expect(verifyHook(digest, { forge: "github" }, [key], { ...hook, headers: { "x-hub-signature-256": right } })).toBe(
    true,
  );
  expect([run(true), run(false)]).toEqual([false, false]);
  await expectSilent(() => differenceOf(run, SAMPLES));
});

test("GitLab's tokens: how much of one is right does not show", async () => {
  const [first, last] = wrongs(key.text).map(text => ({ ...hook, headers: { "x-gitlab-token": text } }));
  if (first === undefined || last === undefined) throw new Error("there are two");
  const run = (isLast: boolean) => verifyHook(digest, { forge: "gitlab" }, [key], isLast ? last : first);
  expect(verifyHook(digest, { forge: "gitlab" }, [key], { ...hook, headers: { "x-gitlab-token": key.text } })).toBe(
    true,
  );
  expect([run(true), run(false)]).toEqual([false, false]);
  await expectSilent(() => differenceOf(run, SAMPLES));
});

/** Everything that is asked for, as it stands: what is measured is what is done with it. */
function remembering(world: Parameters<typeof verify>[0]) {
  const items = new Map<string, Item | undefined>();
  const get: typeof world.table.get = async wanted => {
    const name = `${wanted.pk} ${wanted.sk}`;
    if (!items.has(name)) items.set(name, await world.table.get(wanted));
    return items.get(name);
  };
  return { ...world, table: { ...world.table, get } };
}

const isRefused = (promise: Promise<unknown>) =>
  promise.then(
    () => false,
    () => true,
  );

test("users' tokens: how much of one is right does not show", async () => {
  const stage = openStage();
  const right = await stage.token("acme", "ci");
  const [first, last] = wrongs(right, right.length - 64);
  const world = remembering(stage.world);
  expect(await isRefused(verify(world, right))).toBe(false);
  const run = (isLast: boolean) => isRefused(verify(world, isLast ? last : first));
  expect([await run(true), await run(false)]).toEqual([true, true]);
  await expectSilent(() => laterDifferenceOf(run, SAMPLES));
});

test("hosts' tokens: how much of one is right does not show", async () => {
  const stage = openStage();
  const { passes } = await furnish(stage, "acme", "ac");
  const [first, last] = wrongs(passes.host, passes.host.length - 64);
  const world = remembering(stage.world);
  expect(await isRefused(authenticate({ ...stage.world, ...world }, passes.host))).toBe(false);
  const run = (isLast: boolean) => isRefused(authenticate({ ...stage.world, ...world }, isLast ? last : first));
  expect([await run(true), await run(false)]).toEqual([true, true]);
  await expectSilent(() => laterDifferenceOf(run, SAMPLES));
});

/** Stops where the texts differ. */
function naive(one: string, other: string): boolean {
  if (one.length !== other.length) return false;
  for (let at = 0; at < one.length; at++) if (one.charCodeAt(at) !== other.charCodeAt(at)) return false;
  return true;
}

test.each([
  ["a loop", naive],
  ["===", (one: string, other: string) => one === other],
])("the control: %s is told", (_, same) => {
  const secret = Buffer.alloc(16_384, "s").toString("latin1");
  const [first, last] = wrongs(secret);
  const measure = () => Math.abs(differenceOf(isLast => same(isLast ? last : first, secret), SAMPLES / 4));
  const told = Array.from({ length: TRIES }).some(() => measure() > LEAST_OF_CONTROL);
  expect(told).toBe(true);
});
