/**
 * Jobs that name secrets of their workspace, and jobs that bring secret files: by the real verbs, on SQLite in memory. The
 * secrets' port is a fake that fails when it is told to, and that counts how many read at once.
 */
import { MusterError } from "@muster/core/error.ts";
import { cancel } from "@muster/core/job/cancel.ts";
import * as Read from "@muster/core/job/read.ts";
import { submit } from "@muster/core/job/submit.ts";
import { create as launch, plan } from "@muster/core/launch/create.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import { remove } from "@muster/core/secret/remove.ts";
import { set } from "@muster/core/secret/set.ts";
import { EnvName, type TaskInput } from "@muster/core/task/task.ts";
import { describe, expect, test } from "vitest";
import { code, jobRequest, MINUTE, readyCluster } from "../support/requests.ts";
import { counted } from "../support/units.ts";
import { ADA, BEN, EVE, type TestWorld, testWorld } from "../support/world.ts";
import { assigned, keptFor, ring, SECRETS, request as withOwn } from "./secrets-support.ts";

const naming = (storedSecrets: string[], more: TaskInput = {}) => jobRequest({ storedSecrets, ...more });

async function ready(more = {}) {
  const world = testWorld();
  await set(world, ADA, "HF_TOKEN", { value: "hunter2" });
  await set(world, ADA, "WANDB", { value: "w" });
  return { world, ...(await readyCluster(world, more)) };
}

const endOf = async (world: TestWorld, id: string) => {
  const { state, failure } = await Read.get(world, ADA, id);
  return { state, failure };
};

