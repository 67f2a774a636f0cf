/** Ran against: plain HTTP servers of the test, which answer, fall silent or hang up as each test says. */
import type { Aws } from "@muster/aws/call/aws.ts";
import { json } from "@muster/aws/call/json.ts";
import { RESERVE } from "@muster/aws/call/retry.ts";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Bench, BROKEN, failure, faultIn, makeBench, THROTTLED } from "./support/call-bench.ts";
import { type CallServer, inTurn, reset, say, startCallServer } from "./support/call-server.ts";

let server: CallServer;
let aws: Aws;
let calls: Bench["calls"];
let read: Bench["read"];
let write: Bench["write"];
beforeEach(async () => {
  ({ server, aws, calls, read, write } = await makeBench());
});
afterEach(() => server.close());

describe("trying again", () => {
  test("what certainly was not done is asked again, whatever it is", async () => {
    for (const ask of [read, write]) {
      server.forget();
      server.answer(inTurn(THROTTLED, THROTTLED, say(200, { done: true })));
      expect(await ask()).toEqual({ done: true });
      expect(server.asked).toHaveLength(3);
    }
    expect(calls.map(call => call.attempt)).toEqual([1, 2, 3, 1, 2, 3]);
    expect(new Set(server.asked.map(({ body }) => body)).size).toBe(1);
  });

  test.each([
    ["a read", "GetItem", {}, undefined, 4],
    ["a transaction that reads", "TransactGetItems", {}, undefined, 4],
    ["a write", "PutItem", {}, undefined, 1],
    ["a write whose caller says that it may be", "PutItem", {}, { attempts: 3 }, 3],
    ["a transaction", "TransactWriteItems", {}, undefined, 1],
    ["a transaction with a token", "TransactWriteItems", { ClientRequestToken: "x" }, undefined, 4],
    ["a read whose caller says once", "Query", {}, { attempts: 1 }, 1],
  ] as const)("when nobody knows, %s is asked so often", async (_, operation, input, options, times) => {
    // In this order: a connection that was good before would be met with a repeat that is no attempt.
    for (const answering of [reset, BROKEN]) {
      server.forget();
      server.answer(answering);
      expect(await faultIn(json(aws, "dynamodb", operation, input, options))).toMatchObject({ kind: "unknown" });
      expect(server.asked).toHaveLength(times);
    }
  });

  test("a second start of the same execution is the first", async () => {
    server.answer(inTurn(BROKEN, say(200, { executionArn: "arn" })));
    expect(await json(aws, "states", "StartExecution", { name: "n" })).toEqual({ executionArn: "arn" });
    server.answer(BROKEN);
    server.forget();
    expect(await faultIn(json(aws, "ssm", "SendCommand", {}))).toMatchObject({ kind: "unknown" });
    expect(server.asked).toHaveLength(1);
  });

  test("what was refused is not asked again", async () => {
    server.answer(failure(400, "ConditionalCheckFailedException"));
    await faultIn(write({ attempts: 4 }));
    expect(server.asked).toHaveLength(1);
  });

  test("waits double, and are drawn between nothing and the whole", async () => {
    const random = vi.spyOn(Math, "random");
    server.answer(THROTTLED);
    for (const [share, least] of [
      [0.99, 0.99 * (50 + 100 + 200)],
      [0, 0],
    ] as const) {
      random.mockReturnValue(share);
      const start = performance.now();
      await faultIn(read());
      // Timers may fire a little early.
      expect(performance.now() - start).toBeGreaterThanOrEqual(least - 5);
    }
    expect(random).toHaveBeenCalledTimes(6);
    random.mockRestore();
  });
});

