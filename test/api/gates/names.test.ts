/**
 * Ran against: every place where somebody gives something a name, in paths and in bodies, with names that are no names: other
 * alphabets, signs that do not show, signs that turn the line, parts of paths, reserved words, too long ones; the real
 * handlers over SQLite in memory, in process. Refused, or kept as they were sent, safely: within what keys of the table,
 * tags and names of machines may hold.
 */
import { beforeAll, expect, test } from "vitest";
import { BODIES } from "./decisions.ts";
import { type Ground, openGround } from "./fuzz.ts";
import { amiss, operations } from "./spec.ts";
import { type Ask, jsonOf, passFor } from "./stage.ts";
import { paramsOf } from "./tenancy-support.ts";

let ground: Ground;
let sent = 0;
const taken = new Set<string>();
beforeAll(async () => {
  ground = await openGround();
});

const of = (code: number): string => String.fromCodePoint(code);
const HIDDEN = [
  0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x202a, 0x202d, 0x202e, 0x2060, 0x2066, 0x2069, 0xfeff, 0x00ad, 0x034f,
  0x180e, 0xe0041,
];
const NAMES: readonly string[] = [
  ...[
    "café",
    "cafe\u0301",
    "ｆｕｌｌ",
    "ﬁne",
    "№1",
    "Å",
    "A\u030a",
    "Ω",
    "Ω",
    "ı",
    "İ",
    "ß",
    "ẞ",
    "pаypal",
    "gооgle",
    "ⅷ",
    "①",
  ],
  ...HIDDEN.flatMap(code => [`a${of(code)}b`, `${of(code)}ab`, `ab${of(code)}`]),
  ...["😀", "a😀", "👩‍👩‍👧‍👦", "𝒶", "\u{10ffff}", "\ufffd", "\ufffe", "\uffff", "漢字", "مرحبا", "שלום", "नमस्ते", "ไทย"],
  ...["\ud800", "a\udc00", "\udfff\ud800"],
  ...[
    ".",
    "..",
    "...",
    "./a",
    "../a",
    "a/..",
    "a/../b",
    "a//b",
    "/a",
    "a/",
    "\\a",
    "a\\..\\b",
    "~",
    "~root",
    "%2e%2e",
    "%2f",
    "%00",
    "%",
    "%zz",
    "%c0%af",
    "a%20b",
  ],
  ...[
    "CON",
    "nul",
    "com1.txt",
    "aux",
    "a:b",
    "a|b",
    "a*",
    "a?b",
    "a<b>",
    '"a"',
    "'a'",
    "`a`",
    "a;b",
    "a&b",
    "a&&b",
    "$(a)",
    "$a",
    "a\nb",
    "a\rb",
    "a\tb",
    "a b",
    " a",
    "a ",
    "\u0000",
    "a\u0000b",
    "\u0007",
    "\u001b[31m",
    "\u009b31m",
    "\u0085",
  ],
  ...[
    "#",
    "a#b",
    "W#acme",
    "W#other#C#1",
    "T#",
    "a=b",
    "a,b",
    "a+b",
    "a@b",
    "{a}",
    "{{a}}",
    "{% a %}",
    "<%= a %>",
    "{{ssm:a}}",
    "!!js/a",
    "---",
    "&a",
    "*a",
  ],
  ...[
    "aws:name",
    "AWS:x",
    "ssm:x",
    "arn:other:iam::1:role/a",
    "http://a",
    "javascript:a",
    "file:///etc/passwd",
    "clu_01ARZ3NDEKTSV4RRFFQ69G5FAV",
    "job_1",
    "tok_x",
    "hst_",
  ],
  ...[
    "constructor",
    "__proto__",
    "hasOwnProperty",
    "toString",
    "null",
    "undefined",
    "true",
    "NaN",
    "1e9",
    "-1",
    "0x1",
    "-",
    "_",
    "-a",
    "a-",
    "_a",
    "a_",
    ".a",
    "a.",
  ],
  ...[
    "",
    "a".repeat(62),
    "a".repeat(63),
    "a".repeat(64),
    "a".repeat(65),
    "a".repeat(80),
    "a".repeat(81),
    "a".repeat(255),
    "a".repeat(256),
    "a".repeat(1_024),
    "a".repeat(2_049),
    "é".repeat(32),
    "😀".repeat(16),
    "🄰".repeat(600),
  ],
];

interface Place {
  readonly id: string;
  readonly where: string;
  readonly ask: (name: string) => Pick<Ask, "params" | "body" | "query">;
}
const inBody = (id: string, where: string, body: (name: string) => object): Place => ({
  id,
  where,
  ask: name => ({ body: body(name) }),
});
const inPath = (id: string, where: string): Place => ({ id, where, ask: name => ({ params: { [where]: name } }) });
const task = (more: object) => ({ task: { run: "true", ...more }, cluster: "named" });

