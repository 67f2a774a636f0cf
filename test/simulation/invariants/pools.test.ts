/** The judge of how long pools may wait, told commits that are made up: which pauses it takes for right. */
import * as Keys from "@muster/core/keys.ts";
import type { Write } from "@muster/core/ports/table.ts";
import { expect, test } from "vitest";
import type { Script } from "../host/disk.ts";
import { MINUTE } from "../kernel.ts";
import type { Box } from "../ports/cloud.ts";
import type { Process } from "../process.ts";
import { Sim } from "../sim.ts";
import { watchPauses } from "./pools.ts";

const SOMEBODY = { name: "somebody", skew: 0 } as Process;

interface Lost {
  readonly pool?: string;
  /** Minutes. */
  readonly pause?: number;
  readonly exitCode?: number;
  /** What befell the script, instead of its own end. */
  readonly script?: { endedAt?: number; run?: number; name?: string };
}

/** A member that its pool gives up in one transaction with the pause that follows, as the script on its machine ended. */
function lose(sim: Sim, { pool = "warm", pause = 15, exitCode = 1, script = {} }: Lost): void {
  const number = sim.cloud.boxes.length;
  const [clusterId, jobId, workspace] = [`clu_${number}`, `job_${number}`, "acme"];
  const { name = `${jobId}/1`, run = MINUTE, endedAt } = script;
  const task = { inputs: 0, run, exitCode, chunks: 0 };
  const found: Script = { name, startedAt: sim.now - 2 * MINUTE, task, gpus: undefined, endedAt };
  sim.cloud.boxes.push({ clusterId, scripts: new Map([[name, found]]) } as Box);
  const [member, record] = [Keys.member(workspace, pool, clusterId), Keys.pool(workspace, pool)];
  const setback = { at: sim.now, code: "exit_code", message: "" };
  const failed = { id: `pol_${pool}`, name: pool, retryAt: sim.now + pause * MINUTE, setback };
  const write = (writes: readonly Write[]) => sim.db.write(SOMEBODY, writes);
  write([{ put: { ...member, type: "member", data: { workspace, pool, clusterId, jobId } }, expect: "absent" }]);
  write([
    { remove: member, expect: 1 },
    { put: { ...record, type: "pool", data: failed }, expect: sim.db.get(record)?.version ?? "absent" },
  ]);
}

/** Minutes that pools may wait, beside what one more takes for each that was lost. */
function waited(...lost: readonly Lost[]): number {
  const sim = new Sim(1);
  const paused = watchPauses(sim);
  for (const one of lost) lose(sim, one);
  return paused() / MINUTE;
}

test("a pool waits rightly after each setup that has failed by itself", () => {
  expect(waited()).toBe(0);
  expect(waited({ pause: 15 })).toBe(20);
  expect(waited({ pause: 15 }, { pause: 30 })).toBe(55);
});

test("pools wait at the same time: their waits are not added", () => {
  expect(waited({ pause: 15 }, { pool: "hot", pause: 30 })).toBe(35);
});

test("a pause that is longer than it may be does not count as a whole", () => {
  expect(waited({ pause: 600 })).toBe(65);
});

test.each<[string, Lost]>([
  ["whose script has ended well", { exitCode: 0 }],
  ["whose machine was lost", { script: { endedAt: 1 } }],
  ["whose script still runs", { script: { run: 10 * MINUTE } }],
  ["on which another job has failed", { script: { name: "job_other/1" } }],
])("no wait is right because of a member %s", (_, lost) => {
  expect(waited(lost)).toBe(0);
});
