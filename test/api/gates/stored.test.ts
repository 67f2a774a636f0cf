/**
 * Ran against: every route whose body is an object, with fields that no body has: whose it is, what it may, where it stands,
 * what it cost. The real handlers over SQLite in memory, in process. They are refused, at the place where they stand, or
 * left out: in no item of the table, no answer and no log is one of them ever seen again.
 */
import { expect, test } from "vitest";
import { BODIES } from "./decisions.ts";
import { type Operation, operations, resolved, type Schema } from "./spec.ts";
import { type Ask, jsonOf, passFor } from "./stage.ts";
import { openTenants, paramsOf, type Tenants } from "./tenancy-support.ts";

/** Fields that only the control plane writes, with what somebody would like them to be. */
const FIELDS: Readonly<Record<string, unknown>> = {
  workspace: "elsewhere-canary",
  tenantId: "tenant-canary",
  owner: "owner-canary",
  role: "role-canary",
  state: "state-canary",
  instanceId: "i-canary",
  machineId: "machine-canary",
  fence: 424242,
  generation: 424242,
  cost: { usd: -424242 },
  version: 424242,
  createdAt: 424242,
  __proto__: { admin: "proto-canary" },
};
// As JSON has it: a literal would set the prototype.
const names = [...Object.keys(FIELDS), "__proto__"];
const wishOf = (name: string): unknown => (name === "__proto__" ? { admin: "proto-canary" } : FIELDS[name]);
const CANARY = /canary|424242/;

const writable = operations.filter(({ body }) => body !== undefined);

/** Objects within a body: the body itself, and those that it holds, one level after the other. */
function places(schema: Schema, value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  const { properties = {} } = resolved(schema);
  const inner = Object.entries(value).flatMap(([key, held]) => places(properties[key] ?? {}, held, [...at, key]));
  return [[...at], ...inner];
}

/** The JSON of the body with one field more. */
function withField(body: unknown, [step, ...rest]: readonly string[], name: string): string {
  if (step !== undefined) {
    const held = (body as Record<string, unknown>)[step];
    const others = Object.entries(body as object).filter(([key]) => key !== step);
    const inner = `${JSON.stringify(step)}:${withField(held, rest, name)}`;
    return `{${[...others.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`), inner].join(",")}}`;
  }
  const others = Object.entries(body as object).filter(([key]) => key !== name);
  const fields = others.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
  return `{${[...fields, `${JSON.stringify(name)}:${JSON.stringify(wishOf(name))}`].join(",")}}`;
}

let asked = 0;
let refused = 0;

async function expectNotStored(tenants: Tenants, operation: Operation, ask: Ask, name: string): Promise<void> {
  const { world, logged } = tenants.stage;
  const [changes, lines] = [world.changes.length, logged.length];
  const answer = await tenants.stage.send(operation.id, ask);
  const seen = JSON.stringify([world.changes.slice(changes), logged.slice(lines)]);
  expect([operation.id, name, CANARY.exec(seen)?.[0]]).toEqual([operation.id, name, undefined]);
  const { code, message } = jsonOf(answer);
  // A refusal names the field, and may say what it should have been.
  if (answer.statusCode < 400)
    expect([operation.id, name, CANARY.exec(answer.body)?.[0]]).toEqual([operation.id, name, undefined]);
  else
    expect(
      [
        operation.id,
        name,
        ["invalid_request", "not_found", "conflict", "name_taken", "unauthenticated"].includes(code),
      ],
      message,
    ).toEqual([operation.id, name, true]);
  expect(Object.keys(Object.prototype)).toEqual([]);
  asked++;
  if (code === "invalid_request") refused++;
}

test.each(writable.map(operation => [operation.id, operation] as const))("%s", async (id, operation) => {
  const body = BODIES[id];
  if (body === undefined) throw new Error(`no body was decided for ${id}: see decisions.ts`);
  const tenants = await openTenants();
  const base = { ...passFor(tenants.own.passes, id), params: paramsOf(operation, tenants.own) };
  const { properties = {} } = resolved(operation.body ?? {});
  for (const at of places(operation.body ?? {}, body))
    for (const name of names) {
      if (at.length === 0 && name in properties && name !== "__proto__") continue;
      await expectNotStored(tenants, operation, { ...base, raw: withField(body, at, name) }, [...at, name].join("."));
    }
});

test("so many were sent, and nearly all of them refused", () => {
  expect(asked).toBeGreaterThanOrEqual(writable.length * 12);
  expect(refused).toBeGreaterThan(asked * 0.7);
});
