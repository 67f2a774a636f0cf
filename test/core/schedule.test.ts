/** Schedules through the real verbs, on SQLite in memory, with a clock that the test sets. */
import { MusterError } from "@muster/core/error.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import * as Job from "@muster/core/job/job.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { glimpse } from "@muster/core/record.ts";
import { fire } from "@muster/core/schedule/fire.ts";
import { pause, resume } from "@muster/core/schedule/pause.ts";
import { events, get, list } from "@muster/core/schedule/read.ts";
import { remove } from "@muster/core/schedule/remove.ts";
import { run } from "@muster/core/schedule/run.ts";
import type * as Schedule from "@muster/core/schedule/schedule.ts";
import { set } from "@muster/core/schedule/set.ts";
import { sweepDue } from "@muster/core/sweep/due.ts";
import { create as createToken } from "@muster/core/token/create.ts";
import { revoke } from "@muster/core/token/revoke.ts";
import { describe, expect, test } from "vitest";
import { code, MINUTE, passing, readyCluster } from "../support/requests.ts";
import { ringAll } from "../support/rings.ts";
import { ADA, BEN, EVE, type TestWorld, testWorld } from "../support/world.ts";
import { request } from "./schedule-support.ts";

const HOUR = 60 * MINUTE;
const ADMIN = { ...ADA, id: "usr_root", role: "admin" } as const;

/** Ada's schedule `hourly`, and the token by which she may launch. */
async function scheduled(world: TestWorld, more: Partial<Schedule.Change> = {}) {
  // Its machines boot as long as the test takes: no job ends by itself.
  world.provider.capabilities = { ...world.provider.capabilities, boot: 1000 * HOUR };
  const token = await createToken(world, ADMIN, { actor: "usr_ada", role: "member" });
  const schedule = await set(world, ADA, "hourly", request(more));
  return { token, schedule };
}

/** Newest first. */
const jobs = async (world: TestWorld): Promise<Job.Job[]> => {
  const { pk } = Keys.list("acme", "job", "");
  const { items } = await world.table.query({ pk, index: "list", order: "descending" });
  return items.map(item => glimpse(Job.noun, item));
};
const kinds = async (world: TestWorld) =>
  (await events(world, ADA, "hourly", { limit: 100 })).items.map(event => event.kind.replace("schedule.", ""));

describe("its times", () => {
  test("each launches once, however often anybody looks", async () => {
    const world = testWorld();
    const { schedule } = await scheduled(world);
    expect(schedule.nextAt).toBe(world.clock.now() + HOUR);
    await passing(world, 59);
    expect(await jobs(world)).toEqual([]);
    world.clock.pass(MINUTE);
    await Promise.allSettled(Array.from({ length: 4 }, () => sweepDue(world)));
    await sweepDue(world);
    expect(await jobs(world)).toHaveLength(1);
    const now = await get(world, ADA, "hourly");
    expect(now).toMatchObject({ last: { outcome: "launched" }, nextAt: world.clock.now() + HOUR });
    expect(now.next).toEqual([1, 2, 3, 4, 5].map(hours => world.clock.now() + hours * HOUR));
  });

  test("those that nobody was there for are one", async () => {
    const world = testWorld();
    await scheduled(world);
    world.clock.pass(5 * HOUR + MINUTE);
    await sweepDue(world);
    await sweepDue(world);
    expect(await jobs(world)).toHaveLength(1);
    expect((await get(world, ADA, "hourly")).nextAt).toBe(world.clock.now() + HOUR - MINUTE);
  });

  test("a process that is killed at any step has launched once, or not yet", async () => {
    for (let step = 0, isDone = false; !isDone; step++) {
      const world = testWorld();
      await scheduled(world);
      world.clock.pass(HOUR);
      let left = step;
      const stop = <A extends unknown[], R>(act: (...args: A) => Promise<R>) => {
        return async (...args: A): Promise<R> => {
          if (left-- <= 0) throw new Error("killed");
          return act(...args);
        };
      };
      const table = {
        get: stop(key => world.table.get(key as never)),
        query: stop(query => world.table.query(query as never)),
        write: stop(writes => world.table.write(writes as never)),
      } as unknown as Table;
      isDone = await fire({ ...world, table }, { workspace: "acme", name: "hourly" }).then(
        () => true,
        () => false,
      );
      await sweepDue(world);
      await sweepDue(world);
      expect([step, (await jobs(world)).length]).toEqual([step, 1]);
      expect(step).toBeLessThan(60);
    }
  });

  test("one whose answer was lost is not launched again", async () => {
    const world = testWorld();
    await scheduled(world);
    world.clock.pass(HOUR);
    const table = Object.create(world.table) as Table;
    table.get = key => world.table.get(key);
    table.query = world.table.query.bind(world.table);
    table.write = async writes => {
      await world.table.write(writes);
      throw new MusterError("unavailable", "the table did not answer");
    };
    expect(await code(fire({ ...world, table }, { workspace: "acme", name: "hourly" }))).toBe("unavailable");
    await sweepDue(world);
    expect(await jobs(world)).toHaveLength(1);
  });

  test("a store that refuses is asked again with the next sweep", async () => {
    const world = testWorld();
    await scheduled(world);
    world.clock.pass(HOUR);
    world.refuse(3);
    await sweepDue(world);
    expect(await jobs(world)).toEqual([]);
    await passing(world, 1);
    expect(await jobs(world)).toHaveLength(1);
  });
});

