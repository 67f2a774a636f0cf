/** Jobs that were told to end, on hosts that call and never end them. Core on SQLite in memory; hosts are agents without machines. */
import * as Slots from "@muster/core/cluster/slots.ts";
import { expect, test } from "vitest";
import { passing } from "../support/requests.ts";
import { assigned, begun, jobOf } from "./recover-support.ts";

/** A job of two nodes, of which the second has failed and the first does not end. */
async function halfEnded() {
  const { world, clusterId, hosts, id } = await begun({ max: 0 }, { nodes: 2 });
  const [one, two] = hosts;
  const first = await assigned(one);
  const second = await assigned(two);
  await one?.report({ jobId: id, fence: first.fence, state: "running" });
  await two?.run(second, 7);
  const ref = { jobId: id, fence: first.fence };
  const calling = async () => {
    await one?.poll([ref]);
    await two?.poll();
  };
  return { world, clusterId, one, ref, id, calling };
}

test("it ends with what it was told to end for, and the host is told to drop it", async () => {
  const { world, clusterId, one, ref, id, calling } = await halfEnded();
  await passing(world, 60, calling);
  // What it leaves behind may take long to send.
  expect(await jobOf(world, id)).toMatchObject({ state: "running" });
  expect((await one?.poll([ref]))?.held[0]?.cancel).toBe("peer_failed");
  await passing(world, 6 * 60, calling);
  expect(await jobOf(world, id)).toMatchObject({ state: "failed", exitCode: 7, logsComplete: false });
  expect((await one?.poll([ref]))?.revoked).toEqual([ref]);
  const slots = await Slots.get(world.table, "acme", clusterId);
  expect(slots?.hosts.map(({ up, runs }) => [up, runs])).toEqual([
    [true, []],
    [true, []],
  ]);
});

test("one that ends late, and in time, ends as ever", async () => {
  const { world, one, ref, id, calling } = await halfEnded();
  await passing(world, 5 * 60, calling);
  await one?.report({ ...ref, state: "exited", cause: "cancelled", exitCode: 143, chunks: 0, logsComplete: true });
  expect(await jobOf(world, id)).toMatchObject({ state: "failed", exitCode: 7, logsComplete: true });
});
