/**
 * Ran against: the route table. Every request that changes something can be sent again without harm: it honours a key, which
 * test/api/idempotency.test.ts tries in eight ways, or stands here with the reason why it need not.
 */
import { isKeyed } from "@muster/api/route.ts";
import { expect, test } from "vitest";
import { cases } from "../idempotency-cases.ts";
import { operations } from "./spec.ts";

const SECRET = "its answer holds a secret, and would be kept";
const HOST = "its job and fence say which one is meant, however often it comes";
/** Changes that honour no key. */
const UNKEYED: Readonly<Record<string, string>> = {
  "tokens.create": SECRET,
  "tokens.bootstrap": SECRET,
  "hooks.create": SECRET,
  "hooks.rotate": SECRET,
  "webhooks.create": SECRET,
  "webhooks.rotate": SECRET,
  "login.exchange": SECRET,
  "login.aws": SECRET,
  "hooks.receive": "the body and the delivery's name tell it apart from others",
  "launches.plan": "it changes nothing",
  "uploads.create": "it changes nothing: the same hashes are answered in the same way",
  "agent.enroll": "its nonce makes the same agent the same host",
  "agent.register": "its nonce makes the same agent the same host",
  "agent.poll": HOST,
  "agent.report": HOST,
  "agent.checkpoint": HOST,
};

const isSecret = (field: string): boolean => field === "token" || field === "secret";
const shapeOf = (output: object): string[] => ("shape" in output ? Object.keys(output.shape as object) : []);

const changing = operations.filter(({ route }) => route.method !== "GET");

test("every change honours a key, or was decided to need none", () => {
  const unkeyed = changing.filter(({ route }) => !isKeyed(route)).map(({ id }) => id);
  expect(unkeyed.toSorted()).toEqual(Object.keys(UNKEYED).toSorted());
});

test("every one that does is tried in all ways", () => {
  const keyed = changing.filter(({ route }) => isKeyed(route)).map(({ id }) => id);
  expect(Object.keys(cases).toSorted()).toEqual(keyed.toSorted());
  expect(keyed.length * 8).toBeGreaterThanOrEqual(390);
});

test("none whose answer shows a secret keeps that answer", () => {
  const shown = changing
    .filter(({ id, route }) => route.status === 201 && !id.startsWith("agent.") && shapeOf(route.output).some(isSecret))
    .map(({ id }) => id);
  expect(shown).toContain("tokens.create");
  for (const id of shown) expect([id, UNKEYED[id]]).toEqual([id, SECRET]);
});