describe("while the last job goes on", () => {
  test("a time is skipped, and told so", async () => {
    const world = testWorld();
    await scheduled(world);
    await passing(world, 120);
    const [job] = await jobs(world);
    expect(await jobs(world)).toHaveLength(1);
    expect(await kinds(world)).toEqual(["set", "launched", "skipped"]);
    expect((await get(world, ADA, "hourly")).last).toMatchObject({
      outcome: "skipped",
      message: `${job?.id} has not ended`,
    });
    await cancel(world, ADA, job?.id ?? "");
    await passing(world, 60);
    expect(await jobs(world)).toHaveLength(2);
  });

  test("or waits for its end, once for however many times", async () => {
    const world = testWorld();
    await scheduled(world, { overlap: "queue" });
    await passing(world, 60);
    const [first] = await jobs(world);
    await passing(world, 150);
    expect(await jobs(world)).toHaveLength(1);
    expect(await kinds(world)).toEqual(["set", "launched", "queued"]);
    await cancel(world, ADA, first?.id ?? "");
    await passing(world, 2);
    expect(await jobs(world)).toHaveLength(2);
    await passing(world, 20);
    expect(await jobs(world)).toHaveLength(2);
  });

  test("or takes its place", async () => {
    const world = testWorld();
    await scheduled(world, { overlap: "replace" });
    await passing(world, 60);
    const [first] = await jobs(world);
    await passing(world, 60);
    expect((await jobs(world)).map(({ id, state }) => [id === first?.id, state])).toEqual([
      [false, "queued"],
      [true, "cancelled"],
    ]);
  });
});

