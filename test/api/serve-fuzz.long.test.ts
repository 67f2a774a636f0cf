/**
 * Ran against: every route of the table through dispatcher(), in process, with authentication of this test's own (core's
 * is slow by design) and verbs that throw a mark: a request either is refused, or reaches its verb with what the
 * route's schemas allow. Nothing else happens, whatever is sent.
 */

import type { HttpEvent } from "@muster/api/http.ts";
import { COMMON_ERRORS, type Route } from "@muster/api/route.ts";
import { entries, routes } from "@muster/api/routes.ts";
import { dispatcher, type Runs } from "@muster/api/serve.ts";
import { errors, isCode } from "@muster/core/error.ts";
import fc from "fast-check";
import { expect, test } from "vitest";
import * as z from "zod";
import { bodyOf, eventOf, HOST_TOKEN, keyOf, openDoor, type TestDoor } from "./support.ts";

const RUNS = 300;

type Schema = z.core.JSONSchema.BaseSchema;

const plain: Readonly<Record<string, (schema: Schema, depth: number) => fc.Arbitrary<unknown>>> = {
  object: objectOf,
  array: (schema, depth) => fc.array(made(schema.items as Schema, depth + 1), { maxLength: 3 }),
  integer: numberOf,
  number: numberOf,
  boolean: () => fc.boolean(),
  string: ({ pattern }) =>
    pattern === undefined ? fc.string({ unit: "binary", maxLength: 40 }) : fc.stringMatching(new RegExp(pattern)),
};

/** Values by their schema: well formed, so that what is behind the first check is reached too. */
function made(schema: Schema | boolean | undefined, depth = 0): fc.Arbitrary<unknown> {
  if (typeof schema !== "object" || depth > 6) return fc.jsonValue();
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms) return fc.oneof(...forms.map(form => made(form, depth + 1)));
  return plain[String(schema.type)]?.(schema, depth) ?? fc.jsonValue();
}

function numberOf({ minimum = 0, maximum = 1000 }: Schema): fc.Arbitrary<number> {
  return fc.integer({ min: Math.max(minimum, 0), max: Math.min(maximum, 1000) });
}

function objectOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  if (!schema.properties)
    return fc.dictionary(fc.string(), made(schema.additionalProperties, depth + 1), { maxKeys: 3 });
  const shape = Object.entries(schema.properties).map(([key, inner]) => [key, made(inner, depth + 1)] as const);
  return fc.record(Object.fromEntries(shape), { requiredKeys: (schema.required ?? []) as never[] });
}

const junk = fc.constantFrom<unknown>(null, -1, 1e300, "", "\u0000", "../..", "x".repeat(5_000), [], {}, true, 2 ** 53);

/** The value with one field changed, added or taken away, at any depth. */
function mutate(value: unknown, path: readonly number[], change: unknown): unknown {
  const [at = 0, ...rest] = path;
  if (typeof value !== "object" || value === null || rest.length === 0) return change;
  const keys = Object.keys(value);
  const key = keys[at % (keys.length + 1)] ?? "added";
  const copy: Record<string, unknown> = { ...value };
  copy[key] = mutate(copy[key], rest, change);
  return Array.isArray(value) ? Object.values(copy) : copy;
}

const path = fc.array(fc.nat(20), { minLength: 1, maxLength: 5 });

/** 30 in a hundred as the schema wants it, 50 with one thing wrong, 20 anything at all. */
function bodies(route: Route): fc.Arbitrary<string> {
  const schema = route.body && (z.toJSONSchema(route.body, { io: "input" }) as Schema);
  const good = made(schema);
  return fc.oneof(
    { weight: 3, arbitrary: good.map(value => JSON.stringify(value) ?? "") },
    {
      weight: 5,
      arbitrary: fc
        .tuple(good, path, junk)
        .map(([value, at, change]) => JSON.stringify(mutate(value, at, change)) ?? ""),
    },
    { weight: 1, arbitrary: fc.json({ maxDepth: 40 }) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 200 }) },
  );
}

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 80 }),
  fc.webQueryParameters(),
  fc.constantFrom("%zz", "%00", "..", "%2e%2e/x"),
);

