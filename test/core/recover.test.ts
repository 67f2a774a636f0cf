/** Jobs that are tried again, through the real verbs, on SQLite in memory; hosts speak the real agent verbs without a machine. */

import * as Change from "@muster/core/cluster/change.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import { get as getCluster } from "@muster/core/cluster/read.ts";
import { fail } from "@muster/core/cluster/reconcile/fail.ts";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { answer } from "@muster/core/doorbell.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Keys from "@muster/core/keys.ts";
import { load } from "@muster/core/record.ts";
import { describe, expect, test } from "vitest";
import { jobRequest, MINUTE, passing, readyCluster, ref } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";
import { assigned, begun, events, jobOf, pause, type Retry } from "./recover-support.ts";

describe("a job whose script fails", () => {
  const retry: Retry = { max: 2, on: ["exit_code"], backoff: 60 };

  test("is tried again with a new fence, after pauses that double, as often as it asked for", async () => {
    const { world, hosts, id } = await begun(retry);
    const fences: number[] = [];
    for (const wait of [60_000, 120_000]) {
      const assignment = await assigned(hosts[0]);
      fences.push(assignment.fence);
      await hosts[0]?.run(assignment, 3);
      const { state, retryAt, failure } = await jobOf(world, id);
      expect({ state, retryAt, code: failure?.code }).toEqual({
        state: "recovering",
        retryAt: world.clock.now() + wait,
        code: "exit_code",
      });
      await pause(world, wait - 1);
      expect((await jobOf(world, id)).state).toBe("recovering");
      await pause(world, 1);
    }
    const last = await assigned(hosts[0]);
    expect(last.fence).toBeGreaterThan(Math.max(...fences));
    expect(fences).toEqual(fences.toSorted((a, b) => a - b));
    await hosts[0]?.run(last, 4);
    expect(await jobOf(world, id)).toMatchObject({ state: "failed", exitCode: 4, attempts: 3 });
  });

  test("succeeds when a later try does, and its history tells how each has ended", async () => {
    const { world, hosts, id } = await begun(retry);
    await hosts[0]?.run(await assigned(hosts[0]), 3);
    await pause(world, 60_000);
    await hosts[0]?.run(await assigned(hosts[0]), 0);
    const job = await jobOf(world, id);
    expect(job).toMatchObject({ state: "succeeded", attempts: 2, exitCode: 0 });
    expect(job.failure).toBeUndefined();
    const history = await events(world, id);
    expect(history.map(event => event.kind)).toEqual(
      ["queued", "starting", "running", "recovering", "queued", "starting", "running", "succeeded"].map(
        state => `job.${state}`,
      ),
    );
    expect(history[3]).toMatchObject({
      message: "the script exited with 3 on rank 0",
      details: { attempt: 1, fence: 1, cause: "exit_code", exitCode: 3 },
    });
  });

  test("gives its hosts to others while it pauses, and then has its old place", async () => {
    const { world, hosts, id } = await begun(retry);
    const first = await assigned(hosts[0]);
    const [second, third] = [
      await submit(world, ADA, "demo", jobRequest()),
      await submit(world, ADA, "demo", jobRequest()),
    ];
    await hosts[0]?.run(first, 3);
    const other = await assigned(hosts[0]);
    expect(other.jobId).toBe(second.id);
    await pause(world, 60_000);
    await hosts[0]?.run(other, 0);
    const again = await assigned(hosts[0]);
    expect(again.jobId).toBe(id);
    await hosts[0]?.run(again, 0);
    expect((await assigned(hosts[0])).jobId).toBe(third.id);
  });

  test("others begin there as soon as somebody has looked at it", async () => {
    const { world, hosts, id } = await begun(retry);
    const first = await assigned(hosts[0]);
    const second = await submit(world, ADA, "demo", jobRequest());
    await hosts[0]?.run(first, 3);
    await answer(world, { do: "look", workspace: "acme", jobId: id });
    expect((await jobOf(world, second.id)).state).toBe("starting");
  });

  test("ends at once for another code than those it named, and for another cause", async () => {
    const named = await begun({ ...retry, exitCodes: [7] });
    await named.hosts[0]?.run(await assigned(named.hosts[0]), 3);
    expect(await jobOf(named.world, named.id)).toMatchObject({ state: "failed", attempts: 1 });
    const lost = await begun({ max: 3, on: ["host_lost"] });
    await lost.hosts[0]?.run(await assigned(lost.hosts[0]), 3);
    expect(await jobOf(lost.world, lost.id)).toMatchObject({ state: "failed", attempts: 1 });
  });

  test("may run as long in each try as in the first", async () => {
    const { world, hosts, id } = await begun(retry, { task: { timeout: 600 } });
    const first = await assigned(hosts[0]);
    await hosts[0]?.report({ jobId: id, fence: first.fence, state: "running" });
    world.clock.pass(9 * MINUTE);
    await hosts[0]?.run(first, 3);
    await pause(world, 60_000);
    const second = await assigned(hosts[0]);
    await hosts[0]?.report({ jobId: id, fence: second.fence, state: "running" });
    await passing(world, 9, () => hosts[0]?.poll([second]) ?? Promise.resolve());
    expect((await jobOf(world, id)).state).toBe("running");
    expect((await hosts[0]?.poll([second]))?.held[0]?.cancel).toBeUndefined();
  });

  test("takes its cluster along only after its last try", async () => {
    const { world, hosts, clusterId, id } = await begun({ ...retry, max: 1 }, {}, { down: true });
    await hosts[0]?.run(await assigned(hosts[0]), 3);
    expect((await getCluster(world, ADA, clusterId)).state).toBe("ready");
    await pause(world, 60_000);
    await hosts[0]?.run(await assigned(hosts[0]), 3);
    expect((await jobOf(world, id)).state).toBe("failed");
    expect((await getCluster(world, ADA, clusterId)).state).toBe("draining");
  });
});

