/** Job groups that are looked at twice, too late, halfway, or by several at once: core's verbs on SQLite in memory. */
import { report } from "@muster/core/agent/report.ts";
import { eventsOf as eventsIn } from "@muster/core/event/read.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import * as Jobs from "@muster/core/job/read.ts";
import { reconcile } from "@muster/core/jobgroup/reconcile.ts";
import * as Keys from "@muster/core/keys.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { describe, expect, test } from "vitest";
import { ends, obeys, runningGroup, statesOf, TRAINER, task } from "../support/job-groups.ts";
import { MINUTE } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { turns } from "../support/turns.ts";
import { ADA, testWorld } from "../support/world.ts";

const of = (id: string) => ({ workspace: "acme", id });
const eventsOf = async (world: ReturnType<typeof testWorld>, id: string) =>
  (await Jobs.events(world, ADA, id, { limit: 100 })).items;
const eventsOfGroup = async (world: ReturnType<typeof testWorld>, id: string) =>
  (await eventsIn(world, Keys.jobGroup("acme", id), { limit: 100 })).items;

describe("lost, doubled and cut off", () => {
  test("rings that are lost are found by the sweep", async () => {
    const world = testWorld();
    const running = await runningGroup(world);
    await ends(running, "trainer");
    await ringAll(world, 0);
    world.clock.pass(5 * MINUTE);
    await sweepDue(world);
    expect(await statesOf(world, running)).toMatchObject({ group: "ending", server: "cancelling" });
    await obeys(world, running, "server");
    await ringAll(world, 0);
    world.clock.pass(MINUTE);
    await sweepDue(world);
    expect(await statesOf(world, running)).toMatchObject({ group: "succeeded" });
  });

  test("rings that come twice, and looks at any time, change nothing more", async () => {
    const world = testWorld();
    const running = await runningGroup(world);
    await ends(running, "trainer");
    await ringAll(world, 2);
    for (let look = 0; look < 3; look++) await reconcile(world, of(running.id));
    await obeys(world, running, "server");
    await ringAll(world, 2);
    const kinds = (await eventsOf(world, running.of("server").jobId)).map(({ kind }) => kind);
    expect(kinds).toEqual(["job.queued", "job.starting", "job.cancelling", "job.cancelled"]);
  });

  test("whoever is stopped after any of its writes is followed by another", async () => {
    for (let stop = 0; stop < 6; stop++) {
      const world = testWorld();
      const servers = ["s1", "s2"].map(name => ({ task: task(name), primary: false }));
      const running = await runningGroup(world, [TRAINER, ...servers]);
      await ends(running, "trainer");
      let writes = 0;
      const write: typeof world.table.write = async all => {
        if (writes++ >= stop) throw new Error("stopped");
        return world.table.write(all);
      };
      const cut = { ...world, table: { ...world.table, write } };
      await reconcile(cut, of(running.id)).catch(() => undefined);
      await ringAll(world, 0);
      world.clock.pass(5 * MINUTE);
      await sweepDue(world);
      expect(await statesOf(world, running)).toMatchObject({ group: "ending", s1: "cancelling", s2: "cancelling" });
    }
  });
});

/** Repeatable numbers in [0, 1). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

test("in whatever order looks, an end, a cancel and refusals meet, it ends once", async () => {
  for (let seed = 0; seed < 60; seed++) {
    const world = testWorld();
    const running = await runningGroup(world);
    const { jobId, hosts } = running.of("server");
    const [assignment] = (await hosts[0]?.poll())?.assignments ?? [];
    await ends(running, "trainer");
    const { table, run } = turns(world.table, numbers(seed), 0.1);
    const torn = { ...world, table };
    const look = () => reconcile(torn, of(running.id)).catch(() => undefined);
    const host = hosts[0] ? await hosts[0].actor() : undefined;
    const { fence = 0 } = assignment ?? {};
    const end = { jobId, fence, state: "exited", cause: "exited", exitCode: 0, chunks: 0, logsComplete: true } as const;
    const reported = async () => host && report(torn, host, end).catch(() => undefined);
    await run([look, look, reported, () => cancel(torn, ADA, jobId).catch(() => undefined)]);
    if (host) await report(world, host, end);
    await ringAll(world);
    const states = await statesOf(world, running);
    expect(states).toMatchObject({ group: "succeeded", trainer: "succeeded" });
    expect(["succeeded", "cancelled"]).toContain(states.server);
    const kinds = (await eventsOfGroup(world, running.id)).map(({ kind }) => kind);
    expect(kinds.filter(kind => kind === "jobgroup.succeeded")).toHaveLength(1);
  }
});
