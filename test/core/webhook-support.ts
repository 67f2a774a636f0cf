/** Webhooks for tests: a world whose clock is set by the test, and a receiver that answers as it likes. */
import { MusterError } from "@muster/core/error.ts";
import type { Event } from "@muster/core/event/event.ts";
import { sweepOutbox } from "@muster/core/outbox/sweep.ts";
import type { Outbound, OutboundAnswer, OutboundRequest } from "@muster/core/ports/outbound.ts";
import { create } from "@muster/core/webhook/create.ts";
import type { Info } from "@muster/core/webhook/delivery.ts";
import { enqueue } from "@muster/core/webhook/enqueue.ts";
import { deliveries } from "@muster/core/webhook/read.ts";
import type * as Webhook from "@muster/core/webhook/webhook.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

export const ADMIN = { ...ADA, role: "admin" } as const;
export const URL_OF_IT = "https://hooks.example.com/muster";
export const NAME = "ci";

type Said = Partial<OutboundAnswer> | "no answer";

export interface Receiving extends TestWorld {
  /** What it was sent, and when. */
  readonly heard: (OutboundRequest & { readonly at: number })[];
  /** What it answers next, in order; the last of them for ever. */
  says(...answers: Said[]): void;
  readonly outbound: Outbound;
}

export function receiving(): Receiving {
  const world = testWorld();
  const heard: Receiving["heard"] = [];
  const answers: Said[] = [{}];
  const outbound: Outbound = {
    check: () => undefined,
    send: async request => {
      heard.push({ ...request, at: world.clock.now() });
      const said = (answers.length > 1 ? answers.shift() : answers[0]) ?? {};
      if (said === "no answer") throw new MusterError("unavailable", "hooks.example.com did not answer: ECONNRESET");
      return { status: 204, headers: {}, body: "", ...said };
    },
  };
  return { ...world, outbound, heard, says: (...next) => void answers.splice(0, answers.length, ...next) };
}

/** A webhook for all kinds of events, unless it says otherwise. */
export const made = (
  world: Receiving,
  change: Partial<Webhook.Change> = {},
  name: string = NAME,
): Promise<Webhook.Created> =>
  create(world, ADMIN, { name, webhook: { url: URL_OF_IT, format: "standard", events: ["*"], ...change } });

let count = 0;
export const eventOf = (world: TestWorld, more: Partial<Event> = {}): Event => ({
  ...{ id: `evt_${world.random.ulid()}`, at: world.clock.now(), subject: `thing_${++count}` },
  ...{ kind: "job.succeeded", actor: "system" },
  ...more,
});

/** An event, and everything that is due at once because of it. */
export async function happens(world: Receiving, more: Partial<Event> = {}): Promise<Event> {
  const event = eventOf(world, more);
  await enqueue(world, event, ADA.workspace);
  await sweepOutbox(world);
  return event;
}

export const listOf = async (world: Receiving, name: string = NAME): Promise<Info[]> =>
  (await deliveries(world, ADMIN, name, { limit: 100 })).items;

/** Lets time pass from one due moment to the next, until nothing is due any more; a sweep a second, as it were. */
export async function passAll(world: Receiving, most = 90 * 3_600_000): Promise<void> {
  const end = world.clock.now() + most;
  // More often than anything could be tried.
  for (let turn = 0; turn < 100; turn++) {
    const dues = await Promise.all(
      [0, 1, 2, 3].map(shard => world.table.query({ pk: `OUTBOX#${shard}`, index: "due", limit: 1 })),
    );
    const next = Math.min(...dues.flatMap(({ items }) => items.map(({ data }) => Number(data.dueAt))));
    if (next > end) return;
    world.clock.pass(Math.max(0, next - world.clock.now()));
    await sweepOutbox(world);
  }
  throw new Error("something is due for ever");
}
