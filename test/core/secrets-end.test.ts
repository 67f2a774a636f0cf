/** Handing secrets to hosts, and forgetting them, by the real verbs, on SQLite in memory; the secrets' port is a fake that fails when it is told to. */
import * as Change from "@muster/core/cluster/change.ts";
import { answer } from "@muster/core/doorbell.ts";
import { MusterError } from "@muster/core/error.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { LEFT_AFTER, sweepSecrets } from "@muster/core/secret/sweep.ts";
import { MOST_BYTES, sizeOf, textOf, valuesOf } from "@muster/core/secret/text.ts";
import { Task } from "@muster/core/task/task.ts";
import { describe, expect, test } from "vitest";
import type { TestHost } from "../support/host.ts";
import { jobRequest, MINUTE, passing, readyCluster } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";
import { assigned, keptFor, request, rewrite, ring, SECRETS } from "./secrets-support.ts";

describe("when a job ends", () => {
  const ends: readonly (readonly [
    string,
    (world: TestWorld, id: string, hosts: readonly TestHost[]) => Promise<unknown>,
  ])[] = [
    ["it succeeds", async (_, __, hosts) => hosts[0]?.run(await assigned(hosts[0]), 0)],
    ["it fails", async (_, __, hosts) => hosts[0]?.run(await assigned(hosts[0]), 1)],
    ["it is cancelled in the queue", (world, id) => cancel(world, ADA, id)],
    ["its cluster goes", world => Change.remove(world, ADA, "demo")],
  ];

  test.each(ends)("%s: the doorbell forgets its secrets, and not before", async (_, end) => {
    const world = testWorld();
    const { hosts } = await readyCluster(world);
    const { id } = await submit(world, ADA, "demo", request());
    await end(world, id, hosts);
    expect(keptFor(world)).toEqual([id]);
    expect(world.secrets.calls).not.toContain("forget");
    await ring(world);
    await ring(world);
    expect(["succeeded", "failed", "cancelled"]).toContain((await Read.get(world, ADA, id)).state);
    expect([keptFor(world), world.secrets.calls.filter(verb => verb === "forget")]).toEqual([[], ["forget"]]);
  });

  test("a ring that comes late or for another job forgets nothing that is needed", async () => {
    const world = testWorld();
    await readyCluster(world);
    const { id } = await submit(world, ADA, "demo", request());
    await answer(world, { do: "over", workspace: "acme", jobId: id, hadSecrets: true });
    expect(keptFor(world)).toEqual([id]);
  });

  test("the doorbell was not heard: the sweep forgets them, once they are old enough", async () => {
    const world = testWorld();
    const { hosts } = await readyCluster(world, { idle: "never" });
    await submit(world, ADA, "demo", request());
    await hosts[0]?.run(await assigned(hosts[0]), 0);
    const { id } = await submit(world, ADA, "demo", request());
    const { fence } = await assigned(hosts[0]);
    await hosts[0]?.report({ jobId: id, fence, state: "running" });
    expect(await sweepSecrets(world)).toBe(0);
    expect(world.secrets.held.size).toBe(2);
    await passing(world, 61, async () => void (await hosts[0]?.poll([{ jobId: id, fence }])));
    expect(await sweepSecrets(world)).toBe(1);
    expect(keptFor(world)).toEqual([id]);
  });

  test("secrets that cannot be forgotten, and a job that cannot be read, keep no others from being swept", async () => {
    const world = testWorld();
    await readyCluster(world);
    const { id: unreadable } = await submit(world, ADA, "demo", request());
    await rewrite(world, unreadable, { state: "paused" });
    const ids = ["job_01J00000000000000000000001", "job_01J00000000000000000000002", "elsewhere"];
    for (const owner of ids) await world.secrets.keep({ workspace: "acme", owner }, SECRETS);
    world.clock.pass(LEFT_AFTER + 1);
    world.secrets.failing.set("forget", new MusterError("unavailable", "no answer"));
    expect(await sweepSecrets(world)).toBe(1);
    // What is no job's is not judged, and what newer code wrote is left to it.
    expect(keptFor(world)).toEqual([unreadable, ids[0], "elsewhere"]);
    expect(world.errors).toEqual(["secrets could not be swept", "secrets could not be swept"]);
  });
});