const PLACES: readonly Place[] = [
  inBody("clusters.create", "name", name => ({ name })),
  inBody("clusters.create", "groups", name => ({ groups: [{ name, nodes: 1 }] })),
  inBody("launches.create", "cluster", cluster => ({ task: { run: "true" }, cluster })),
  inBody("launches.create", "task.name", name => task({ name })),
  inBody("launches.create", "labels key", name => task({ labels: { [name]: "x" } })),
  inBody("launches.create", "labels value", name => task({ labels: { team: name } })),
  inBody("launches.create", "envs key", name => task({ envs: { [name]: "x" } })),
  inBody("launches.create", "secrets key", name => task({ secrets: { [name]: "x" } })),
  inBody("launches.plan", "target", target => ({ ...task({}), target })),
  inBody("jobGroups.create", "name", name => ({ ...BODIES["jobGroups.create"], name })),
  inBody("images.save", "name", name => ({ cluster: "ac-still", name })),
  inBody("tokens.create", "actor", actor => ({ actor, role: "ci" })),
  inBody("budgets.set", "user", user => ({ user, hourly: 5 })),
  ...["targets.set", "pools.set", "schedules.set", "secrets.set", "targets.get", "pools.get", "schedules.remove"].map(
    id => inPath(id, "name"),
  ),
  inPath("clusters.get", "cluster"),
  inPath("clusters.stop", "cluster"),
  inPath("jobs.get", "job"),
  inPath("jobs.logs", "job"),
  inPath("images.get", "image"),
  { id: "jobs.list", where: "owner", ask: name => ({ query: `owner=${encodeURIComponent(name.toWellFormed())}` }) },
  { id: "budgets.get", where: "user", ask: name => ({ query: `user=${encodeURIComponent(name.toWellFormed())}` }) },
];

/** Bytes of DynamoDB's keys, at most. */
const LONGEST = { pk: 2_048, sk: 1_024 };

/** Every key that was written is one that the table takes, and its parts are those that it should have. */
function expectStorable(from: number): void {
  for (const change of ground.stage.world.changes.slice(from)) {
    const keys = "item" in change ? [change.item, ...Object.values(change.item.indexes ?? {})] : [change.removed];
    for (const { pk, sk } of keys) {
      expect([pk.isWellFormed(), sk.isWellFormed()]).toEqual([true, true]);
      expect(Buffer.byteLength(pk)).toBeLessThanOrEqual(LONGEST.pk);
      expect(Buffer.byteLength(sk)).toBeLessThanOrEqual(LONGEST.sk);
      expect(pk).not.toContain("elsewhere");
    }
  }
}

/** What a name of the system's own may look like: safe in a path, a tag, a host name and a shell. */
const SAFE = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/;
/** Texts that are only shown and compared: who somebody is to the other program, and what a label says. */
const FREE = ["labels value", "user", "labels key", "envs key", "secrets key"];

/** What was taken is a name that is safe, and the one that was sent. */
function expectKept(where: string, name: string, shown: unknown): void {
  taken.add(where);
  if (!FREE.includes(where))
    expect([where, name, SAFE.test(name) || /^[A-Za-z_]\w*$/.test(name)]).toEqual([where, name, true]);
  if (where === "name" && shown !== undefined) expect(shown).toBe(name);
}

test.each(PLACES.map(place => [place.id, place.where, place] as const))("%s %s", async (id, where, place) => {
  const operation = operations.find(one => one.id === id);
  if (operation === undefined) throw new Error(`there is no ${id}`);
  const { stage, held, hidden } = ground;
  for (const name of NAMES) {
    const asked = place.ask(name);
    const params = { ...paramsOf(operation, held), ...asked.params };
    const body = asked.body ?? (operation.body && BODIES[id]);
    const from = stage.world.changes.length;
    const lines = stage.logged.length;
    const answer = await stage.send(id, {
      ...passFor(held.passes, id),
      ...asked,
      params,
      ...(body !== undefined && { body }),
    });
    expect([id, name, amiss(operation, answer, hidden)]).toEqual([id, name, undefined]);
    expect(stage.logged.length, name).toBe(lines);
    expectStorable(from);
    if (operation.route.method !== "GET" && id !== "launches.plan" && answer.statusCode < 300)
      expectKept(where, name, jsonOf(answer).name);
    sent++;
  }
});

test("so many were sent, and names that are names were taken", () => {
  expect(new Set(NAMES).size).toBeGreaterThanOrEqual(180);
  expect(sent).toBeGreaterThanOrEqual(4_000);
  expect(taken.size).toBeGreaterThanOrEqual(6);
});
