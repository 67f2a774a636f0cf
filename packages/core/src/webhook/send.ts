/**
 * One try of a delivery: it is taken, sent, and what came of it is written.
 *
 * Gotcha: whoever takes it has a minute. When that runs out and nothing was written, since a process died between sending and
 * writing, it is sent again with the same id: at least once, and not just once.
 */
import { system } from "../actor/actor.ts";
import { reasonOf } from "../deadletter/bury.ts";
import { MusterError } from "../error.ts";
import type { OutboundAnswer } from "../ports/outbound.ts";
import { WriteConflict } from "../ports/table.ts";
import type { Outside } from "../ports/world.ts";
import { amend, type Patch, type Stored } from "../record.ts";
import * as Delivery from "./delivery.ts";
import { disabling } from "./enable.ts";
import { headersOf } from "./sign.ts";
import { DELAYS, delayOf, retryAfterOf } from "./times.ts";
import * as Webhook from "./webhook.ts";

type Part = Pick<Outside, "table" | "clock" | "random" | "digest" | "outbound">;

/** How long whoever takes a delivery has it, in ms: longer than a try may take. */
export const LEASE = 60_000;
/** How long a try may take, in ms, and how much of the answer is read. */
const TIMEOUT = 15_000;
const MAX_BYTES = 4_096;
/** Tries that are shown. */
const LOGGED = DELAYS.length + 2;

const GONE = 410;

type Taken = Stored<Delivery.Delivery>;

/** Nothing, when it is not due, or another has it. */
export async function send(
  world: Part,
  { workspace, id }: { readonly workspace: string; readonly id: string },
): Promise<void> {
  const delivery = await Delivery.find(world.table, workspace, id);
  if (delivery?.dueAt === undefined || delivery.dueAt > world.clock.now()) return;
  const webhook = await Webhook.find(world.table, workspace, delivery.webhookName);
  if (webhook?.id !== delivery.webhookId) return drop(world, delivery, "the webhook was removed");
  if (webhook.disabled !== undefined) return drop(world, delivery, "the webhook is disabled");
  // Whoever took it for the last of its tries never said what came of it.
  if (delivery.tries >= triesOf(delivery)) return close(world, delivery, { outcome: "dead" });
  const taken = await take(world, delivery);
  if (taken !== undefined) await attempt(world, webhook, taken);
}

const triesOf = ({ isTest }: Delivery.Delivery): number => (isTest ? 1 : DELAYS.length);

const drop = (world: Part, delivery: Taken, reason: string): Promise<void> =>
  close(world, delivery, { outcome: "dropped", log: logged(delivery, { at: world.clock.now(), ms: 0, reason }) });

const close = (world: Part, delivery: Taken, patch: Patch<Delivery.Delivery>): Promise<void> =>
  unlessMoved(world, delivery, { ...patch, dueAt: undefined });

const logged = ({ log }: Delivery.Delivery, last: Delivery.Try): Delivery.Try[] => [...log, last].slice(-LOGGED);

/** @returns undefined when another was faster. */
async function take(world: Part, delivery: Taken): Promise<Taken | undefined> {
  const now = world.clock.now();
  const patch = { tries: delivery.tries + 1, dueAt: now + LEASE, taken: true, changedAt: now };
  const { next, write } = amend<Delivery.Delivery>(Delivery.noun, delivery, patch);
  try {
    await world.table.write([write]);
    return next;
  } catch (error) {
    if (error instanceof WriteConflict) return undefined;
    throw error;
  }
}

async function attempt(world: Part, webhook: Stored<Webhook.Webhook>, taken: Taken): Promise<void> {
  const at = world.clock.now();
  const answer = await call(world, webhook, taken, at);
  const now = world.clock.now();
  const { status, reason, retryAfter } = judge(answer, now);
  const log = logged(taken, {
    ...{ at, ms: now - at },
    ...(status !== undefined && { status }),
    ...(reason !== undefined && { reason }),
  });
  if (reason === undefined) return close(world, taken, { outcome: "delivered", log });
  const isGone = status === GONE;
  if (isGone) await disable(world, webhook);
  const delay = isGone || taken.isTest ? undefined : delayOf(taken.id, taken.tries, retryAfter);
  if (delay === undefined) return close(world, taken, { outcome: "dead", log });
  return unlessMoved(world, taken, { dueAt: now + delay, log });
}

/** @returns what the receiver answered, or why it did not. */
async function call(
  { outbound, digest }: Part,
  webhook: Webhook.Webhook,
  delivery: Taken,
  now: number,
): Promise<OutboundAnswer | MusterError> {
  try {
    return await outbound.send({
      ...{ method: "POST", url: webhook.url, timeout: TIMEOUT, maxBytes: MAX_BYTES },
      headers: headersOf(digest, webhook, delivery, now),
      body: delivery.body,
    });
  } catch (error) {
    if (error instanceof MusterError) return error;
    throw error;
  }
}

interface Verdict {
  readonly status?: number;
  /** Absent: it was taken. */
  readonly reason?: string;
  readonly retryAfter?: number;
}

/** What counts is a status of the two hundreds: a redirect is a failure, too. */
function judge(answer: OutboundAnswer | MusterError, now: number): Verdict {
  if (answer instanceof MusterError) return { reason: reasonOf(answer.message) };
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return { status };
  const isRedirect = status >= 300 && status < 400;
  const reason = isRedirect ? "a redirect: give the webhook the address that it leads to" : `answered ${status}`;
  const mayAsk = status === 429 || status === 503;
  return { status, reason, ...(mayAsk && { retryAfter: retryAfterOf(headers["retry-after"], now) }) };
}

/** Its receiver wants nothing more. Somebody else may have disabled, changed or removed it meanwhile: then that stands. */
async function disable(world: Part, webhook: Stored<Webhook.Webhook>): Promise<void> {
  const reason = "its receiver answered 410: it is gone";
  try {
    await world.table.write(disabling(world, system(webhook.workspace), webhook, reason).writes);
  } catch (error) {
    if (!(error instanceof WriteConflict)) throw error;
  }
}

/** Whoever has written meanwhile knows better: they replayed it, or took it when this one was late. */
async function unlessMoved(world: Part, delivery: Taken, patch: Patch<Delivery.Delivery>): Promise<void> {
  const left = { ...patch, taken: undefined, changedAt: world.clock.now() };
  const { write } = amend<Delivery.Delivery>(Delivery.noun, delivery, left);
  try {
    await world.table.write([write]);
  } catch (error) {
    if (!(error instanceof WriteConflict)) throw error;
  }
}
