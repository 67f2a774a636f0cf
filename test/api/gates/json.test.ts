/**
 * Ran against: routes that take a body, one that only authenticates, and hosts' own, with JSON that is deep, wide, double,
 * poisoned or none at all, in encodings that are not said or not true. The real handlers over SQLite in memory, in
 * process. What is refused is refused as such, and what is taken leaves no trace beside what its schema knows.
 */
import { MAX_BODY } from "@muster/api/http.ts";
import { beforeAll, expect, test } from "vitest";
import { BODIES } from "./decisions.ts";
import { type Ground, openGround } from "./fuzz.ts";
import { amiss, operations } from "./spec.ts";
import { type Ask, jsonOf, passFor } from "./stage.ts";
import { paramsOf } from "./tenancy-support.ts";

let ground: Ground;
let sent = 0;
beforeAll(async () => {
  ground = await openGround();
});

const ROUTES = [
  "launches.create",
  "clusters.create",
  "tokens.create",
  "secrets.set",
  "agent.poll",
  "agent.enroll",
  "uploads.create",
];

const nested = (open: string, inner: string, close: string, depth: number) =>
  open.repeat(depth) + inner + close.repeat(depth);
const bytes = (...all: number[]) => Buffer.from(all);
const json = (value: unknown) => JSON.stringify(value);

interface Abuse {
  readonly name: string;
  /** Instead of the body; of a good one, it makes a bad one. */
  readonly text: (good: string) => string | Buffer;
  readonly headers?: Ask["headers"];
  readonly base64?: boolean;
  /** What the refusal says. */
  readonly says?: string;
  /** Codes of which one must come; absent: it may be taken, and means what it says. */
  readonly codes?: readonly string[];
}

const INVALID = ["invalid_request"];
const within = (good: string, more: string): string => `${good.slice(0, -1)}${good === "{}" ? "" : ","}${more}}`;
const made = (name: string, text: Abuse["text"], more: Partial<Abuse> = {}): Abuse => ({
  name,
  text,
  codes: INVALID,
  ...more,
});

const DEPTHS = [10, 31, 32, 33, 100, 1_000, 10_000, 100_000, 170_000];
/** Told by the depth alone, and not by what stands there. */
const tooDeep = (depth: number) => (depth > 32 ? { says: "nested more than 32 levels deep" } : {});
const deep = DEPTHS.flatMap(depth => [
  // The body is a level of its own.
  made(`${depth} lists deep`, good => within(good, `"x":${nested("[", "", "]", depth)}`), tooDeep(depth + 1)),
  made(`${depth} objects deep`, good => within(good, `"x":${nested('{"a":', "1", "}", depth)}`), tooDeep(depth + 1)),
  made(`${depth} open lists`, () => "[".repeat(depth), tooDeep(depth)),
]);

const wide = [
  made("100,000 keys", good => within(good, Array.from({ length: 70_000 }, (_, at) => `"k${at}":1`).join(","))),
  made("100,000 numbers", good => within(good, `"x":[${"1,".repeat(100_000)}1]`)),
  made("a key of 500 KB", good => within(good, `"${"k".repeat(500_000)}":1`)),
];

const NAMES = [
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "then",
  "toJSON",
  "valueOf",
  "length",
];
const poisoned = NAMES.flatMap(name => [
  made(`${name} as a key`, good => within(good, `"${name}":{"admin":true}`)),
  made(`${name} as a list`, good => within(good, `"${name}":[]`)),
]);

const VALUES = [
  "1e309",
  "-1e309",
  "-0",
  "9007199254740993",
  "1e-400",
  "0.1e1",
  "null",
  "true",
  "[]",
  '""',
  '"\\u0000"',
  '"\\ud800"',
  '"\\udc00\\ud800"',
  "1E+2",
  '"\\u202e"',
];
const odd = VALUES.flatMap(value => [
  made(`${value} alone`, () => value),
  made(`${value} under a name that is not there`, good => within(good, `"unknown":${value}`)),
]);

const broken = [
  ["nothing but space", "   "],
  ["a comma too many", '{"a":1,}'],
  ["single quotes", "{'a':1}"],
  ["a comment", '{/* */"a":1}'],
  ["NaN", '{"a":NaN}'],
  ["two values", "{}{}"],
  ["half a value", '{"a":'],
  ["a bare word", "undefined"],
  ["hex", '{"a":0x10}'],
  ["a leading zero", '{"a":01}'],
  ["a tab in a text", '{"a":"\t"}'],
  ["a raw NUL", '{"a":"\u0000"}'],
  ["a byte order mark", `\ufeff{}`],
  ["an escape that is none", '{"a":"\\x41"}'],
].map(([name = "", text = ""]) => made(name, () => text));