describe("the budget", () => {
  test("a dependency that is down is hardly asked more than it would be anyway", async () => {
    const calls = 1000;
    for (const answering of [BROKEN, reset]) {
      server.answer(answering);
      const before = server.asked.length;
      const asking = Array.from({ length: calls }, () => faultIn(read()));
      for (const fault of await Promise.all(asking)) expect(fault.kind).toBe("unknown");
      expect(server.asked.length - before).toBeGreaterThanOrEqual(calls);
      expect(server.asked.length - before).toBeLessThanOrEqual(calls * 1.1);
    }
  });

  test("successes earn it back", async () => {
    server.answer(BROKEN);
    await Promise.all(Array.from({ length: RESERVE }, () => faultIn(read())));
    expect(server.asked).toHaveLength(2 * RESERVE);
    await faultIn(read());
    expect(server.asked).toHaveLength(2 * RESERVE + 1);
    server.answer(say(200));
    for (let n = 0; n < 11; n++) await read();
    server.forget();
    server.answer(inTurn(BROKEN, say(200, { back: true })));
    expect(await read()).toEqual({ back: true });
    server.answer(BROKEN);
    server.forget();
    await faultIn(read());
    expect(server.asked).toHaveLength(1);
  });

  test("one endpoint's trouble is not another's", async () => {
    server.answer(BROKEN);
    await Promise.all(Array.from({ length: RESERVE }, () => faultIn(read())));
    const other = await startCallServer();
    other.answer(inTurn(BROKEN, say(200)));
    expect(await json({ ...aws, endpoint: other.url }, "dynamodb", "GetItem", {})).toEqual({});
    await other.close();
  });
});

describe("connections", () => {
  const ofSecond = () => server.asked.slice(1).map(({ connection }) => connection);

  test("reads share one, one after the other", async () => {
    for (let n = 0; n < 5; n++) await read();
    expect(server.connections()).toBe(1);
  });

  test("what may not be repeated has one of its own", async () => {
    await read();
    await write();
    await read();
    expect(server.asked.map(({ connection }) => connection)).toEqual([1, 2, 1]);
  });

  test("one that died unnoticed costs no attempt", async () => {
    await read();
    server.answer((asked, ...rest) => (asked.connection === 1 ? reset : say(200, { back: true }))(asked, ...rest));
    for (const ask of [read, write]) expect(await ask({ attempts: 1 })).toEqual({ back: true });
    expect(ofSecond()).toEqual([1, 2, expect.any(Number)]);
    expect(calls.slice(1, 3).map(({ status, attempt }) => [status, attempt])).toEqual([
      [0, 1],
      [200, 1],
    ]);
  });

  test("a new one that dies does", async () => {
    await read();
    server.answer(reset);
    expect(await faultIn(read({ attempts: 1 }))).toMatchObject({ kind: "unknown" });
    expect(ofSecond()).toEqual([1, 2]);
  });
});

describe("the clock", () => {
  const REFUSED = "InvalidSignatureException";
  const dated = (date: Date) =>
    say(400, { __type: `x#${REFUSED}`, message: "Signature expired" }, { date: date.toUTCString() });
  const sentAt = () => server.asked.map(({ headers }) => Date.parse(iso(String(headers["x-amz-date"]))));
  const iso = (time: string) => time.replace(/^(....)(..)(..T..)(..)(..Z)$/, "$1-$2-$3:$4:$5");

  test("is set by the other side's, once, and stays so", async () => {
    const theirs = Date.now() + 3_600_000;
    server.answer(inTurn(dated(new Date(theirs)), say(200, { fine: true })));
    expect(await write({ attempts: 1 })).toEqual({ fine: true });
    await write();
    const [first = 0, second = 0, third = 0] = sentAt();
    expect(first).toBeLessThan(theirs - 3_000_000);
    for (const at of [second, third]) expect(Math.abs(at - theirs)).toBeLessThan(60_000);
    expect(sentAt()).toHaveLength(3);
  });

  test("is not to blame when it agrees", async () => {
    server.answer(dated(new Date(Date.now() + 60_000)));
    expect(await faultIn(read())).toMatchObject({ code: REFUSED, kind: "refused" });
    expect(server.asked).toHaveLength(1);
  });

  test("is not set by other failures, nor twice for one request", async () => {
    const far = new Date(Date.now() + 3_600_000).toUTCString();
    server.answer(say(400, { __type: "x#ValidationException" }, { date: far }));
    await faultIn(read());
    expect(server.asked).toHaveLength(1);
    server.forget();
    server.answer(inTurn(dated(new Date(Date.now() + 3_600_000)), dated(new Date(Date.now() - 3_600_000)), say(200)));
    expect(await faultIn(read())).toMatchObject({ code: REFUSED });
    expect(server.asked).toHaveLength(2);
  });
});