function queries(route: Route): fc.Arbitrary<string> {
  const known = Object.keys(route.query?.shape ?? {});
  const key = known.length === 0 ? fc.string() : fc.constantFrom(...known, "other", "__proto__");
  const pair = fc.tuple(key, fc.oneof(text, fc.constantFrom("true", "1", "100", "-1", "")));
  return fc.oneof(
    fc.constant(""),
    text,
    fc.array(pair, { maxLength: 4 }).map(pairs => pairs.map(([name, value]) => `${name}=${value}`).join("&")),
  );
}

function events(route: Route): fc.Arbitrary<HttpEvent> {
  const names = Object.keys(route.params?.shape ?? {});
  const params = fc.record(Object.fromEntries(names.map(name => [name, fc.oneof(text, fc.constant("one"))])), {
    requiredKeys: [],
  });
  const type = fc.constantFrom("application/json", "application/json", "application/json", "text/plain", undefined);
  const key = fc.oneof(fc.constant(undefined), fc.string({ unit: "binary", maxLength: 300 }));
  const token = fc.constantFrom("good", "good", "good", "good", "bad", undefined);
  return fc
    .tuple(bodies(route), queries(route), params, type, key, token, fc.boolean())
    .map(([body, rawQueryString, pathParameters, contentType, idempotencyKey, authorization, isBase64Encoded]) =>
      eventOf(keyOf(route), {
        rawQueryString,
        pathParameters,
        isBase64Encoded,
        body: isBase64Encoded ? Buffer.from(body).toString("base64") : body,
        headers: { "content-type": contentType, "idempotency-key": idempotencyKey, authorization },
      }),
    );
}

class Reached extends Error {
  readonly call: Readonly<Record<string, unknown>>;
  constructor(call: Readonly<Record<string, unknown>>) {
    super("reached");
    this.call = call;
  }
}

let door: TestDoor;
let dispatch: ReturnType<typeof dispatcher>;
let reached: Reached | undefined;

function begin() {
  door = openDoor();
  const open = {
    ...door,
    authenticate: async (authorization: string | undefined) =>
      authorization === "good"
        ? ({ workspace: "w", id: "u", role: "member" } as const)
        : door.authenticate(authorization),
    authenticateHost: (authorization: string | undefined) =>
      door.authenticateHost(authorization === "good" ? HOST_TOKEN : authorization),
  };
  const run = async (call: Readonly<Record<string, unknown>>) => {
    reached = new Reached(call);
    throw reached;
  };
  dispatch = dispatcher(open, routes, Object.fromEntries(entries.map(([id]) => [id, run])) as unknown as Runs);
}

function expectAllowed(route: Route, { call }: Reached): void {
  for (const part of ["params", "query", "body"] as const) {
    const schema = route[part];
    if (schema === undefined) continue;
    // Queries change their type when they are read; what was read from a body is again a body.
    if (part !== "query") expect(schema.safeParse(call[part]).success).toBe(true);
    expect(call[part]).toBeDefined();
  }
  expect("actor" in call).toBe(route.auth === "user");
  expect("host" in call).toBe(route.auth === "host");
}

const seen = new Map<string, number>();

test.each(entries)("%s refuses what is not valid, and nothing makes it fail", async (_, route) => {
  begin();
  const allowed = [...COMMON_ERRORS, ...route.errors].filter(code => errors[code].status < 500);
  await fc.assert(
    fc.asyncProperty(events(route), async event => {
      reached = undefined;
      door.logged.length = 0;
      const answer = await dispatch(event);
      const { code, details, message } = bodyOf(answer);
      seen.set(`${answer.statusCode}`, (seen.get(`${answer.statusCode}`) ?? 0) + 1);
      if (reached) {
        expectAllowed(route, reached);
        expect([answer.statusCode, door.logged.length]).toEqual([500, 1]);
        return;
      }
      expect(isCode(code) && allowed.includes(code)).toBe(true);
      expect(errors[code as keyof typeof errors].status).toBe(answer.statusCode);
      expect([typeof message, typeof details, door.logged.length]).toEqual(["string", "object", 0]);
      expect(answer.body.length).toBeLessThan(60_000);
      expect(answer.body).not.toMatch(/node_modules|\.ts:\d/);
    }),
    { numRuns: RUNS },
  );
});

test("the requests were neither all good nor all bad", () => {
  // 500 is the mark of the verbs above.
  expect(seen.get("500")).toBeGreaterThan(entries.length * 5);
  expect(seen.get("400")).toBeGreaterThan(entries.length * 20);
  expect(seen.get("401")).toBeGreaterThan(entries.length * 5);
});
