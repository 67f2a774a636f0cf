/** Webhooks from end to end: the real control plane, a real agent, a real job, and a real HTTP server on the loopback. */
import { Webhook as Verifier } from "standardwebhooks";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Receiver, startReceiver } from "../node/outbound-support.ts";
import { ended, type InProcess, launch, openPlane } from "../support/plane.ts";

let plane: InProcess;
let receiver: Receiver;
beforeAll(async () => {
  [plane, receiver] = [await openPlane({}, { outboundAllow: ["127.0.0.1"] }), await startReceiver()];
});
afterAll(async () => {
  await plane.close();
  await receiver.close();
});

test("a job that ends well is told, signed, and without what its task holds", async () => {
  const url = `http://127.0.0.1:${receiver.port}/muster`;
  const { secret } = await plane.api.webhooks.create({ body: { name: "ci", webhook: { url, events: ["job.*"] } } });
  const job = await launch(plane, "demo", { run: "true", envs: { PLAIN: "in-the-open" }, secrets: { KEY: "sesame" } });
  await ended(plane, job);
  const told = () => receiver.heard.map(({ body }) => JSON.parse(body) as { type: string; data: { subject: string } });
  await expect.poll(() => told().map(({ type }) => type)).toContain("job.succeeded");
  for (const { body, headers } of receiver.heard)
    expect(new Verifier(secret).verify(body, headers as Record<string, string>)).toMatchObject({
      data: { subject: job.id, cluster: { name: "demo" } },
    });
  expect(JSON.stringify(receiver.heard)).not.toMatch(/sesame|in-the-open/);
  const list = () => plane.api.webhooks.deliveries({ params: { webhook: "ci" }, query: { outcome: "delivered" } });
  await expect.poll(async () => (await list()).items.map(({ kind }) => kind)).toContain("job.succeeded");
  // Each of its states once.
  const types = told().map(({ type }) => type);
  expect(new Set(types).size).toBe(types.length);
});

test("a webhook is tried out, and what failed is replayed", async () => {
  const params = { webhook: "ci" };
  receiver.answer = response => response.writeHead(500).end();
  const { id } = await plane.api.webhooks.test({ params });
  const outcome = async () => (await plane.api.webhooks.delivery({ params: { ...params, delivery: id } })).outcome;
  await expect.poll(outcome).toBe("dead");
  receiver.answer = response => response.end();
  await plane.api.webhooks.replay({ params: { ...params, delivery: id } });
  await expect.poll(outcome).toBe("delivered");
  expect(receiver.heard.filter(({ headers }) => headers["webhook-id"] === id)).toHaveLength(2);
  expect(plane.errors).toEqual([]);
});
