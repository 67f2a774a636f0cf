/** Journeys of jobs on several hosts: client → local HTTP server → real agents → real processes, all on this machine. */
import { existsSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ended, type InProcess, inState, launch, logOf, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

let plane: InProcess;
beforeAll(async () => {
  plane = await openPlane();
});
afterAll(() => plane.close());

test("one node's failure ends the others at once, and the first cause is the job's", async () => {
  const go = join(plane.home, "go");
  const up = join(plane.home, "up-");
  const script = [
    `touch ${up}$MUSTER_NODE_RANK`,
    'if [ "$MUSTER_NODE_RANK" = 1 ]; then',
    `  until [ -e ${go} ]; do sleep 0.05; done`,
    "  exit 7",
    "fi",
    "trap 'exit 9' TERM",
    "sleep 300 & wait",
  ].join("\n");
  const job = await launch(plane, "gang", { nodes: 3, run: script });
  await until("all nodes to run", () => [0, 1, 2].every(rank => existsSync(`${up}${rank}`)));
  const began = performance.now();
  writeFileSync(go, "");
  const over = await ended(plane, job);
  const took = performance.now() - began;
  expect(over).toMatchObject({
    ...{ state: "failed", exitCode: 7, done: true },
    failure: { code: "exit_code", message: "the script exited with 7 on rank 1" },
  });
  // Hosts that run something poll every 15 s by themselves.
  expect(took).toBeLessThan(5_000);
  const logs = await Promise.all([0, 1, 2].map(rank => logOf(plane, job, { rank })));
  expect(logs).toEqual(["Another node of this job failed.\n", "", "Another node of this job failed.\n"]);
});

test("a service is told of while its job runs, is on the first host, and ends with it", async () => {
  const go = join(plane.home, "go-on");
  const serve = `exec node -e 'require("http").createServer((_, r) => r.end(process.env.MUSTER_NODE_RANK)).listen(+process.env.PORT)'`;
  const job = await launch(plane, "gang", {
    nodes: 2,
    run: `until [ -e ${go} ]; do sleep 0.05; done`,
    services: [{ name: "board", run: serve, port: 6006 }],
  });
  const { endpoints = [] } = await until("its URL", async () => {
    const now = await inState(plane, job, "running");
    return now.endpoints === undefined ? undefined : now;
  });
  expect(endpoints).toMatchObject([{ name: "board", url: expect.stringMatching(/^http:\/\/[\d.]+:\d+$/) }]);
  const [{ url } = { url: "" }] = endpoints;
  const answer = await until("an answer", () =>
    fetch(url).then(
      said => said.text(),
      () => undefined,
    ),
  );
  expect(answer).toBe("0");
  writeFileSync(go, "");
  expect(await ended(plane, job)).not.toHaveProperty("endpoints");
  await expect(fetch(url)).rejects.toThrow();
  expect(await logOf(plane, job, { rank: 0 })).toMatch(/^board: http:/);
  expect(await logOf(plane, job, { rank: 1 })).toBe("");
});

test("where its nodes' port is taken a job has another one, without anybody's doing", async () => {
  const first = await launch(plane, "gang", { nodes: 2, run: "echo $MASTER_PORT" });
  await ended(plane, first);
  const used = Number(await logOf(plane, first, { rank: 0 }));
  // Ports go up with each try on a cluster, from 20,000 to 29,999.
  const next = 20_000 + ((used + 1) % 10_000);
  const server = createServer();
  await new Promise<void>(resolve => server.listen(next, resolve));
  try {
    const second = await launch(plane, "gang", { nodes: 2, run: "echo $MASTER_PORT" });
    expect(await ended(plane, second)).toMatchObject({ state: "succeeded", attempts: 2 });
    const logs = await Promise.all([0, 1].map(rank => logOf(plane, second, { rank })));
    expect(logs[0]).toMatch(/^2\d{4}\n$/);
    expect(logs).toEqual([logs[0], logs[0]]);
    expect(Number(logs[0])).not.toBe(next);
  } finally {
    server.close();
  }
});
