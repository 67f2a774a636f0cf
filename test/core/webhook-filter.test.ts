/** Which events a webhook is told of, and what it is told; over SQLite in memory. */

import { submit } from "@muster/core/job/submit.ts";
import { relay } from "@muster/core/outbox/relay.ts";
import { sweepOutbox } from "@muster/core/outbox/sweep.ts";
import { ENDS, matches } from "@muster/core/webhook/filter.ts";
import { Change } from "@muster/core/webhook/webhook.ts";
import { expect, test } from "vitest";
import { jobRequest, readyCluster } from "../support/requests.ts";
import { ADA, EVE } from "../support/world.ts";
import { ADMIN, eventOf, happens, made, type Receiving, receiving, URL_OF_IT } from "./webhook-support.ts";

test.each([
  [["*"], "job.failed", true],
  [["*"], "anything", true],
  [["job.failed"], "job.failed", true],
  [["job.failed"], "job.succeeded", false],
  [["job.*"], "job.failed", true],
  [["job.*"], "jobgroup.failed", false],
  [["job"], "job.failed", true],
  [["*.failed"], "cluster.failed", true],
  [["*.failed"], "cluster.ready", false],
  [["cluster.ready", "job.failed"], "job.failed", true],
  [["job.timed_out"], "job.timed_out", true],
  [["job.failed"], "job.failed.more", true],
] as const)("%j asks for %s: %j", (patterns, kind, asked) => {
  expect(matches(patterns, kind)).toBe(asked);
});

test.each([[[]], [["Job.failed"]], [["job.failed.more"]], [["job.fail*"]], [[""]], [["job."]], [["**"]]])(
  "%j is refused",
  events => {
    expect(Change.safeParse({ url: URL_OF_IT, events }).success).toBe(false);
  },
);

test.each([
  ["ftp://hooks.example.com/"],
  ["hooks.example.com"],
  ["https://user:word@hooks.example.com/"],
  ["https://user@hooks.example.com/"],
  [`https://hooks.example.com/${"a".repeat(2048)}`],
])("%.60s is refused", url => {
  expect(Change.safeParse({ url }).success).toBe(false);
});

test("unless it says otherwise, it is told of the ends of jobs", () => {
  expect(Change.parse({ url: URL_OF_IT }).events).toEqual(ENDS);
});

const kinds = (world: Receiving): string[] => world.heard.map(({ body }) => JSON.parse(body ?? "").type);

test("only what is asked for is delivered, to each who asks", async () => {
  const world = receiving();
  await made(world, { events: ["job.failed"] }, "one");
  await made(world, { events: ["cluster.*"] }, "two");
  for (const kind of ["job.failed", "job.succeeded", "cluster.ready"]) await happens(world, { kind });
  expect(kinds(world)).toEqual(["job.failed", "cluster.ready"]);
});

test("another workspace's events are its own", async () => {
  const world = receiving();
  await made(world);
  await relay(world, eventOf(world), EVE.workspace);
  await sweepOutbox(world);
  expect(world.heard).toEqual([]);
});

/** A job with labels on a cluster that is up, and the last event of it. */
async function running(world: Receiving) {
  const cluster = await readyCluster(world);
  const request = jobRequest({ labels: { team: "vision" } }, { name: "train" });
  const { id } = await submit(world, ADMIN, "demo", request);
  return { subject: id, clusterId: cluster.id, kind: "job.failed", actor: ADA.id };
}

test("a job is told with its name, its labels and its cluster, and without its task", async () => {
  const world = receiving();
  await made(world);
  const event = await running(world);
  await happens(world, { ...event, details: { exitCode: 3 } });
  const { data } = JSON.parse(world.heard[0]?.body ?? "");
  expect(data).toMatchObject({
    cluster: { id: event.clusterId, name: "demo" },
    job: { id: event.subject, name: "train", labels: { team: "vision" } },
    details: { exitCode: 3 },
  });
  expect(world.heard[0]?.body).not.toContain("task");
});

test.each([
  [{ clusters: ["demo"] }, true],
  [{ clusters: ["other"] }, false],
  [{ labels: { team: "vision" } }, true],
  [{ labels: { team: "speech" } }, false],
  [{ labels: { team: "vision", stage: "prod" } }, false],
  [{ clusters: ["demo"], labels: { team: "vision" } }, true],
  [{ clusters: ["other"], labels: { team: "vision" } }, false],
])("%j asks for a job of team vision on demo: %j", async (change, asked) => {
  const world = receiving();
  await made(world, change);
  await happens(world, await running(world));
  expect(world.heard).toHaveLength(asked ? 1 : 0);
});

test("a cluster may be named by its id", async () => {
  const world = receiving();
  const event = await running(world);
  await made(world, { clusters: [event.clusterId] });
  await happens(world, event);
  await happens(world, { kind: "cluster.ready", subject: event.clusterId, clusterId: event.clusterId });
  await happens(world, { kind: "cluster.ready", subject: "clu_other", clusterId: "clu_other" });
  expect(kinds(world)).toEqual(["job.failed", "cluster.ready"]);
});

test("Slack gets one line of text, in which nothing calls a channel", async () => {
  const world = receiving();
  await made(world, { format: "slack" });
  const event = await running(world);
  await happens(world, { ...event, message: "<!channel> exit code 1 & more" });
  expect(JSON.parse(world.heard[0]?.body ?? "")).toEqual({
    text: `job train (${event.subject}) failed on demo: &lt;!channel&gt; exit code 1 &amp; more`,
  });
});

test("details that are long are left out", async () => {
  const world = receiving();
  await made(world);
  await happens(world, { details: { log: "x".repeat(20_000) } });
  expect(world.heard[0]?.body?.length).toBeLessThan(1_000);
});
