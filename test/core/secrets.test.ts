/** Making jobs that have secrets, by the real verbs, on SQLite in memory; the secrets' port is a fake that fails when it is told to. */
import { doorOf } from "@muster/api/door.ts";
import { routes } from "@muster/api/routes.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { Replay } from "@muster/core/commit.ts";
import { MusterError } from "@muster/core/error.ts";
import { list as listJobs } from "@muster/core/job/list.ts";
import { submit } from "@muster/core/job/submit.ts";
import { create as launch } from "@muster/core/launch/create.ts";
import { LEFT_AFTER, sweepSecrets } from "@muster/core/secret/sweep.ts";
import { Task } from "@muster/core/task/task.ts";
import { grant } from "@muster/core/token/create.ts";
import { describe, expect, test } from "vitest";
import { api } from "../../functions/served/api.ts";
import { eventOf } from "../api/support.ts";
import { code, jobRequest, launchRequest, readyCluster } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";
import { assigned, claimed, keptFor, lost, request, ring, SECRETS, writing } from "./secrets-support.ts";

describe("when a job is made", () => {
  test("its secrets are kept before it is, once, and reach its host", async () => {
    const world = testWorld();
    const { hosts } = await readyCluster(world);
    const seen: boolean[] = [];
    const watched = writing(world, async real => {
      seen.push(world.secrets.held.size === 1);
      await real();
    });
    const { id } = await submit(watched, ADA, "demo", request());
    expect([seen, keptFor(world), world.secrets.calls]).toEqual([[true], [id], ["keep"]]);
    const assignment = await assigned(hosts[0]);
    expect(assignment.env).toMatchObject(SECRETS);
    expect(assignment.secretNames).toEqual(["HF_TOKEN", "EMPTY"]);
  });

  test("one without secrets asks for none, keeps none, and leaves none to forget", async () => {
    const world = testWorld();
    const { hosts } = await readyCluster(world);
    await submit(world, ADA, "demo", jobRequest());
    await hosts[0]?.run(await assigned(hosts[0]), 0);
    await ring(world);
    expect(world.secrets.calls).toEqual([]);
  });

  test("a launch that has nothing to run keeps nothing", async () => {
    const world = testWorld();
    const { job } = await launch(world, ADA, { ...launchRequest, task: Task.parse({ secrets: SECRETS }) });
    expect([job, world.secrets.calls]).toEqual([undefined, []]);
  });

  test("values are in no item, no answer and no line of the log, whatever fails", async () => {
    const lines: string[] = [];
    const world = testWorld();
    const log = {
      info: (message: string, fields = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`),
      error: (message: string, fields = {}) => void lines.push(`${message} ${JSON.stringify(fields)}`),
    };
    const logged = { ...world, log };
    const { hosts } = await readyCluster(logged);
    const { token } = await grant(logged, { workspace: "acme", actor: ADA.id, role: "admin" });
    const dispatch = dispatcher(doorOf(logged), routes, api(logged));
    const post = (key: string, task: object) =>
      dispatch(
        eventOf("POST /v1/launches", {
          headers: {
            "content-type": "application/json",
            authorization: `Bearer ${token}`,
            "idempotency-key": key,
          },
          body: JSON.stringify({ cluster: "demo", task: { run: "true", ...task } }),
        }),
      );
    const answers = [await post("a", { secrets: SECRETS }), await post("a", { secrets: SECRETS })];
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([202, 202]);
    world.secrets.failing.set("keep", new MusterError("unavailable", "no answer"));
    answers.push(await post("b", { secrets: SECRETS }));
    world.secrets.failing.set("keep", new Error("broken"));
    answers.push(await post("c", { secrets: SECRETS }));
    answers.push(await post("d", { secrets: { ...SECRETS, "NO NAME": "hunter2" } }));
    answers.push(await post("e", { secrets: { A: "hunter2".repeat(2000) } }));
    answers.push(await post("f", { secrets: "hunter2" }));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([202, 202, 503, 500, 400, 400, 400]);
    expect(lines.length).toBeGreaterThan(1);
    world.secrets.failing.set("read", new MusterError("unavailable", "no answer"));
    await hosts[0]?.poll();
    await hosts[0]?.run(await assigned(hosts[0]), 1);
    await ring(logged);
    for (const told of [world.changes, lines, answers]) expect(JSON.stringify(told)).not.toContain("hunter2");
    const { items } = await listJobs(world, ADA, { limit: 100, active: false });
    expect(items.map(job => job.state)).toEqual(["failed"]);
  });

  test("when they cannot be kept there is no job", async () => {
    const world = testWorld();
    await readyCluster(world);
    world.secrets.failing.set("keep", new MusterError("unavailable", "no answer"));
    expect(await code(submit(world, ADA, "demo", request()))).toBe("unavailable");
    expect((await listJobs(world, ADA, { limit: 10, active: false })).items).toEqual([]);
    // Whoever was only throttled is asked again at once.
    world.secrets.failing.set("keep", new MusterError("busy", "too much"));
    const { id } = await submit(world, ADA, "demo", request());
    expect(keptFor(world)).toEqual([id]);
  });
});

describe("when a job is not made", () => {
  test.each<[string, (world: TestWorld) => Promise<unknown>, unknown]>([
    ["no such cluster", world => submit(world, ADA, "nothing", request()), "not_found"],
    ["too many nodes", world => submit(world, ADA, "demo", request({ nodes: 9 })), "invalid_request"],
    [
      "over the budget",
      world => launch(world, ADA, { ...launchRequest, cluster: "big", task: request({ nodes: 1000 }).task }),
      "over_budget",
    ],
  ])("%s: nothing is kept", async (_, run, refused) => {
    const world = testWorld();
    await readyCluster(world);
    expect(await code(run(world))).toBe(refused);
    expect(world.secrets.calls).toEqual([]);
  });

  test("a race that it loses in the end leaves nothing; one that it wins at last keeps once", async () => {
    const world = testWorld();
    await readyCluster(world);
    world.refuse(2);
    const { id } = await submit(world, ADA, "demo", request());
    expect([world.secrets.calls, keptFor(world)]).toEqual([["keep"], [id]]);
    world.refuse(3);
    expect(await code(submit(world, ADA, "demo", request()))).toBe("busy");
    expect([world.secrets.calls, keptFor(world)]).toEqual([["keep", "keep", "forget"], [id]]);
  });

  test("the same request twice at once makes one job, which has its secrets, and leaves no others", async () => {
    const world = testWorld();
    const { hosts } = await readyCluster(world);
    const both = await Promise.allSettled([1, 2].map(() => submit(world, claimed("k"), "demo", request())));
    const made = both.flatMap(one => (one.status === "fulfilled" ? one.value.id : []));
    const replays = both.flatMap(one => (one.status === "rejected" ? one.reason : []));
    expect([made.length, replays]).toEqual([1, [expect.any(Replay)]]);
    expect(replays[0].answer.id).toBe(made[0]);
    expect(keptFor(world)).toEqual(made);
    expect((await assigned(hosts[0])).env).toMatchObject(SECRETS);
  });

  test("an answer that is lost after the commit loses no secrets; the same request again gets the same job", async () => {
    const world = testWorld();
    const { hosts } = await readyCluster(world);
    const deaf = writing(world, async real => {
      await real();
      throw lost();
    });
    expect(await code(submit(deaf, claimed("k"), "demo", request()))).toBe("unavailable");
    const again = await submit(world, claimed("k"), "demo", request()).catch((error: unknown) => error);
    expect(again).toBeInstanceOf(Replay);
    const { id } = (again as Replay).answer as { id: string };
    expect(keptFor(world)).toEqual([id]);
    expect(await assigned(hosts[0])).toMatchObject({ jobId: id, env: SECRETS });
  });

  test("nobody knows whether it was: its secrets stay, for it may still land, and the sweep has the last word", async () => {
    const world = testWorld();
    const { hosts } = await readyCluster(world);
    const landing: (() => Promise<void>)[] = [];
    const slow = () =>
      writing(world, async real => {
        landing.push(real);
        throw lost();
      });
    expect(await code(submit(slow(), ADA, "demo", request()))).toBe("unavailable");
    expect(await code(submit(slow(), ADA, "demo", request()))).toBe("unavailable");
    world.clock.pass(LEFT_AFTER - 1000);
    expect([await sweepSecrets(world), world.secrets.held.size]).toEqual([0, 2]);
    await landing[0]?.();
    world.clock.pass(LEFT_AFTER + 1);
    expect(await sweepSecrets(world)).toBe(1);
    expect(await assigned(hosts[0])).toMatchObject({ jobId: keptFor(world)[0], env: SECRETS });
    expect(world.secrets.held.size).toBe(1);
  });

  test("what cannot be forgotten is told, hides nothing of why, and is swept", async () => {
    const world = testWorld();
    await readyCluster(world);
    world.refuse(3);
    world.secrets.failing.set("forget", new MusterError("unavailable", "no answer"));
    expect(await code(submit(world, ADA, "demo", request()))).toBe("busy");
    expect(world.errors).toEqual(["secrets that nobody needs are left to the sweep"]);
    expect(world.secrets.held.size).toBe(1);
    world.clock.pass(LEFT_AFTER + 1);
    await sweepSecrets(world);
    expect(world.secrets.held.size).toBe(0);
  });
});
