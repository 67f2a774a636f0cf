/** Pages of a job's log, over many nodes. */
import * as Attempt from "@muster/core/attempt/attempt.ts";
import * as Job from "@muster/core/job/job.ts";
import { logs } from "@muster/core/job/logs.ts";
import { insert } from "@muster/core/record.ts";
import { expect, test } from "vitest";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";

const ID = "job_00000000000000000000000000";

/** A job that has ended, whose node `rank` has sent `chunks[rank]` chunks. */
async function ended(world: TestWorld, chunks: readonly number[], phaseOf = (_: number) => "run"): Promise<void> {
  const job = Job.Job.parse({
    id: ID,
    workspace: "acme",
    clusterId: "clu_00000000000000000000000000",
    clusterName: "demo",
    owner: ADA.id,
    priority: 500,
    nodes: chunks.length,
    down: false,
    attempts: 1,
    createdAt: 1,
    changedAt: 1,
    state: "succeeded",
    endedAt: 1,
    fence: 3,
    placement: chunks.map((_, rank) => rank),
    logsComplete: true,
  });
  await world.table.write([insert(Job.noun, job)]);
  for (const [rank, count] of chunks.entries())
    for (let sequence = 0; sequence < count; sequence++)
      await world.blobs.put(
        Attempt.chunkKey(Attempt.logPrefix("acme", ID, 3, rank), sequence, phaseOf(sequence)),
        new Uint8Array(1),
      );
}

async function pages(world: TestWorld) {
  const read = [];
  let cursor: string | undefined;
  for (;;) {
    const page = await logs(world, ADA, ID, { cursor, follow: false });
    read.push(page);
    if (page.done) return read;
    cursor = page.cursor;
  }
}

test("a page holds 500 chunks at most, and all pages together every chunk once and in order", async () => {
  const world = testWorld();
  const counts = [900, 0, 350, 1, ...Array.from({ length: 16 }, () => 20)];
  await ended(world, counts);
  const read = await pages(world);
  expect(Math.max(...read.map(page => page.chunks.length))).toBeLessThanOrEqual(500);
  for (const [rank, count] of counts.entries()) {
    const sequences = read.flatMap(page => page.chunks).filter(chunk => chunk.rank === rank);
    expect(sequences.map(chunk => chunk.sequence)).toEqual(Array.from({ length: count }, (_, index) => index));
  }
});

test("of phases that are written at the same time each is found, and its end", async () => {
  const world = testWorld();
  const phases = ["run", "service-a", "ray"];
  await ended(world, [3000], sequence => phases[sequence % 3] ?? "");
  const sequencesOf = async (phase: string, last: number) => {
    const read = await logs(world, ADA, ID, { follow: false, phase: [phase as "run"], last });
    return read.chunks.map(chunk => chunk.sequence);
  };
  expect(await sequencesOf("run", 2)).toEqual([2994, 2997]);
  expect(await sequencesOf("service-a", 3)).toEqual([2992, 2995, 2998]);
  expect(await sequencesOf("ray", 1)).toEqual([2999]);
});

test("a node that writes much does not hide the others", async () => {
  const world = testWorld();
  await ended(world, [5000, 5000, 5000, 1]);
  const first = await logs(world, ADA, ID, { follow: false });
  const second = await logs(world, ADA, ID, { cursor: first.cursor, follow: false });
  expect([...first.chunks, ...second.chunks].some(chunk => chunk.rank === 3)).toBe(true);
});

test("the cursor of 1,024 nodes fits its field, and a cursor that is none is refused", async () => {
  const world = testWorld();
  await ended(
    world,
    Array.from({ length: 1024 }, () => 1),
  );
  const read = await pages(world);
  expect(read.flatMap(page => page.chunks)).toHaveLength(1024);
  // Each node is beyond its end.
  const cursor = `1.3.0.0.${Array.from({ length: 1024 }, () => (999_999_999).toString(36)).join("-")}`;
  expect(cursor.length).toBeLessThan(8192);
  await expect(logs(world, ADA, ID, { cursor, follow: false })).resolves.toMatchObject({ done: true });
  await expect(logs(world, ADA, ID, { cursor: "eyJ9", follow: false })).rejects.toMatchObject({
    code: "invalid_request",
  });
});