describe("a job that names secrets of its workspace", () => {
  test("sees them as variables beside its own, all of them masked, each with the value that it has then", async () => {
    const { world, hosts } = await ready();
    const { id } = await submit(world, ADA, "demo", withOwn({ storedSecrets: ["WANDB"], envs: { PLAIN: "p" } }));
    await set(world, BEN, "WANDB", { value: "newer" });
    const { jobId, env, secretNames } = await assigned(hosts[0]);
    expect(jobId).toBe(id);
    expect(env).toMatchObject({ ...SECRETS, WANDB: "newer", PLAIN: "p" });
    expect(secretNames.toSorted()).toEqual(["EMPTY", "HF_TOKEN", "WANDB"]);
  });

  test("keeps none of them for itself, costs no more to submit, and leaves them when it ends", async () => {
    const { world, hosts } = await ready();
    const { table, units } = counted(world.table);
    const costs = async (run: () => Promise<unknown>) => {
      const before = units.writes;
      await run();
      return units.writes - before;
    };
    const plain = await costs(() => submit({ ...world, table }, ADA, "demo", jobRequest()));
    expect(await costs(() => submit({ ...world, table }, ADA, "demo", naming(["HF_TOKEN", "WANDB"])))).toBe(plain);
    await hosts[0]?.run(await assigned(hosts[0]), 0);
    await hosts[0]?.run(await assigned(hosts[0]), 0);
    await ring(world);
    expect([world.secrets.calls.includes("forget"), world.secrets.held.size]).toEqual([false, 2]);
  });

  test("is refused when there is no such secret, with what was meant and what to type", async () => {
    const { world } = await ready();
    const refused = { code: "not_found", message: "there is no secret 'HF_TOKENS'" };
    const details = {
      issues: [{ path: "task.storedSecrets.1", suggestion: "did you mean HF_TOKEN?" }],
      hint: expect.stringContaining("muster secrets set HF_TOKENS"),
    };
    const request = naming(["WANDB", "HF_TOKENS"], { secrets: SECRETS });
    await expect(submit(world, ADA, "demo", request)).rejects.toMatchObject({ ...refused, details });
    const body = Launch.Create.parse({ task: request.task, cluster: "other" });
    await expect(launch(world, ADA, body)).rejects.toMatchObject({ ...refused, details });
    await expect(plan(world, ADA, body)).rejects.toMatchObject({ ...refused, details });
    await expect(submit(world, ADA, "demo", naming(["A", "B"]))).rejects.toMatchObject({
      message: "secrets are missing",
      details: { issues: [{ path: "task.storedSecrets.0" }, { path: "task.storedSecrets.1" }] },
    });
    expect([keptFor(world).filter(id => id.startsWith("job_")), world.secrets.calls.includes("read")]).toEqual([
      [],
      false,
    ]);
  });

  test("does not find another workspace's", async () => {
    const { world } = await ready();
    await set(world, EVE, "HERS", { value: "eve" });
    expect(await code(submit(world, ADA, "demo", naming(["HERS"])))).toBe("not_found");
  });

  test.each<[TaskInput, string]>([
    [{ secrets: { WANDB: "mine" } }, "'WANDB' has a value in secrets as well: take one of them out"],
    [{ envs: { WANDB: "mine" } }, "'WANDB' has a value in envs as well: take one of them out"],
  ])("is refused when it has a value of its own as well: %j", async (more, message) => {
    const { world } = await ready();
    await expect(submit(world, ADA, "demo", naming(["HF_TOKEN", "WANDB"], more))).rejects.toMatchObject({
      code: "invalid_request",
      details: { issues: [{ path: "task.storedSecrets.1", message }] },
    });
    expect(await code(submit(world, ADA, "demo", naming(["WANDB", "WANDB"])))).toBe("invalid_request");
  });

  test("fails when one was removed before it began, with its name and what to do; its peers end", async () => {
    const { world, hosts } = await ready({ nodes: 2 });
    const { id } = await submit(world, ADA, "demo", naming(["HF_TOKEN", "WANDB"], { nodes: 2 }));
    const { jobId, fence } = await assigned(hosts[0]);
    await remove(world, BEN, "WANDB");
    expect(await hosts[1]?.poll()).toMatchObject({ assignments: [] });
    expect((await hosts[0]?.poll([{ jobId, fence }]))?.held).toMatchObject([{ cancel: "peer_failed" }]);
    await hosts[0]?.report({ jobId, fence, state: "exited", cause: "cancelled", chunks: 0, logsComplete: true });
    expect(await endOf(world, id)).toEqual({
      state: "failed",
      failure: {
        code: "secrets_lost",
        message: "the workspace has no secret 'WANDB' any more, and the job is not begun without",
        hint: "set it again (muster secrets set WANDB), and submit the job again",
      },
    });
  });

  test("waits for a value that does not show yet, and fails when it never does", async () => {
    const { world, hosts } = await ready();
    const { id } = await submit(world, ADA, "demo", naming(["HF_TOKEN"]));
    const held = new Map(world.secrets.held);
    world.secrets.held.clear();
    expect(await hosts[0]?.poll()).toMatchObject({ assignments: [], held: [] });
    for (const [name, value] of held) world.secrets.held.set(name, value);
    expect((await assigned(hosts[0])).env).toMatchObject({ HF_TOKEN: "hunter2" });
    world.clock.pass(6 * MINUTE);
    world.secrets.held.clear();
    expect(await hosts[0]?.poll()).toMatchObject({ assignments: [] });
    expect(await endOf(world, id)).toMatchObject({ state: "failed", failure: { code: "secrets_lost" } });
  });

  test("gets the new value where it was changed between the look at the record and the reading", async () => {
    const { world, hosts } = await ready();
    await submit(world, ADA, "demo", naming(["HF_TOKEN"]));
    const { read } = world.secrets;
    world.secrets.read = async ref => {
      world.secrets.read = read;
      await set(world, BEN, "HF_TOKEN", { value: "rotated" });
      return read(ref);
    };
    expect((await assigned(hosts[0])).env.HF_TOKEN).toBe("rotated");
  });

  test("waits a poll when they cannot be read now", async () => {
    const { world, hosts } = await ready();
    await submit(world, ADA, "demo", naming(["HF_TOKEN", "WANDB"]));
    world.secrets.failing.set("read", new MusterError("busy", "too many"));
    expect(await hosts[0]?.poll()).toMatchObject({ assignments: [], held: [] });
    expect(world.errors).toEqual(["a job's secrets cannot be read now"]);
    expect((await assigned(hosts[0])).env).toMatchObject({ HF_TOKEN: "hunter2", WANDB: "w" });
  });

  test("is cancelled at once where they cannot be read, and its host goes on to the next", async () => {
    const { world, hosts } = await ready();
    world.secrets.read = () => Promise.reject(new MusterError("unavailable", "the key is disabled"));
    for (const request of [naming(["HF_TOKEN"]), withOwn()]) {
      const { id } = await submit(world, ADA, "demo", request);
      expect(await hosts[0]?.poll()).toMatchObject({ assignments: [] });
      await cancel(world, ADA, id);
      expect(await hosts[0]?.poll()).toMatchObject({ assignments: [] });
      expect(await endOf(world, id)).toMatchObject({ state: "cancelled" });
    }
    world.secrets.read = async () => undefined;
    await submit(world, ADA, "demo", jobRequest());
    expect(await assigned(hosts[0])).toMatchObject({ secretNames: [] });
  });

  test("of a hundred of them, several are read at once, and never more than eight", async () => {
    const { world, hosts } = await ready();
    const names = Array.from({ length: 100 }, (_, index) => `S${index}`);
    for (const name of names) await set(world, ADA, name, { value: `value of ${name}` });
    await submit(world, ADA, "demo", naming(names));
    const { read } = world.secrets;
    const now = { reading: 0, most: 0 };
    world.secrets.read = async ref => {
      now.most = Math.max(now.most, ++now.reading);
      const values = await read(ref);
      now.reading--;
      return values;
    };
    const { env } = await assigned(hosts[0]);
    expect(names.map(name => env[name])).toEqual(names.map(name => `value of ${name}`));
    expect([now.most > 1, now.most <= 8]).toEqual([true, true]);
  });
});

