/** Timers for what is due: they fire when a deadline comes, and a slow beat catches whatever they missed. */

import { answerDue } from "@muster/core/doorbell.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Change, Sighting } from "@muster/core/ports/table.ts";
import type { World } from "@muster/core/ports/world.ts";
import { sweepDue, sweepOrphans } from "@muster/core/sweep.ts";

/** The slow beats, in ms. */
const DUE_BEAT = 15_000;
const ORPHAN_BEAT = 300_000;
/** Later deadlines are left to the beat. */
const SOON = 60_000;

export interface Timers {
  /** Looks at everything that is under way, due or not: what rang before a crash may never have been heard. */
  start(): void;
  /** Notes the deadlines of what was written. */
  note(changes: readonly Change[]): void;
  close(): Promise<void>;
}

export function timers(world: () => World): Timers {
  const pending = new Map<number, NodeJS.Timeout>();
  let running: Promise<void> = Promise.resolve();
  let closed = false;
  const run = (what: (world: World) => Promise<unknown>) => {
    running = running.then(async () => {
      if (closed) return;
      await what(world()).catch(error => world().log.error("a sweep failed", { reason: String(error) }));
    });
  };
  const beats = [setInterval(() => run(sweepDue), DUE_BEAT), setInterval(() => run(sweepOrphans), ORPHAN_BEAT)];
  for (const beat of beats) beat.unref();

  return {
    start: () => run(lookAtAll),
    note: changes => {
      for (const change of changes) {
        const at = "item" in change ? dueAt(change.item) : undefined;
        const wait = at === undefined ? SOON : at - world().clock.now();
        if (at === undefined || wait >= SOON || pending.has(at)) continue;
        const fire = () => {
          pending.delete(at);
          run(sweepDue);
        };
        pending.set(at, setTimeout(fire, Math.max(0, wait) + 1));
      }
    },
    close: async () => {
      closed = true;
      for (const timer of [...beats, ...pending.values()]) clearTimeout(timer);
      await running;
    },
  };
}

function dueAt(item: Sighting): number | undefined {
  const key = item.indexes?.due;
  return key && Number(key.sk.slice(0, key.sk.indexOf("#")));
}

async function lookAtAll(world: World): Promise<void> {
  for (let shard = 0; shard < Keys.DUE_SHARDS; shard++) {
    let cursor: string | undefined;
    do {
      const page = await world.table.query({
        pk: Keys.duePartition(shard),
        index: "due",
        limit: 1000,
        ...(cursor !== undefined && { cursor }),
      });
      for (const sighting of page.items)
        await answerDue(world, sighting).catch(error =>
          world.log.error("a look failed", { item: sighting.pk, reason: String(error) }),
        );
      cursor = page.cursor;
    } while (cursor !== undefined);
  }
}
