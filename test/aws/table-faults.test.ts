/**
 * Ran against: moto's DynamoDB through the edge, which loses answers, throttles and refuses. What DynamoDB does about
 * tokens, conflicts between transactions and throttling is the edge's word here, as AWS documents it: moto has none of it.
 */
import type { Called } from "@muster/aws/call/aws.ts";
import { openTable } from "@muster/aws/table/table.ts";
import { type Conflict, type Table, type Write, WriteConflict } from "@muster/core/ports/table.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { add, digest, draft } from "../contract/table-subject.ts";
import { type Edge, type Fault, type Gap, startEdge } from "./support/edge.ts";
import { type Moto, startMoto } from "./support/moto.ts";
import { awsAt, makeTable } from "./table-support.ts";

let moto: Moto;
/** Knows transactions by their tokens, as DynamoDB does. */
let edge: Edge;
/** Knows no token, as DynamoDB after ten minutes. */
let forgetful: Edge;
let table: Table;
let late: Table;
/** Straight to moto: what really stands there. */
let truth: Table;
const calls: Called[] = [];
const nothing = async () => undefined;
/** Happens after the forgetful edge has applied a put, and before anybody hears of it. */
let between: () => Promise<unknown> = nothing;
let partitions = 0;

beforeAll(async () => {
  moto = await startMoto();
  await makeTable(moto.url, "muster");
  truth = openTable({ aws: awsAt(moto.url), name: "muster", digest });
});
// Each test has endpoints of its own: what is repeated at one has a budget, which the others must not use up.
beforeEach(async () => {
  const applied: Gap = async (_, next) => {
    const reply = await next();
    await between();
    return reply;
  };
  edge = await startEdge({ moto, clientTokens: true });
  forgetful = await startEdge({ moto, gaps: { "dynamodb.PutItem": applied } });
  const at = ({ url }: Edge) => openTable({ aws: awsAt(url, call => calls.push(call)), name: "muster", digest });
  [table, late] = [at(edge), at(forgetful)];
});
afterEach(async () => {
  await edge.close();
  await forgetful.close();
  calls.length = 0;
  between = nothing;
});
afterAll(() => moto?.close());

const fresh = () => ({ pk: `faults#${partitions++}`, sk: "A" });
const code = (value: string) => expect.objectContaining({ code: value });
const conflicting = (...conflicts: readonly Conflict[]) => expect.objectContaining({ conflicts });
const statuses = () => edge.log.map(call => call.status);
const cancelled = (...codes: readonly string[]) => ({
  kind: "error" as const,
  code: "TransactionCanceledException",
  fields: { CancellationReasons: codes.map(Code => ({ Code })) },
});
const pair = (a: Write, b: Write): readonly Write[] => [a, b];
const puts = () => {
  const [a, b] = [fresh(), fresh()];
  return { a, b, writes: pair({ put: draft(a, { n: 1 }), expect: "absent" }, { put: draft(b), expect: "absent" }) };
};

describe.each(["reset", "reset-after-apply", "truncate"] as const)("when the connection breaks (%s)", kind => {
  test("a put is applied once, and its writer hears so", async () => {
    const key = fresh();
    edge.inject({ on: "dynamodb.PutItem", kind });
    await add(table, key, { n: 1 });
    expect(await truth.get(key)).toEqual({ ...draft(key, { n: 1 }), version: 1 });
    edge.inject({ on: "dynamodb.PutItem", kind });
    await table.write([{ put: draft(key, { n: 2 }), expect: 1 }]);
    expect(await truth.get(key)).toEqual({ ...draft(key, { n: 2 }), version: 2 });
    // The second request of each was refused where the first one was applied: the id told whose item it met.
    const again = kind === "reset" ? 200 : 400;
    const first = kind === "reset" ? 0 : 200;
    expect(statuses()).toEqual([first, again, first, again]);
  });

  test("a put that never fitted is a conflict all the same", async () => {
    const key = fresh();
    await add(truth, key, { n: 1 });
    edge.inject({ on: "dynamodb.PutItem", kind });
    await expect(add(table, key)).rejects.toEqual(
      conflicting({ key, expected: "absent", found: { ...draft(key, { n: 1 }), version: 1 } }),
    );
    expect((await truth.get(key))?.version).toBe(1);
  });

  test("a removal is applied once, and its remover hears so", async () => {
    const key = fresh();
    await add(truth, key);
    edge.inject({ on: "dynamodb.DeleteItem", kind });
    await table.write([{ remove: key, expect: 1 }]);
    expect(await truth.get(key)).toBeUndefined();
    expect(edge.log).toHaveLength(2);
  });

  test("a removal of an item that has changed is a conflict all the same", async () => {
    const key = fresh();
    await add(truth, key);
    edge.inject({ on: "dynamodb.DeleteItem", kind });
    const removing = table.write([{ remove: key, expect: 7 }]);
    await expect(removing).rejects.toThrow(WriteConflict);
    expect((await truth.get(key))?.version).toBe(1);
  });

  test.each([
    ["by its token", () => table, () => edge],
    ["by the id in its items, when the token is forgotten", () => late, () => forgetful],
  ])("a transaction is applied once, and known again %s", async (_, of, at) => {
    const { a, b, writes } = puts();
    at().inject({ on: "dynamodb.TransactWriteItems", kind });
    await of().write(writes);
    expect([(await truth.get(a))?.version, (await truth.get(b))?.version]).toEqual([1, 1]);
    const tokens = at().log.map(call => JSON.parse(call.body).ClientRequestToken);
    expect(tokens).toEqual([expect.stringMatching(/^[\w-]{36}$/), tokens[0]]);
  });

  test("reads ask again", async () => {
    const key = fresh();
    await add(truth, key);
    edge.inject({ on: "dynamodb.GetItem", kind }, { on: "dynamodb.Query", kind });
    expect((await table.get(key))?.version).toBe(1);
    expect((await table.query({ pk: key.pk })).items).toHaveLength(1);
  });
});