describe("when a host asks for its work", () => {
  test("secrets that cannot be read now cost one poll: the host is answered, and asks again", async () => {
    const world = testWorld();
    const { hosts } = await readyCluster(world);
    const { id } = await submit(world, ADA, "demo", request());
    world.secrets.failing.set("read", new MusterError("unavailable", "no answer"));
    expect(await hosts[0]?.poll()).toMatchObject({ assignments: [], held: [], pollAfter: 15_000 });
    expect(world.errors).toEqual(["a job's secrets cannot be read now"]);
    expect(await assigned(hosts[0])).toMatchObject({ jobId: id, env: SECRETS });
  });

  test("a job whose secrets are gone does not run without them: it fails, and says why", async () => {
    const world = testWorld();
    const { hosts } = await readyCluster(world, { nodes: 2 });
    const { id } = await submit(world, ADA, "demo", request({ nodes: 2 }));
    const first = await assigned(hosts[0]);
    world.secrets.held.clear();
    // What was kept a moment ago may not show yet.
    expect(await hosts[1]?.poll()).toMatchObject({ assignments: [] });
    expect((await Read.get(world, ADA, id)).state).toBe("starting");
    world.clock.pass(6 * MINUTE);
    expect(await hosts[1]?.poll()).toMatchObject({ assignments: [] });
    // The node that has begun is told to end, as when a peer fails.
    const { jobId, fence } = first;
    expect((await hosts[0]?.poll([{ jobId, fence }]))?.held).toMatchObject([{ jobId: id, cancel: "peer_failed" }]);
    await hosts[0]?.report({ jobId, fence, state: "exited", cause: "cancelled", chunks: 0, logsComplete: true });
    expect(await Read.get(world, ADA, id)).toMatchObject({
      state: "failed",
      failure: { code: "secrets_lost", hint: "submit it again, with its secrets" },
    });
    expect((await submit(world, ADA, "demo", jobRequest({ nodes: 2 }))).state).toBe("queued");
    expect((await assigned(hosts[1])).jobId).not.toBe(id);
  });

  test.each<[string, string, (world: TestWorld, host: TestHost | undefined, id: string) => Promise<unknown>]>([
    ["by itself", "succeeded", async (_, host) => host?.run(await assigned(host), 0)],
    [
      "with its cluster",
      "cancelled",
      async world => {
        await Change.remove(world, ADA, "demo");
        for (let minute = 0; minute < 5; minute++) {
          await ring(world);
          await passing(world, 1);
        }
      },
    ],
    ["for now, and was placed anew,", "starting", (world, _, id) => rewrite(world, id, { fence: 9 })],
  ])("a job that ended %s while its host asked is left as it is", async (_, state, end) => {
    const world = testWorld();
    const { hosts } = await readyCluster(world);
    const { id } = await submit(world, ADA, "demo", request());
    await hosts[0]?.poll();
    // Between the host's reading of the job and of its secrets.
    const { read } = world.secrets;
    world.secrets.read = async ref => {
      world.secrets.read = read;
      await end(world, hosts[0], id);
      await ring(world);
      world.secrets.held.clear();
      return read(ref);
    };
    expect(await hosts[0]?.poll()).toMatchObject({ assignments: [] });
    expect((await Read.get(world, ADA, id)).state).toBe(state);
    const written = world.changes.flatMap(change => ("item" in change ? change.item.type : []));
    expect(written.filter(type => type === "job" || type === "attempt")).toEqual([]);
  });
});

describe("as a text", () => {
  test("they are read as they were written, and nothing in it reads as the name of a parameter", () => {
    for (const values of [{}, { A: "{{ssm:x}}", B: "{{{{", C: "\\{{", D: 'é"\n\0' }]) {
      expect(valuesOf(textOf(values))).toEqual(values);
      expect(textOf(values)).not.toContain("{{");
    }
  });

  test("what does not fit is refused where the task is read, with size and limit, before anything is done", () => {
    const parse = (bytes: number) =>
      Task.safeParse({ run: "true", secrets: { A: "x".repeat(bytes - sizeOf({ A: "" })) } });
    expect(parse(MOST_BYTES).success).toBe(true);
    expect(parse(MOST_BYTES + 1).error?.issues).toMatchObject([
      { path: ["secrets"], message: expect.stringMatching(/8193 bytes.*8192 at most/) },
    ]);
  });

  test("a text that is not ours is refused without a word of it", () => {
    for (const text of ["hunter2", '{"A":hunter2}', '{"A":["hunter2"]}', "[]"])
      expect(() => valuesOf(text)).toThrow(/^kept secrets are not as they were written$/);
  });
});
