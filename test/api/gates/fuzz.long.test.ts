/**
 * Ran against: every route of the table, over the ports of the embedded control plane (SQLite in memory) and a double for
 * machines, in process, with requests made from the document that the table makes: 30 in a hundred as it wants them, 50 with
 * one thing wrong, 20 mere bytes; on ids of earlier answers, by whoever may and by others. Every answer must be documented, be
 * valid by the document, be no failure of the server, and tell nothing of the code, the cloud or another tenant.
 *
 * `npm run gates` sends 5,000 to each operation; without it a tenth are sent.
 */
import { expect, test } from "vitest";
import { reasonWhyNot, unseen } from "./coverage.ts";
import { fuzz, newTally, wander } from "./fuzz.ts";
import { endure, insist, overfeed, repeat, serveHosts } from "./hardships.ts";
import { operations } from "./spec.ts";

const isFull = process.env.MUSTER_GATES === "full";
const EACH = isFull ? 5_000 : 500;
const WALKS = isFull ? 400 : 40;

const tally = newTally();

test.each(operations.map(operation => [operation.id, operation] as const))("%s", async (id, operation) => {
  await fuzz(operation, EACH, tally);
  const seen = [...(tally.outcomes.get(id)?.values() ?? [])].reduce((sum, count) => sum + count, 0);
  expect(seen).toBe(EACH);
});

test("what one request makes the next one reads, changes and ends", () => wander(operations, WALKS, tally));

test("in worlds where little is left, requests that are right are refused as they should be", async () => {
  await endure(tally);
  await overfeed(tally);
  await insist(tally);
  await repeat(tally);
  await serveHosts(tally);
});

test("every documented outcome was seen, or cannot be here: see coverage.ts", () => {
  expect(unseen(operations, tally)).toEqual([]);
});

test("so many were sent, of each kind as many as meant", () => {
  const { valid, mutated, bytes } = tally.kinds;
  const all = valid + mutated + bytes;
  expect(tally.sent).toBeGreaterThanOrEqual(isFull ? 200_000 : 20_000);
  expect([valid / all > 0.25, mutated / all > 0.4, bytes / all > 0.15]).toEqual([true, true, true]);
  // Neither all good nor all bad.
  const able = operations.filter(operation => reasonWhyNot(operation, String(operation.route.status)) === undefined);
  const bad = able.filter(({ id, route }) => !tally.outcomes.get(id)?.has(String(route.status)));
  expect(bad.map(({ id }) => id)).toEqual([]);
});