test("a put that was applied unheard and then replaced is told as a conflict, with what stands there now", async () => {
  const key = fresh();
  forgetful.inject({ on: "dynamodb.PutItem", kind: "reset-after-apply" });
  between = async () => {
    between = nothing;
    await truth.write([{ put: draft(key, { by: "another" }), expect: 1 }]);
  };
  const found = { ...draft(key, { by: "another" }), version: 2 };
  await expect(add(late, key, { by: "us" })).rejects.toEqual(conflicting({ key, expected: "absent", found }));
});

test("an answer that never comes is asked for again, when its time is over", async () => {
  const hasty = openTable({ aws: awsAt(edge.url), name: "muster", digest, timeout: 1_000 });
  const [put, gone] = [fresh(), fresh()];
  const { a, writes } = puts();
  await add(truth, gone);
  const operations = ["PutItem", "DeleteItem", "TransactWriteItems"];
  edge.inject(...operations.map((name): Fault => ({ on: `dynamodb.${name}`, kind: "timeout-after-apply" })));
  await Promise.all([add(hasty, put), hasty.write([{ remove: gone, expect: 1 }]), hasty.write(writes)]);
  const found = await Promise.all([put, gone, a].map(key => truth.get(key)));
  expect(found.map(item => item?.version)).toEqual([1, undefined, 1]);
  expect(edge.log).toHaveLength(6);
});

test("requests that arrive twice are applied once", async () => {
  const [put, gone] = [fresh(), fresh()];
  const { a, writes } = puts();
  await add(truth, gone);
  const operations = ["PutItem", "DeleteItem", "TransactWriteItems"];
  edge.inject(...operations.map((name): Fault => ({ on: `dynamodb.${name}`, kind: "duplicate" })));
  await add(table, put);
  await table.write([{ remove: gone, expect: 1 }]);
  await table.write(writes);
  const found = await Promise.all([put, gone, a].map(key => truth.get(key)));
  expect(found.map(item => item?.version)).toEqual([1, undefined, 1]);
});