test("a try that ran into its time limit is followed by another, when that was asked for", async () => {
  const { world, hosts, id } = await begun({ max: 1, on: ["timeout"], backoff: 0 }, { task: { timeout: 600 } });
  for (const state of ["recovering", "timed_out"]) {
    const { fence } = await assigned(hosts[0]);
    await hosts[0]?.report({ jobId: id, fence, state: "running" });
    const end = { jobId: id, fence, state: "exited", cause: "timed_out", exitCode: 143, chunks: 0, logsComplete: true };
    await hosts[0]?.report(end as never);
    expect((await jobOf(world, id)).state).toBe(state);
    await pause(world, 0);
  }
});

describe("somebody cancels it", () => {
  const retry: Retry = { max: 5, on: ["exit_code"], backoff: 60 };

  test("while it pauses: it ends at once, and nothing of it is left on the cluster", async () => {
    const { world, hosts, clusterId, id } = await begun(retry);
    await hosts[0]?.run(await assigned(hosts[0]), 3);
    expect((await cancel(world, ADA, id)).state).toBe("cancelled");
    expect(await world.table.get(Keys.recovering("acme", clusterId, id))).toBeUndefined();
    await pause(world, 60_000);
    expect((await hosts[0]?.poll())?.assignments).toEqual([]);
  });

  test("while it runs: however the script ends, it is not tried again", async () => {
    const { world, hosts, id } = await begun(retry);
    const { fence } = await assigned(hosts[0]);
    await hosts[0]?.report({ jobId: id, fence, state: "running" });
    await cancel(world, ADA, id);
    await hosts[0]?.run({ jobId: id, fence }, 3);
    expect((await jobOf(world, id)).state).toBe("cancelled");
  });
});

describe("its cluster", () => {
  test("is removed: a job that pauses ends with it", async () => {
    const { world, hosts, clusterId, id } = await begun({ max: 5, on: ["exit_code"], backoff: 600 });
    await hosts[0]?.run(await assigned(hosts[0]), 3);
    await Change.remove(world, ADA, clusterId);
    await reconcile(world, ref(clusterId));
    expect((await jobOf(world, id)).state).toBe("cancelled");
  });

  test("is removed while the job runs: what is cancelled is not tried again, whatever its script says", async () => {
    const { world, hosts, clusterId, id } = await begun({ max: 5, on: ["exit_code", "host_lost"] });
    const { fence } = await assigned(hosts[0]);
    await hosts[0]?.report({ jobId: id, fence, state: "running" });
    await Change.remove(world, ADA, clusterId);
    await passing(world, 3);
    expect((await jobOf(world, id)).state).toBe("cancelled");
    expect((await getCluster(world, ADA, clusterId)).state).toBe("terminated");
  });

  test("fails while the job runs: it is not tried again on a cluster that ends", async () => {
    const { world, hosts, clusterId, id } = await begun({ max: 5, on: ["host_lost"] });
    const { fence } = await assigned(hosts[0]);
    await hosts[0]?.report({ jobId: id, fence, state: "running" });
    const cluster = await load(world.table, Cluster.noun, Keys.cluster("acme", clusterId));
    if (cluster) await fail(world, cluster, { code: "machines_lost", message: "its machines are gone" });
    await passing(world, 3);
    expect(await jobOf(world, id)).toMatchObject({ state: "failed", failure: { code: "machines_lost" }, attempts: 1 });
    expect((await getCluster(world, ADA, clusterId)).state).toBe("failed");
    expect((await events(world, id)).map(({ kind }) => kind)).not.toContain("job.recovering");
  });

  test("is not called idle while a job will be tried again", async () => {
    const world = testWorld();
    const { id: clusterId, hosts } = await readyCluster(world, { idle: { after: 5, action: "terminate" } });
    const { id } = await submit(
      world,
      ADA,
      "demo",
      jobRequest({ retry: { max: 1, on: ["exit_code"], backoff: 3600 } }),
    );
    await hosts[0]?.run(await assigned(hosts[0]), 3);
    await passing(world, 59, () => hosts[0]?.poll() ?? Promise.resolve());
    expect((await getCluster(world, ADA, clusterId)).state).toBe("ready");
    await passing(world, 1, () => hosts[0]?.poll() ?? Promise.resolve());
    await hosts[0]?.run(await assigned(hosts[0]), 0);
    expect((await jobOf(world, id)).state).toBe("succeeded");
  });
});
