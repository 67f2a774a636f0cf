/** Jobs that are reported: core on SQLite in memory, and the real port Outbound to servers that play the forges. */
import * as Attempt from "@muster/core/attempt/attempt.ts";
import { answer, ringFor } from "@muster/core/doorbell.ts";
import type { Origin } from "@muster/core/forge/origin.ts";
import { create } from "@muster/core/launch/create.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import { perform } from "@muster/core/outbox/deliver.ts";
import { entryFor } from "@muster/core/outbox/outbox.ts";
import { sweepOutbox } from "@muster/core/outbox/sweep.ts";
import { type About, open } from "@muster/core/report/open.ts";
import * as Report from "@muster/core/report/report.ts";
import { set } from "@muster/core/secret/set.ts";
import { createOutbound } from "@muster/node/outbound.ts";
import { signer } from "@muster/node/signer.ts";
import { enrollAll } from "../../support/host.ts";
import { ADA, type TestWorld, testWorld } from "../../support/world.ts";

export const SHA = "c0ffee".padEnd(40, "0");

/** A world whose changes ring the doorbell and the outbox alike, when the test says so. */
export async function reporting(secrets: Readonly<Record<string, string>>): Promise<TestWorld> {
  const world: TestWorld = { ...testWorld(), outbound: createOutbound({ allow: ["127.0.0.1/32"] }), signer };
  for (const [name, value] of Object.entries(secrets)) await set(world, ADA, name, { value });
  return world;
}

export const about = (api: string, more: Partial<About> = {}, origin: Partial<Origin> = {}): About => ({
  workspace: "acme",
  hook: { id: "hk_1", name: "ci", api, token: "TOKEN", report: { status: true, comment: false, check: false } },
  rule: "train",
  origin: {
    ...{
      forge: "github",
      api,
      repository: "acme/models",
      sha: SHA,
      ref: "refs/heads/main",
      event: "push",
      sender: "ada",
    },
    ...origin,
  } as Origin,
  at: 1000,
  ...more,
});

/** In the launch's own transaction, as a hook does it. */
export async function launched(
  world: TestWorld,
  of: About,
  launch: Launch.Create,
): Promise<{ id: string; clusterId: string }> {
  const { job } = await create(world, ADA, launch, info => open(world, of, info));
  if (job === undefined) throw new Error("the launch made no job");
  return job;
}

/** Answers what was committed, as the doorbell and the outbox do, until nothing is left. */
export async function work(world: TestWorld): Promise<void> {
  for (let change = world.changes.shift(); change !== undefined; change = world.changes.shift()) {
    const ring = ringFor(change);
    if (ring !== undefined) await answer(world, ring);
    const entry = entryFor(change);
    if (entry !== undefined) await perform(world, entry);
  }
}

/** Time passes, and what is due by then is found by the sweep. */
export async function later(world: TestWorld, ms: number): Promise<void> {
  world.clock.pass(ms);
  await work(world);
  await sweepOutbox(world);
  await work(world);
}

export async function reportsOf(world: TestWorld, jobId: string): Promise<Report.Report[]> {
  const link = await world.table.get({ pk: `W#acme#J#${jobId}`, sk: "REPORTS" });
  const ids = (link?.data.reports ?? []) as string[];
  const found = await Promise.all(ids.map(id => Report.find(world.table, "acme", id)));
  return found.flatMap(report => (report === undefined ? [] : [report]));
}

/** As the agent ships it. */
export const logged = (world: TestWorld, ref: { jobId: string; fence: number }, texts: readonly string[]) =>
  Promise.all(
    texts.map((text, sequence) =>
      world.blobs.put(
        Attempt.chunkKey(Attempt.logPrefix("acme", ref.jobId, ref.fence, 0), sequence, "run"),
        new TextEncoder().encode(text),
      ),
    ),
  );

/** Its only host takes the job, and it ends there with this code. */
export async function ran(world: TestWorld, exitCode: number, texts: readonly string[] = []): Promise<void> {
  const [host] = await enrollAll(world);
  await work(world);
  const [order] = (await host?.poll())?.assignments ?? [];
  if (host === undefined || order === undefined) throw new Error("the host was given nothing");
  await host.report({ jobId: order.jobId, fence: order.fence, state: "running" });
  await work(world);
  await logged(world, order, texts);
  world.clock.pass(30_000);
  const { jobId, fence } = order;
  const chunks = texts.length;
  await host.report({ jobId, fence, state: "exited", cause: "exited", exitCode, chunks, logsComplete: true });
  await work(world);
}