describe("a table that takes no more", () => {
  test.each([
    ["dynamodb.PutItem", { kind: "throttle" }],
    ["dynamodb.PutItem", { kind: "throttle", code: "ThrottlingException" }],
    ["dynamodb.PutItem", { kind: "error", code: "TransactionConflictException" }],
    ["dynamodb.TransactWriteItems", { kind: "throttle" }],
    ["dynamodb.TransactWriteItems", cancelled("None", "TransactionConflict")],
    ["dynamodb.TransactWriteItems", cancelled("ThrottlingError", "ProvisionedThroughputExceeded")],
    ["dynamodb.TransactWriteItems", { kind: "error", code: "TransactionInProgressException" }],
  ] as const)("%s is asked again: %j", async (on, fault) => {
    const { a, writes } = puts();
    edge.inject({ on, ...fault, times: 2 });
    await table.write(on.endsWith("PutItem") ? writes.slice(0, 1) : writes);
    expect((await truth.get(a))?.version).toBe(1);
    expect(edge.log.map(call => call.fault)).toEqual([fault.kind, fault.kind, undefined]);
  });

  test.each([
    ["dynamodb.PutItem", { kind: "throttle" }, "busy"],
    ["dynamodb.TransactWriteItems", cancelled("None", "TransactionConflict"), "busy"],
    // Nobody knows: the first request may still be at work, or has been applied.
    ["dynamodb.TransactWriteItems", { kind: "error", code: "TransactionInProgressException" }, "unavailable"],
    ["dynamodb.PutItem", { kind: "http500" }, "unavailable"],
    ["dynamodb.TransactWriteItems", { kind: "http503" }, "unavailable"],
  ] as const)("%s gives up in the end: %j is %s", async (on, fault, expected) => {
    const { a, writes } = puts();
    edge.inject({ on, ...fault, times: Number.POSITIVE_INFINITY });
    const writing = table.write(on.endsWith("PutItem") ? writes.slice(0, 1) : writes);
    await expect(writing).rejects.toEqual(code(expected));
    expect(edge.log.length).toBeGreaterThan(2);
    expect(await truth.get(a)).toBeUndefined();
  });

  test("says so to readers too", async () => {
    edge.inject({ on: "dynamodb.*", kind: "throttle", times: Number.POSITIVE_INFINITY });
    const key = fresh();
    await expect(table.get(key)).rejects.toEqual(code("busy"));
    await expect(table.query({ pk: key.pk })).rejects.toEqual(code("busy"));
    await expect(table.write([{ check: key, expect: "absent" }])).rejects.toEqual(code("busy"));
  });

  test.each([
    ["dynamodb.PutItem", 1],
    ["dynamodb.TransactWriteItems", 2],
  ] as const)("%s: after a lost answer nobody says any more that nothing was written", async (on, count) => {
    const { a, writes } = puts();
    edge.inject({ on, kind: "reset-after-apply" }, { on, kind: "throttle", times: Number.POSITIVE_INFINITY });
    await expect(table.write(writes.slice(0, count))).rejects.toEqual(code("unavailable"));
    expect((await truth.get(a))?.version).toBe(1);
  });
});

test("a transaction that met both a conflict and a busy item is told as a conflict", async () => {
  const { a, b, writes } = puts();
  edge.inject({ on: "dynamodb.TransactWriteItems", ...cancelled("ConditionalCheckFailed", "TransactionConflict") });
  await expect(table.write(writes)).rejects.toEqual(conflicting({ key: a, expected: "absent" }));
  expect(await truth.get(b)).toBeUndefined();
});

describe("refusals are told", () => {
  test("an item that is too large as DynamoDB counts, though not as JSON", async () => {
    const key = fresh();
    // 400 KB less a few bytes, and the write's id comes on top of it.
    const large = { put: draft(key, { text: "x".repeat(409_530) }), expect: "absent" } as const;
    await expect(table.write([large])).rejects.toEqual(code("too_large"));
    expect(edge.log).toHaveLength(1);
    const { b } = puts();
    const message = "Item size to update has exceeded the maximum allowed size";
    const CancellationReasons = [{ Code: "ValidationError", Message: message }, { Code: "None" }];
    const fields = { CancellationReasons };
    edge.inject({ ...cancelled(), on: "dynamodb.TransactWriteItems", fields });
    const writing = table.write([large, { check: b, expect: "absent" }]);
    await expect(writing).rejects.toEqual(code("too_large"));
  });

  test("a missing permission is named", async () => {
    edge.inject({ on: "dynamodb.PutItem", kind: "error", code: "AccessDeniedException" });
    const details = { hint: "its role lacks dynamodb:PutItem" };
    await expect(add(table, fresh())).rejects.toEqual(expect.objectContaining({ code: "unavailable", details }));
  });

  test("a table that is not there is unavailable", async () => {
    const none = openTable({ aws: awsAt(moto.url), name: "none", digest });
    await expect(none.get(fresh())).rejects.toEqual(code("unavailable"));
    await expect(add(none, fresh())).rejects.toEqual(code("unavailable"));
  });
});

test("each call tells what it consumed", async () => {
  const { a, writes } = puts();
  await table.write(writes);
  await add(table, fresh());
  await table.get(a);
  await table.query({ pk: a.pk });
  expect(calls.map(({ operation, status, attempt }) => [operation, status, attempt])).toEqual([
    ["TransactWriteItems", 200, 1],
    ["PutItem", 200, 1],
    ["GetItem", 200, 1],
    ["Query", 200, 1],
  ]);
  for (const call of edge.log) expect(JSON.parse(call.body).ReturnConsumedCapacity).toBe("TOTAL");
  // Moto tells nothing of transactions.
  const units = calls.map(({ writeUnits, readUnits }) => ({ writeUnits, readUnits }));
  expect(units.slice(1)).toEqual([{ writeUnits: 1 }, { readUnits: 0.5 }, { readUnits: 1 }]);
});
