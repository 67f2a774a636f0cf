/**
 * Looking after what GitHub could not deliver: it tries once, and never again by itself. So the list of what it has sent is
 * read every ten minutes, and what failed, or never came here, is sent again on our word.
 * (https://docs.github.com/webhooks/using-webhooks/handling-failed-webhook-deliveries)
 *
 * Which webhook of which repository it is, GitHub's ping says, which it sends when the webhook is made.
 */
import * as z from "zod";
import { retrying } from "../commit.ts";
import { isRetryable, MusterError } from "../error.ts";
import { listDeliveries, redeliver, type Sent } from "../github/deliveries.ts";
import { type GitHub, gitHub } from "../github/github.ts";
import * as Keys from "../keys.ts";
import type { Indexes } from "../ports/table.ts";
import type { Outside } from "../ports/world.ts";
import { amend, insert, load, type Noun, type Patch, type Stored } from "../record.ts";
import type { Facts } from "./facts.ts";
import { tokenOf } from "./forge.ts";
import * as Hook from "./hook.ts";

export const Watch = z.object({
  /** The hook's. */
  id: z.string(),
  workspace: z.string(),
  repository: z.string(),
  /** GitHub's id of the webhook. */
  remote: z.number().int().positive(),
  /** Epoch ms up to which everything was looked at. */
  seenAt: z.number(),
  dueAt: z.number(),
  /** Why the last look came to nothing. */
  problem: z.string().optional(),
});
export type Watch = z.infer<typeof Watch>;

export const noun: Noun<Watch> = {
  type: "hookwatch",
  schema: Watch,
  fields: new Set(Object.keys(Watch.shape)),
  key: record => Keys.hookWatch(record.workspace, record.id),
  indexes: (record): Indexes => ({ due: Keys.outboxDue(record.id, record.dueAt) }),
};

const EVERY = 10 * 60_000;
/** Where nobody may ask, or GitHub does not let us. */
const SELDOM = 3_600_000;
/** GitHub sends again what is three days old at most. */
const REACH = 3 * 24 * 3_600_000;
/** What was sent just now may still be on its way here. */
const GRACE = 2 * 60_000;
/** Looked at twice, since a delivery that was sent again stands in the list anew. */
const OVERLAP = 30 * 60_000;
const MOST_PAGES = 20;
/** That are sent again at one look, and how often each is in all. */
const MOST_AT_ONCE = 20;
const MOST_TIMES = 4;

/** From its ping on the webhook is known. Those of organisations are not listed by a repository. */
export async function watch(world: Outside, { id, workspace, forge }: Hook.Hook, facts: Facts): Promise<void> {
  const [, repository, remote] = /^repos\/([\w.-]+\/[\w.-]+)\/hooks\/(\d{1,15})$/.exec(facts.forgeHook ?? "") ?? [];
  if (forge !== "github" || repository === undefined || remote === undefined) return;
  const now = world.clock.now();
  await retrying(async () => {
    const known = await load(world.table, noun, Keys.hookWatch(workspace, id));
    const said = { repository, remote: Number(remote), dueAt: now + EVERY };
    const write = known ? amend<Watch>(noun, known, said).write : insert(noun, { id, workspace, seenAt: now, ...said });
    await world.table.write([write]);
  });
}

/** Looks, if it is time, and says when the next time is. @throws what is nobody's mistake outside */
export async function lookForMissed(
  world: Outside,
  ref: { readonly workspace: string; readonly id: string },
): Promise<void> {
  const known = await load(world.table, noun, Keys.hookWatch(ref.workspace, ref.id));
  const now = world.clock.now();
  if (known === undefined || known.dueAt > now) return;
  const hook = await load(world.table, Hook.noun, Keys.hook(ref.workspace, ref.id));
  if (hook === undefined) return world.table.write([{ remove: noun.key(known), expect: known.version }]);
  try {
    const isAll = await resend(world, hook, known);
    await note(world, known, { dueAt: now + EVERY, problem: undefined, ...(isAll && { seenAt: now }) });
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    const dueAt = now + (isRetryable(error) ? EVERY : SELDOM);
    await note(world, known, { dueAt, problem: error.message.slice(0, 400) });
  }
}

const note = (world: Outside, known: Stored<Watch>, patch: Patch<Watch>): Promise<void> =>
  world.table.write([amend<Watch>(noun, known, patch).write]);

/** @returns whether nothing was left for the next look. */
async function resend(world: Outside, hook: Hook.Hook, { repository, remote, seenAt }: Watch): Promise<boolean> {
  const secret = await tokenOf(world, hook);
  const github = gitHub(world, { api: Hook.apiOf(hook) ?? "", repository, secret });
  const now = world.clock.now();
  const since = Math.max(now - REACH, seenAt - OVERLAP, hook.createdAt);
  const missed = await missedOf(world, hook, await sentSince(github, remote, since), now);
  for (const sent of missed.slice(0, MOST_AT_ONCE)) await again(world, hook, github, remote, sent);
  return missed.length <= MOST_AT_ONCE;
}

/** What GitHub has sent since, newest first. */
async function sentSince(github: GitHub, remote: number, since: number): Promise<Sent[]> {
  const sent: Sent[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page++) {
    const found = await listDeliveries(github, remote, cursor);
    sent.push(...found.items.filter(({ at }) => at >= since));
    cursor = found.cursor;
    if (cursor === undefined || found.items.some(({ at }) => at < since)) break;
  }
  return sent;
}

/** The latest of each that never came here, whatever GitHub heard. */
async function missedOf(world: Outside, hook: Hook.Hook, sent: readonly Sent[], now: number): Promise<Sent[]> {
  const latest = new Map<string, Sent>();
  for (const one of sent) if (!latest.has(one.guid)) latest.set(one.guid, one);
  const missed: Sent[] = [];
  for (const one of latest.values()) {
    if (one.event === "ping" || one.at > now - GRACE) continue;
    const key = Keys.hookSeen(hook.workspace, hook.id, `ID#${world.digest.hash(one.guid)}`);
    if ((await world.table.get(key)) === undefined && (await mayAsk(world, hook, one))) missed.push(one);
  }
  return missed;
}

const Asked = z.object({ times: z.number(), at: z.number() });

const askedKey = ({ digest }: Outside, { workspace, id }: Hook.Hook, { guid }: Sent) =>
  Keys.hookSeen(workspace, id, `ASKED#${digest.hash(guid)}`);

/** Not for ever, and not before it is known what came of the last time. */
async function mayAsk(world: Outside, hook: Hook.Hook, sent: Sent): Promise<boolean> {
  const item = await world.table.get(askedKey(world, hook, sent));
  if (item === undefined) return true;
  const { times, at } = Asked.parse(item.data);
  return times < MOST_TIMES && at <= world.clock.now() - OVERLAP;
}

async function again(world: Outside, hook: Hook.Hook, github: GitHub, remote: number, sent: Sent): Promise<void> {
  const key = askedKey(world, hook, sent);
  const item = await world.table.get(key);
  const now = world.clock.now();
  const data = { times: (item ? Asked.parse(item.data).times : 0) + 1, at: now };
  // Written first: whatever comes of the call, it is not made for ever.
  const put = { ...key, type: "hookasked", data, expiresAt: now + 2 * REACH };
  await world.table.write([{ put, expect: item?.version ?? "absent" }]);
  await redeliver(github, remote, sent.id);
}
