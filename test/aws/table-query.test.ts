/** Ran against: moto's DynamoDB through the edge, which counts the calls. */
import { openTable } from "@muster/aws/table/table.ts";
import type { Range, Table, Write } from "@muster/core/ports/table.ts";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { digest, draft, drain, pages, sortKeys } from "../contract/table-subject.ts";
import { type Edge, startEdge } from "./support/edge.ts";
import { type Moto, startMoto } from "./support/moto.ts";
import { awsAt, makeTable } from "./table-support.ts";

let moto: Moto;
let edge: Edge;
let table: Table;
let now = 2_000_000_000_000;

beforeAll(async () => {
  moto = await startMoto();
  edge = await startEdge({ moto });
  await makeTable(moto.url, "muster");
  table = openTable({ aws: awsAt(edge.url), name: "muster", digest, now: () => now });
});
afterEach(() => edge.clear());
afterAll(async () => {
  await edge?.close();
  await moto?.close();
});

const queries = () => edge.log.filter(call => call.operation === "Query").map(call => JSON.parse(call.body));
const fill = (pk: string, count: number, data: object, expires: (n: number) => boolean = () => false) =>
  table.write(
    Array.from({ length: count }, (_, n): Write => {
      const sk = `N#${String(n).padStart(3, "0")}`;
      const more = { indexes: { list: { pk, sk } }, ...(expires(n) && { expiresAt: now + 1000 }) };
      return { put: draft({ pk, sk }, { ...data }, more), expect: "absent" };
    }),
  );
type Asked = Range & { readonly pk: string; readonly index?: "list" };
const ask = ({ index, ...query }: Asked) =>
  index === undefined ? table.query(query) : table.query({ ...query, index });
const bothWays = (pk: string) => [{ pk }, { pk, index: "list" } as const];

test("a page goes on where DynamoDB ends its own at 1 MB", async () => {
  await fill("large", 6, { text: "x".repeat(390_000) });
  for (const query of bothWays("large")) {
    edge.clear();
    expect((await ask(query)).items).toHaveLength(6);
    expect(queries().length).toBeGreaterThan(2);
    expect((await pages(table, { ...query, limit: 4 })).map(page => page.length)).toEqual([4, 2]);
  }
});

test("expired items take no place in a page, and do not end it", async () => {
  // The living ones stand at 0, 33, 66 and 99, with the dead between them.
  await fill("expired", 100, {}, n => n % 33 !== 0);
  now += 1000;
  for (const query of bothWays("expired"))
    for (const order of ["ascending", "descending"] as const) {
      edge.clear();
      const page = await ask({ ...query, order, limit: 2 });
      expect(sortKeys(page.items)).toEqual(order === "ascending" ? ["N#000", "N#033"] : ["N#099", "N#066"]);
      // Three items at first; then by the hundred, not by the three.
      expect(queries().map(input => input.Limit)).toEqual([3, 100]);
      expect(await drain(table, { ...query, order, limit: 3 })).toHaveLength(4);
    }
});

test("the last page says that it is the last, also when it is full", async () => {
  await fill("full", 6, {});
  for (const query of bothWays("full")) {
    edge.clear();
    expect((await pages(table, { ...query, limit: 3 })).map(page => page.length)).toEqual([3, 3]);
    expect(queries().map(input => input.Limit)).toEqual([4, 4]);
  }
});

test("ranges that hold nothing are not asked for", async () => {
  for (const range of [{ upTo: "" }, { prefix: "B", upTo: "A" }])
    for (const query of bothWays("nothing")) expect(await ask({ ...query, ...range })).toEqual({ items: [] });
  expect(queries()).toEqual([]);
});

test("base queries are strong, index queries cannot be; no reserved word stands in an expression", async () => {
  for (const query of bothWays("words")) await ask({ ...query, prefix: "A" });
  expect(queries().map(input => [input.ConsistentRead, input.IndexName])).toEqual([
    [true, undefined],
    [false, "list"],
  ]);
  for (const input of queries()) {
    const words = `${input.KeyConditionExpression} ${input.FilterExpression}`.match(/(?<![#:\w])[a-z_]+\b/gi);
    expect(new Set(words)).toEqual(new Set(["AND", "begins_with", "attribute_not_exists", "OR"]));
  }
});
