import { take } from "@muster/core/capacity/throttle.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { describe, expect, test } from "vitest";
import { percentile, Virtual } from "../support/virtual.ts";
import { testWorld } from "../support/world.ts";
import { dueOf, Instance, JOBS, NOISY, NOISY_CLUSTERS, QUIET, SECOND, waits } from "./fairness-support.ts";

const figures = (what: string, base: readonly number[], loud: readonly number[]): void =>
  void process.stdout.write(
    `${what}: p50 ${percentile(base, 50)} -> ${percentile(loud, 50)} ms, p95 ${percentile(base, 95)} -> ${percentile(loud, 95)} ms, most ${Math.max(...base)} -> ${Math.max(...loud)} ms\n`,
  );

describe("with ten thousand jobs of another, and five clusters that can never be looked after", () => {
  test("jobs wait for the doorbell at most twice as long, and what failed three times is put aside", async () => {
    const base = await waits(false);
    const loud = await waits(true);
    figures("wait of a job for its hosts", base.waits, loud.waits);
    expect(Math.max(...base.waits)).toBeLessThan(Infinity);
    expect(percentile(loud.waits, 95)).toBeLessThanOrEqual(2 * percentile(base.waits, 95));
    expect(loud.letters).toMatchObject(Array.from({ length: 5 }, () => ({ times: 3, reason: "Error: poison" })));
    // Its own jobs have their hosts as well.
    expect(loud.noisy).toBe(NOISY_CLUSTERS);
  });

  test("what is due is looked after at most twice as late by the sweep", async () => {
    const late = async (jobs: number): Promise<number[]> => {
      const { table, ...fast } = testWorld();
      const time = new Virtual(fast.clock.now());
      // What is due says which job it belongs to; there is none, which is found out by reading it.
      const due = [
        ...Array.from({ length: jobs }, () => NOISY),
        ...QUIET.flatMap(one => Array.from({ length: 5 }, () => one)),
      ];
      for (let n = 0; n < due.length; n += 100)
        await table.write(due.slice(n, n + 100).map((of, k) => dueOf(of, n + k)));
      const seen: (readonly [string, number])[] = [];
      const slowly = new Instance(time).table(table);
      const from = time.now();
      const get: Table["get"] = async key => {
        const item = await slowly.get(key);
        seen.push([key.pk, time.now() - from]);
        return item;
      };
      const done = sweepDue({ ...fast, clock: { now: time.now }, table: { ...slowly, get } });
      await time.run();
      expect(await done).toBe(due.length);
      return seen.filter(([pk]) => pk.includes("#quiet")).map(([, at]) => at);
    };
    const [base, loud] = [await late(0), await late(JOBS)];
    // What it takes to read what is due is not waiting for anybody's turn.
    figures("lateness of a sweep", base, loud);
    expect([base.length, loud.length]).toEqual([100, 100]);
    expect(percentile(loud, 95)).toBeLessThanOrEqual(2 * percentile(base, 95));
  });

  test("launches wait for one look more than they would, while another workspace takes whatever there is", async () => {
    const launches = { burst: 5, perSecond: 2 };
    const provider = { name: "fake", capabilities: { launches } };
    const waited = async (isNoisy: boolean): Promise<number[]> => {
      const { table } = testWorld();
      const time = new Virtual(0);
      const found: number[] = [];
      const ask = (workspace: string) => take({ table, clock: time }, provider, { workspace, calls: 1 });
      let taken = 0;
      // Each of its thousand clusters in turn: somebody asks every ten milliseconds.
      const takeAll = async () => {
        for (; time.now() < 90 * SECOND; await time.sleep(10)) if ((await ask(NOISY)) === 0) taken++;
      };
      // A workflow looks again every five seconds.
      const launch = async (workspace: string) => {
        const from = time.now();
        while ((await ask(workspace)) > 0) await time.sleep(TICK);
        found.push(time.now() - from);
      };
      if (isNoisy) void takeAll();
      for (const [n, workspace] of QUIET.entries()) time.at(10 * SECOND + n * 3_001, () => void launch(workspace));
      await time.run(90 * SECOND);
      expect(found).toHaveLength(QUIET.length);
      // Nothing is left unused while somebody wants it.
      if (isNoisy) expect(taken).toBeGreaterThan(2 * 90 - QUIET.length - 10);
      return found;
    };
    const [base, loud] = [await waited(false), await waited(true)];
    figures("wait for a launch call", base, loud);
    expect(Math.max(...base)).toBe(0);
    expect(Math.max(...loud)).toBe(TICK);
  });
});

const TICK = 5 * SECOND;
