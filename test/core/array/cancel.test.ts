/** Arrays that are cancelled while their runs are everywhere but on hosts. The real verbs, on SQLite in memory; hosts are agents without machines. */

import { cancel } from "@muster/core/array/control.ts";
import { reconcile } from "@muster/core/array/reconcile.ts";
import { hold, release } from "@muster/core/job/hold.ts";
import { submit } from "@muster/core/job/submit.ts";
import { expect, test } from "vitest";
import { readyCluster } from "../../support/requests.ts";
import { ringAll } from "../../support/rings.ts";
import { ADA, testWorld } from "../../support/world.ts";
import { pause } from "../recover-support.ts";
import { arrayOf, arrayRequest, heldBy, infoOf, isSound, withArray } from "./support.ts";

const retry = { max: 3, on: ["exit_code" as const], backoff: 600 };

/** All runs of an array have failed once, and are to be tried again. */
async function recovering(count: number) {
  const made = await withArray({ count }, 1, { retry });
  const { world, hosts, clusterId, id } = made;
  for (let run = 0; run < count; run++) {
    await hosts[0]?.poll();
    for (const ref of await heldBy(world, clusterId, 0)) await hosts[0]?.run(ref, 1);
  }
  world.changes.splice(0);
  expect(await arrayOf(world, id)).toMatchObject({ running: count, next: count });
  return made;
}

test("all runs that are to be tried again end at once, however many they are", async () => {
  const { world, id } = await recovering(130);
  await cancel(world, ADA, id);
  await ringAll(world);
  const array = await arrayOf(world, id);
  expect(array).toMatchObject({ state: "cancelled", running: 0, cancelled: 130 });
  expect(isSound(array)).toBe(true);
});

test("a run that somebody holds back ends as well", async () => {
  const { world, id } = await recovering(2);
  await pause(world, 600_000);
  const held = `${id}.1`;
  expect((await infoOf(world, held)).state).toBe("queued");
  await hold(world, ADA, held);
  world.changes.splice(0);
  await cancel(world, ADA, id);
  await ringAll(world);
  // Run 0 is on the host, which is told of its end; the other needs nobody.
  expect((await infoOf(world, held)).state).toBe("cancelled");
});

test("a cancel that meets the release of what becomes an array ends that array", async () => {
  const world = testWorld();
  const { id: cluster } = await readyCluster(world, { idle: "never" });
  const { id } = await submit(world, ADA, cluster, arrayRequest({ count: 2 }, {}, { hold: true }));
  let isReleased = false;
  const write: typeof world.table.write = async writes => {
    if (!isReleased) {
      isReleased = true;
      await release(world, ADA, id);
    }
    return world.table.write(writes);
  };
  const answer = await cancel({ ...world, table: { ...world.table, write } }, ADA, id);
  expect(answer.state).toMatch(/^cancel/);
  await ringAll(world);
  expect((await infoOf(world, id)).state).toBe("cancelled");
});

test("what was told before is told no more often than somebody looks", async () => {
  const { world, id, hosts, clusterId } = await withArray({ count: 3 }, 3);
  for (const host of hosts) await host.poll();
  await cancel(world, ADA, id);
  await ringAll(world);
  const before = await arrayOf(world, id);
  await reconcile(world, { workspace: "acme", id });
  expect((await arrayOf(world, id)).version).toBe(before.version);
  for (const [rank, host] of hosts.entries())
    for (const ref of await heldBy(world, clusterId, rank)) {
      const end = { state: "exited", cause: "cancelled", exitCode: 143, chunks: 0, logsComplete: true } as const;
      await host.report({ jobId: ref.jobId, fence: ref.fence, ...end });
    }
  expect(await arrayOf(world, id)).toMatchObject({ state: "cancelled", cancelled: 3 });
});