describe("in whose name", () => {
  test("it launches as its owner, on clusters that are theirs", async () => {
    const world = testWorld();
    const { id } = await readyCluster(world, { idle: "never" });
    await scheduled(world);
    await passing(world, 60);
    expect(await jobs(world)).toMatchObject([{ owner: "usr_ada", clusterId: id }]);
  });

  test("not when they have no token any more, and again when they have one", async () => {
    const world = testWorld();
    const { token } = await scheduled(world);
    await revoke(world, ADMIN, token.id);
    await passing(world, 60);
    expect([await jobs(world), await kinds(world)]).toEqual([[], ["set", "failed"]]);
    expect((await get(world, ADA, "hourly")).last?.message).toBe(
      "usr_ada, in whose name schedule 'hourly' launches, has no token any more",
    );
    await createToken(world, ADMIN, { actor: "usr_ada", role: "viewer" });
    await passing(world, 60);
    expect(await jobs(world)).toEqual([]);
    await createToken(world, ADMIN, { actor: "usr_ada", role: "ci", days: 1 });
    await passing(world, 60);
    expect(await jobs(world)).toHaveLength(1);
    world.clock.pass(24 * HOUR);
    await sweepDue(world);
    expect((await get(world, ADA, "hourly")).last).toMatchObject({ outcome: "skipped" });
    await cancel(world, ADA, (await jobs(world))[0]?.id ?? "");
    await passing(world, 60);
    expect((await get(world, ADA, "hourly")).last).toMatchObject({ outcome: "failed" });
  });

  test("others may read it, and not change it; an admin who sets it launches in their own name", async () => {
    const world = testWorld();
    await scheduled(world);
    expect((await get(world, BEN, "hourly")).owner).toBe("usr_ada");
    for (const act of [
      () => set(world, BEN, "hourly", request()),
      () => pause(world, BEN, "hourly"),
      () => resume(world, BEN, "hourly"),
      () => remove(world, BEN, "hourly"),
      () => run(world, BEN, "hourly"),
    ])
      expect(await code(act())).toBe("forbidden");
    expect(await code(get(world, EVE, "hourly"))).toBe("not_found");
    expect(await set(world, ADMIN, "hourly", request())).toMatchObject({ owner: "usr_root" });
  });
});

describe("what a launch refuses", () => {
  test("is told, and the next time is another try", async () => {
    const world = testWorld();
    await scheduled(world, { launch: { ...request().launch, target: "nowhere" } });
    await passing(world, 60);
    const now = await get(world, ADA, "hourly");
    expect(now).toMatchObject({ last: { outcome: "failed", message: "there is no target 'nowhere'" } });
    expect(now.nextAt).toBe(world.clock.now() + HOUR);
  });
});

describe("by hand", () => {
  test("it is paused and goes on; what comes meanwhile is left out", async () => {
    const world = testWorld();
    await scheduled(world);
    expect(await pause(world, ADA, "HOURLY")).toMatchObject({ paused: true });
    expect(await pause(world, ADA, "hourly")).toMatchObject({ paused: true });
    expect((await get(world, ADA, "hourly")).next).toEqual([]);
    await passing(world, 150);
    expect(await jobs(world)).toEqual([]);
    expect(await resume(world, ADA, "hourly")).toMatchObject({
      paused: false,
      nextAt: world.clock.now() + 30 * MINUTE,
    });
    await passing(world, 30);
    expect(await jobs(world)).toHaveLength(1);
  });

  test("it is run now, and then as before", async () => {
    const world = testWorld();
    await scheduled(world);
    const launched = await run(world, ADA, "hourly");
    expect(await get(world, ADA, "hourly")).toMatchObject({
      launched: { jobId: launched.job?.id },
      nextAt: world.clock.now() + HOUR,
    });
    // That one goes on.
    await passing(world, 60);
    expect(await kinds(world)).toEqual(["set", "launched", "skipped"]);
  });

  test("it is set anew under the same name, and removed", async () => {
    const world = testWorld();
    const { schedule } = await scheduled(world);
    const other = await set(world, ADA, "hourly", request({ cron: "30 * * * *" }));
    expect([other.id, other.cron]).toEqual([schedule.id, "30 * * * *"]);
    await ringAll(world);
    expect((await list(world, BEN, { limit: 10 })).items).toMatchObject([{ name: "hourly", cluster: "demo" }]);
    await remove(world, ADA, "hourly");
    await passing(world, 60);
    expect([await jobs(world), (await list(world, ADA, { limit: 10 })).items]).toEqual([[], []]);
    expect(await get(world, ADA, "hourly").catch(error => error)).toMatchObject({ code: "not_found" });
    expect((await set(world, ADA, "hourly", request())).id).not.toBe(schedule.id);
  });
});