describe("secret files", () => {
  const KEY = Buffer.from("hunter2 as a key\n").toString("base64");
  const files = { "~/.ssh/id_ed25519": KEY, "/etc/token": "" };

  test("are kept with the job's own secrets, handed out apart from its variables, and forgotten with it", async () => {
    const { world, hosts } = await ready();
    const { id } = await submit(world, ADA, "demo", withOwn({ secretFiles: files }));
    const alone = await submit(world, ADA, "demo", jobRequest({ secretFiles: files }));
    expect(keptFor(world)).toEqual(expect.arrayContaining([id, alone.id]));
    const first = await assigned(hosts[0]);
    expect(first.secretFiles).toEqual([
      { path: "~/.ssh/id_ed25519", content: KEY },
      { path: "/etc/token", content: "" },
    ]);
    expect([first.secretNames, Object.values(first.env).includes(KEY)]).toEqual([["HF_TOKEN", "EMPTY"], false]);
    expect(Object.keys(first.env).filter(name => name.includes(":"))).toEqual([]);
    await hosts[0]?.run(first, 0);
    const second = await assigned(hosts[0]);
    expect([second.jobId, second.secretFiles.length, second.secretNames]).toEqual([alone.id, 2, []]);
    await hosts[0]?.run(second, 0);
    await ring(world);
    expect(keptFor(world).filter(owner => owner.startsWith("job_"))).toEqual([]);
  });

  test("are in no item of the table", async () => {
    const { world, hosts } = await ready();
    await submit(world, ADA, "demo", withOwn({ secretFiles: files, storedSecrets: ["WANDB"] }));
    await hosts[0]?.run(await assigned(hosts[0]), 1);
    const items = JSON.stringify(world.changes);
    expect(items).toContain("WANDB");
    for (const value of ["hunter2", KEY]) expect(items).not.toContain(value);
  });

  test("have room together with the secrets, and no more", async () => {
    const { world } = await ready();
    const large = { secretFiles: { "~/a": "QUFB".repeat(1900) } };
    expect(await code(submit(world, ADA, "demo", jobRequest(large)))).toBe("nothing");
    const both = jobRequest({ ...large, secrets: { A: "x".repeat(700) } });
    const issues = [{ path: "task.secretFiles", message: expect.stringMatching(/^the secrets have \d+ bytes/) }];
    const before = world.secrets.calls.length;
    await expect(submit(world, ADA, "demo", both)).rejects.toMatchObject({
      code: "invalid_request",
      details: { issues },
    });
    const body = Launch.Create.parse({ task: both.task, cluster: "new" });
    for (const refused of [launch(world, ADA, body), plan(world, ADA, body)])
      await expect(refused).rejects.toMatchObject({ code: "invalid_request", details: { issues } });
    expect(world.secrets.calls.length).toBe(before);
  });

  test("are kept under names that no variable can have", async () => {
    const { world, hosts } = await ready();
    const secrets = { file_a: "1", FILE: "2" };
    const { id } = await submit(world, ADA, "demo", jobRequest({ secrets, secretFiles: { a: KEY } }));
    const [name = ""] = Object.keys(world.secrets.held.get(`acme ${id}`)?.values ?? {}).filter(
      key => !Object.hasOwn(secrets, key),
    );
    expect([name.length > 0, EnvName.safeParse(name).success]).toEqual([true, false]);
    expect(await assigned(hosts[0])).toMatchObject({ env: secrets, secretFiles: [{ path: "a", content: KEY }] });
  });
});
