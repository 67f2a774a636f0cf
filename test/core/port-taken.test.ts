/** Jobs of several nodes whose port is taken on a host, through the real verbs, on SQLite in memory; hosts are agents without machines. */
import { retryAt } from "@muster/core/job/retry.ts";
import { submit } from "@muster/core/job/submit.ts";
import { Retry } from "@muster/core/task/retry.ts";
import { expect, test } from "vitest";
import type { TestHost } from "../support/host.ts";
import { jobRequest, readyCluster } from "../support/requests.ts";
import { ADA, type TestWorld, testWorld } from "../support/world.ts";
import { assignedAll, events, jobOf, pause } from "./recover-support.ts";

async function gang(retry?: Retry) {
  const world = testWorld();
  const { hosts } = await readyCluster(world, { nodes: 2, idle: "never" });
  const { id } = await submit(world, ADA, "demo", jobRequest({ nodes: 2, ...(retry && { retry }) }));
  return { world, hosts, id };
}

/** The first node finds its port taken, and the other is ended. @returns the port */
async function taken(world: TestWorld, [first, second]: readonly TestHost[]): Promise<string | undefined> {
  const [one, two] = await assignedAll([first, second] as TestHost[]);
  const end = { state: "exited", chunks: 0, logsComplete: true } as const;
  const message = "port 20001, which MASTER_PORT names, is taken on the job's first host";
  await first?.report({ jobId: one?.jobId ?? "", fence: one?.fence ?? 0, ...end, cause: "port_taken", message });
  await second?.report({ jobId: two?.jobId ?? "", fence: two?.fence ?? 0, ...end, cause: "cancelled", exitCode: 143 });
  await pause(world, 0);
  return one?.env.MASTER_PORT;
}

test("it is tried again at once, on another port, though nobody asked for that", async () => {
  const { world, hosts, id } = await gang();
  const port = await taken(world, hosts);
  const [first, second] = await assignedAll(hosts);
  expect(first?.env.MASTER_PORT).not.toBe(port);
  expect(second?.env.MASTER_PORT).toBe(first?.env.MASTER_PORT);
  await hosts[0]?.run(first ?? { jobId: id, fence: 0 }, 0);
  await hosts[1]?.run(second ?? { jobId: id, fence: 0 }, 0);
  expect(await jobOf(world, id)).toMatchObject({ state: "succeeded", attempts: 2 });
  expect((await events(world, id)).find(({ kind }) => kind === "job.recovering")?.message).toBe(
    "a port was taken on rank 0: port 20001, which MASTER_PORT names, is taken on the job's first host",
  );
});

test("not for ever", async () => {
  const { world, hosts, id } = await gang();
  const ports = new Set<string | undefined>();
  for (let round = 0; round < 6; round++) ports.add(await taken(world, hosts));
  expect(ports.size).toBe(6);
  expect(await jobOf(world, id)).toMatchObject({ state: "failed", attempts: 6, failure: { code: "port_taken" } });
});

test("it takes none of the tries that the job has for its own failures", async () => {
  const { world, hosts, id } = await gang(Retry.parse({ max: 1, on: ["exit_code"], backoff: 0 }));
  await taken(world, hosts);
  const tries: string[] = [];
  for (let round = 0; round < 2; round++) {
    const found = await assignedAll(hosts);
    for (const [rank, host] of hosts.entries()) await host.run(found[rank] ?? { jobId: id, fence: 0 }, 1);
    await pause(world, 0);
    tries.push((await jobOf(world, id)).state);
  }
  expect(tries).toEqual(["queued", "failed"]);
});

test("the pause before the next try counts only tries that began", () => {
  const retry = Retry.parse({ max: 3, on: ["exit_code"], backoff: 10 });
  const failed = { failure: { code: "exit_code", message: "it ended" }, exitCode: 1 };
  expect(retryAt({ retry, attempts: 3, portsTaken: 2 }, failed, 0)).toBe(10_000);
});