const encoded: Abuse[] = [
  made("bytes that are no UTF-8", () => bytes(0x7b, 0xff, 0xfe, 0x7d), { base64: true }),
  made("an overlong slash", () => bytes(0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x7d), { base64: true }),
  made("UTF-16", good => Buffer.from(good, "utf16le"), { base64: true }),
  made("UTF-16 with its mark", good => Buffer.from(`\ufeff${good}`, "utf16le"), { base64: true }),
  made("a mark and UTF-8", good => Buffer.concat([bytes(0xef, 0xbb, 0xbf), Buffer.from(good)]), { base64: true }),
  made("a half of a pair in UTF-8", () => bytes(0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x7d), { base64: true }),
  made("base64 that is not said to be", good => Buffer.from(good).toString("base64")),
  made("said to be base64, and is not", () => "{}", { base64: true }),
  ...[
    "text/plain",
    "",
    "application/json; charset=utf-16",
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/json",
    "application/jsonp",
    "application/json, text/plain",
    "application/json; charset=utf-8; x",
  ].map(type => made(`content-type ${type}`, good => good, { headers: { "content-type": type } })),
  ...["gzip", "br", "deflate", "identity, gzip", "zstd"].map(coding =>
    made(`content-encoding ${coding}`, good => good, {
      headers: { "content-type": "application/json", "content-encoding": coding },
    }),
  ),
  made("no content-type", good => good, { headers: { "content-type": undefined } }),
  made("more than a body may have", () => `"${"a".repeat(MAX_BODY)}"`, { codes: ["too_large"] }),
  made("5.9 MB", () => json("a".repeat(5_900_000)), { codes: ["too_large"] }),
  made("5.9 MB in base64", () => Buffer.alloc(4_400_000, "a"), { base64: true, codes: ["too_large"] }),
  made("1 MB of characters of three bytes", () => json("€".repeat(400_000)), { codes: ["too_large"] }),
  made("all that a body may have", good => within(good, `"x":"${"a".repeat(MAX_BODY - good.length - 8)}"`)),
];

/** A second value of the same key is the one that counts, as JSON.parse has it: it must then be right itself. */
const twice: Abuse[] = Object.entries({
  name: "1",
  role: "[]",
  actor: "{}",
  value: "null",
  task: "[]",
  attempts: "1",
}).map(([key, value]) => made(`${key} twice`, good => within(good, `"${key}":${value}`)));

const all = [...deep, ...wide, ...poisoned, ...odd, ...broken, ...encoded, ...twice];

test.each(ROUTES)("%s", async id => {
  const operation = operations.find(one => one.id === id);
  if (operation === undefined) throw new Error(`there is no ${id}`);
  const { stage, held, hidden } = ground;
  const good = json(BODIES[id]);
  const base = { ...passFor(held.passes, id), params: paramsOf(operation, held) };
  for (const { name, text, headers, base64 = false, codes, says = "" } of all) {
    const sending = text(good);
    const raw = typeof sending === "string" ? sending : sending.toString("base64");
    const [changes, lines] = [stage.world.changes.length, stage.logged.length];
    const from = process.cpuUsage();
    const answer = await stage.send(id, { ...base, raw, isBase64Encoded: base64, ...(headers && { headers }) });
    const { user, system } = process.cpuUsage(from);
    expect([id, name, amiss(operation, answer, hidden)]).toEqual([id, name, undefined]);
    expect([id, name, codes?.includes(jsonOf(answer).code)], answer.body.slice(0, 300)).toEqual([id, name, true]);
    expect(answer.body).toContain(says);
    expect([stage.world.changes.length, stage.logged.length], name).toEqual([changes, lines]);
    // Far from what a bomb would take, and from what a busy machine adds.
    expect((user + system) / 1_000, `ms for ${name}`).toBeLessThan(1_000);
    expect(answer.body.length).toBeLessThan(60_000);
    expect(Object.keys(Object.prototype)).toEqual([]);
    expect(({} as { admin?: unknown }).admin).toBeUndefined();
    sent++;
  }
});

test("so many were sent", () => {
  expect(all.length).toBeGreaterThanOrEqual(100);
  expect(sent).toBeGreaterThanOrEqual(700);
});
