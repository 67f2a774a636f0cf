/** Timers for what is due: they fire when a deadline comes, and a slow beat catches whatever they missed. */
import { answerDue } from "@muster/core/doorbell.ts";
import * as Keys from "@muster/core/keys.ts";
import { sweepLogs } from "@muster/core/log/sweep.ts";
import type { Change, Sighting } from "@muster/core/ports/table.ts";
import type { World } from "@muster/core/ports/world.ts";
import { sweepSecrets } from "@muster/core/secret/sweep.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { sweepOrphans } from "@muster/core/sweep/orphans.ts";
import { Sweeps } from "./sweeps.ts";

/** The slow beats, in ms. */
const DUE_BEAT = 15_000;
const ORPHAN_BEAT = 300_000;
const SECRETS_BEAT = 3_600_000;
const LOGS_BEAT = 86_400_000;
/** Later deadlines are left to the beat. */
const SOON = 60_000;

export interface Timers {
  /** Looks at everything that is under way, due or not, and at what is left: what rang before a crash may never have been heard. */
  start(): void;
  /** Notes the deadlines of what was written. */
  note(changes: readonly Change[]): void;
  close(): Promise<void>;
}

/** @param logDays how long logs of jobs are kept. */
export function timers(world: () => World, logDays: number): Timers {
  const pending = new Map<number, NodeJS.Timeout>();
  const sweeps = new Sweeps(error => world().log.error("a sweep failed", { reason: String(error) }));
  const due = () => sweepDue(world());
  const orphans = () => sweepOrphans(world());
  const secrets = () => sweepSecrets(world());
  const logs = () => sweepLogs(world(), logDays);
  const beats = [
    setInterval(() => sweeps.run(due), DUE_BEAT),
    setInterval(() => sweeps.run(orphans), ORPHAN_BEAT),
    setInterval(() => sweeps.run(secrets), SECRETS_BEAT),
    setInterval(() => sweeps.run(logs), LOGS_BEAT),
  ];
  for (const beat of beats) beat.unref();
  let closed = false;
  const remind = (at: number) => {
    const wait = at - world().clock.now();
    if (wait >= SOON || pending.has(at)) return;
    const fire = () => {
      pending.delete(at);
      sweeps.run(due);
    };
    pending.set(at, setTimeout(fire, Math.max(0, wait) + 1));
  };

  return {
    start: () => {
      sweeps.run(() => lookAtAll(world()));
      sweeps.run(secrets);
      sweeps.run(logs);
    },
    note: changes => {
      // What was under way at the end may still write.
      if (closed) return;
      for (const change of changes) {
        const at = "item" in change ? dueAt(change.item) : undefined;
        if (at !== undefined) remind(at);
      }
    },
    close: async () => {
      closed = true;
      for (const timer of [...beats, ...pending.values()]) clearTimeout(timer);
      await sweeps.close();
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
