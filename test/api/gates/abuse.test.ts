/**
 * Ran against: the real handlers over SQLite in memory, in process, asked for far more than anybody needs: numbers beyond any
 * machine, lists without end, and many requests at once for the last place that a quota or a budget has left.
 */
import { describe, expect, test } from "vitest";
import { type Ask, jsonOf, openStage, type Stage } from "./stage.ts";

interface Opened {
  readonly stage: Stage;
  readonly token: string;
  send(id: string, ask: Ask): ReturnType<Stage["send"]>;
}

async function open(): Promise<Opened> {
  const stage = openStage();
  const token = await stage.token("acme", "admin");
  return { stage, token, send: (id, ask) => stage.send(id, { token, ...ask }) };
}

const task = (more: object) => ({ task: { run: "true", ...more } });
const many = <T>(count: number, make: (at: number) => T): T[] => Array.from({ length: count }, (_, at) => make(at));
const map = (count: number, value: unknown) => Object.fromEntries(many(count, at => [`K${at}`, value]));
const launch = (more: object) => ["launches.create", { body: { ...task({}), ...more } }] as const;
const ran = (more: object) => ["launches.create", { body: task(more) }] as const;

const YEAR = 366 * 86_400;
/** What no schema lets pass. */
const BEYOND: readonly (readonly [id: string, ask: Ask])[] = [
  ...[0, -1, 1_025, 10_000, 1e9, 1.5, "many", null].map(
    nodes => ["clusters.create", { body: { name: "a", nodes } }] as const,
  ),
  ...[0, -1, 1_025, 1e9, 2.5].map(nodes => ran({ nodes })),
  ...[0, -5, 1e9, 1.5].map(count => ran({ runs: { count } })),
  ...[0, -1, YEAR, 1e12, 0.5].map(timeout => ran({ timeout })),
  ...[0, -1, YEAR].map(queueTimeout => ran({ queueTimeout })),
  ...[-1, 1_001, 1e9, 0.5].map(priority => launch({ priority })),
  ...[-1, 0, 1e12].map(maxLifetime => launch({ maxLifetime })),
  ...[-1, 0, 1e9].map(maxConcurrentJobs => launch({ maxConcurrentJobs })),
  ...[-1, 1e9].map(after => launch({ idle: { after, action: "stop" } })),
  ran({ envs: map(5_000, "x") }),
  ran({ secrets: map(5_000, "x") }),
  ran({ secrets: { A: "x".repeat(40_000) } }),
  ran({ labels: map(9, "x") }),
  ran({ mounts: many(201, at => ({ kind: "file", path: `/m${at}`, upload: "0".repeat(64) })) }),
  ran({ packages: many(101, () => ({ method: "pip", source: "x" })) }),
  ran({ outputs: many(21, at => `/o${at}`) }),
  ran({ services: many(11, at => ({ name: `s${at}`, run: "true", port: 80 })) }),
  ran({ storedSecrets: many(101, at => `S${at}`) }),
  ran({ run: "x".repeat(200_001) }),
  ran({ envs: map(100, "x".repeat(5_000)) }),
  ran({ retry: { on: {}, max: 1e9 } }),
  ran({ resources: { cpus: -1 } }),
  ran({ resources: { memory: 1e300 } }),
  ran({ resources: { disk: -10 } }),
  ran({ resources: { maxPrice: -1 } }),
  ran({ resources: { ports: many(2_000, at => String(at + 1)) } }),
  launch({ after: many(21, () => ({ job: `job_${"0".repeat(26)}` })) }),
  launch({ groups: many(100, at => ({ name: `g${at}`, nodes: 1 })) }),
  ["clusters.exec", { params: { cluster: "a" }, body: { commands: many(10_000, () => "true") } }],
  ["clusters.hold", { params: { cluster: "a" }, body: { seconds: 1e12 } }],
  ["clusters.hold", { params: { cluster: "a" }, body: { seconds: -1 } }],
  ["uploads.create", { body: { items: many(201, () => ({ sha256: "0".repeat(64), size: 1 })) } }],
  ["uploads.create", { body: { items: [{ sha256: "0".repeat(64), size: 1e13 }] } }],
  ["uploads.create", { body: { items: [{ sha256: "0".repeat(64), size: -1 }] } }],
  ["uploads.create", { body: { items: [] } }],
  ...[-1, 0, 1e9, 3_651].map(days => ["tokens.create", { body: { actor: "a", days } }] as const),
  ...["hourly", "monthly", "each"].flatMap(field =>
    [-1, "all", 1e300].map(value => ["budgets.set", { body: { [field]: value } }] as const),
  ),
  ...["clusters", "hosts", "gpus", "secrets"].flatMap(field =>
    [-1, 1.5, 1e12, "x"].map(value => ["quotas.set", { body: { [field]: value } }] as const),
  ),
  ...[-1, 1e9, 0.5].map(
    size => ["pools.set", { params: { name: "p" }, body: { size, launch: { task: { setup: "true" } } } }] as const,
  ),
  [
    "pools.set",
    {
      params: { name: "p" },
      body: {
        size: 1,
        sizes: many(1_000, () => ({ cron: "@daily", timeZone: "UTC", size: 1 })),
        launch: { task: { setup: "true" } },
      },
    },
  ],
  ...["* * * * * *", "@every 1s", "61 * * * *", "x", "", "* ".repeat(1_000)].map(
    cron => ["schedules.set", { params: { name: "s" }, body: { cron, timeZone: "UTC", launch: task({}) } }] as const,
  ),
  ...["0", "-1", "101", "1e9", "x", ""].map(limit => ["jobs.list", { query: `limit=${limit}` }] as const),
  ["jobs.list", { query: "limit=1&limit=2" }],
  ["jobs.list", { query: `state=${"x".repeat(600)}` }],
  ["jobs.list", { query: many(10_000, at => `a${at}=1`).join("&") }],
  ["clusters.list", { query: "cursor=".padEnd(4_000, "x") }],
  ["secrets.set", { params: { name: "A" }, body: { value: "x".repeat(100_000) } }],
  ["secrets.set", { params: { name: "A".repeat(300) }, body: { value: "x" } }],
];

test(`${BEYOND.length} requests for more than there is are refused, and cost nothing`, async () => {
  const { stage, send } = await open();
  await send("tokens.whoami", {});
  const before = stage.world.changes.length;
  const took: [string, number][] = [];
  for (const [id, ask] of BEYOND) {
    const from = process.cpuUsage();
    const answer = await send(id, ask);
    took.push([id, process.cpuUsage(from).user / 1_000]);
    expect([id, JSON.stringify(ask).slice(0, 200), jsonOf(answer).code]).toEqual([
      id,
      JSON.stringify(ask).slice(0, 200),
      "invalid_request",
    ]);
    expect(answer.body.length).toBeLessThan(60_000);
  }
  expect(BEYOND.length).toBeGreaterThanOrEqual(90);
  expect(stage.world.changes.length).toBe(before);
  expect(stage.logged).toEqual([]);
  expect(took.filter(([, ms]) => ms > 500)).toEqual([]);
});

/** Quotas of what is set up by name: limit, and what one more is. */
const SETS: Readonly<Record<string, readonly [id: string, ask: (name: string) => Ask]>> = {
  secrets: ["secrets.set", name => ({ params: { name: name.toUpperCase() }, body: { value: "x" } })],
  targets: ["targets.set", name => ({ params: { name }, body: { provider: "fake" } })],
  schedules: [
    "schedules.set",
    name => ({ params: { name }, body: { cron: "@daily", timeZone: "UTC", launch: task({}) } }),
  ],
  pools: ["pools.set", name => ({ params: { name }, body: { size: 0, launch: { task: { setup: "true" } } } })],
  hooks: [
    "hooks.create",
    name => ({ body: { name, hook: { forge: "github", rules: [{ events: ["push"], launch: task({}) }] } } }),
  ],
  webhooks: ["webhooks.create", name => ({ body: { name, webhook: { url: "https://example.com", events: ["*"] } } })],
  clusters: ["clusters.create", name => ({ body: { name } })],
  hosts: ["clusters.create", name => ({ body: { name } })],
};

describe.each(Object.entries(SETS))("the quota of %s", (quota, [id, ask]) => {
  test.each([0, 1, 3])("is %i, also for sixteen at once", async limit => {
    const { send } = await open();
    expect((await send("quotas.set", { body: { [quota]: limit } })).statusCode).toBe(200);
    const answers = await Promise.all(many(16, at => send(id, ask(`n${at}`))));
    const codes = Object.groupBy(answers, ({ statusCode, body }) =>
      statusCode < 300 ? "made" : String(JSON.parse(body).code),
    );
    // Busy ones were told to come again: they took nothing.
    expect([codes.made?.length ?? 0, (codes.quota_exceeded?.length ?? 0) + (codes.busy?.length ?? 0)]).toEqual([
      limit,
      16 - limit,
    ]);
    // However often it is asked for again.
    for (const at of [100, 101, 102]) expect(jsonOf(await send(id, ask(`n${at}`))).code).toBe("quota_exceeded");
  });
});

describe("a budget", () => {
  // A machine of the double costs 0.1 an hour.
  test.each([
    [0, 0],
    [0.1, 1],
    [0.25, 2],
    [0.5, 5],
  ])("of %f an hour lets %i machines be, of sixteen asked for at once", async (hourly, most) => {
    const { send } = await open();
    await send("budgets.set", { body: { hourly } });
    const answers = await Promise.all(
      many(16, at => send("launches.create", { body: { ...task({}), cluster: `n${at}` } })),
    );
    const made = answers.filter(({ statusCode }) => statusCode < 300).length;
    expect(made).toBe(most);
    expect(
      new Set(answers.map(({ statusCode, body }) => (statusCode < 300 ? "made" : JSON.parse(body).code))),
    ).not.toContain("internal");
    const { hourly: told } = jsonOf(await send("budgets.get", {}));
    expect(told.taken).toBeCloseTo(most * 0.1, 6);
    expect(jsonOf(await send("clusters.create", { body: { name: "one-more" } })).code).toBe(
      most * 0.1 + 0.1 > hourly + 1e-9 ? "over_budget" : undefined,
    );
  });
});

test("a frozen workspace begins nothing, whatever is asked at once", async () => {
  const { send } = await open();
  await send("freeze.set", { body: {} });
  const answers = await Promise.all(
    many(16, at => send("launches.create", { body: { ...task({}), cluster: `n${at}` } })),
  );
  expect(new Set(answers.map(answer => jsonOf(answer).code))).toEqual(new Set(["frozen"]));
});
