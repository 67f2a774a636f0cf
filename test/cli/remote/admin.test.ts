/**
 * Tokens, budgets, prices, plans and health: the command line as a process, against real handlers over a real table, with
 * a provider of the test's own to look at.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { answer } from "@muster/api/http.ts";
import { grant } from "@muster/core/token/create.ts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type InProcess, openPlane } from "../../support/plane.ts";
import { type Door, openDoor } from "../support/door.ts";
import { EXAMPLES, Home } from "../support/muster.ts";
import { shop } from "../support/shop.ts";

vi.setConfig({ testTimeout: 60_000 });

let plane: InProcess;
let door: Door;
let admin: Home;
let member: Home;
beforeAll(async () => {
  plane = await openPlane();
  door = await openDoor({ ...plane.plane.world, providers: new Map([["shop", shop]]) });
  const { token } = await grant(plane.plane.world, { workspace: "local", actor: "usr_bob", role: "member" });
  [admin, member] = [new Home(), new Home()];
  await admin.login(door.url, plane.token, "--name", "prod");
  await member.login(door.url, token, "--name", "prod");
});
afterAll(async () => {
  for (const one of [admin, member, door]) await one[Symbol.asyncDispose]();
  await plane.close();
});

describe("tokens", () => {
  test("a token is told once, alone on stdout, and lets its owner in until it is revoked", async () => {
    const made = await admin.run("tokens", "create", "eve", "--role", "viewer", "--days", "30");
    expect(made.out).toMatch(/^mst_tok_\w{26}_[0-9a-f]{64}\n$/);
    expect(made.err).toMatch(/^Token tok_\w{26} for eve, viewer, until \d{4}-\d\d-\d\d\. Nobody can show it again\.\n/);
    await using eve = new Home();
    expect((await eve.login(door.url, made.out)).out).toContain("as eve (viewer of workspace local)");
    const [, id = ""] = /(tok_\w{26})_/.exec(made.out) ?? [];
    const listed = await admin.run("tokens", "list");
    expect(listed.out).toMatch(
      new RegExp(
        `TOKEN +FOR +ROLE +AGE +EXPIRES +LAST USED +MADE BY +ORIGIN\n${id} +eve +viewer +\\d+s +\\d{4}-\\d\\d-\\d\\d +\\d{4}-\\d\\d-\\d\\d +usr_ada +-`,
      ),
    );
    expect(listed.out).not.toContain(made.out.slice(-20).trim());
    expect((await admin.run("tokens", "revoke", id)).out).toBe(`Revoked ${id} of eve.\n`);
    expect((await eve.run("whoami")).code).toBe(121);
    expect((await admin.run("tokens", "revoke", id)).code).toBe(122);
  });

  test.each([
    ["an unknown role", ["create", "x", "--role", "king"], 120, "admin, member, viewer, ci"],
    ["no days", ["create", "x", "--days", "0"], 120, "3650 at most"],
    ["a name that is none", ["create", "a b"], 120, "use letters"],
    ["what is no id", ["revoke", "eve"], 120, "tok_01J"],
  ])("%s is refused", async (_, args, exit, told) => {
    const { code, err } = await admin.run("tokens", ...args);
    expect([code, err]).toEqual([exit, expect.stringContaining(told)]);
  });

  test("a member makes none", async () => {
    const { code, out, err } = await member.run("tokens", "create", "eve");
    expect([code, out, err]).toEqual([121, "", expect.stringContaining("use a token with the role admin")]);
  });
});

describe("budget", () => {
  test("it is shown to everybody, and set by admins", async () => {
    expect((await admin.run("budget", "--hourly", "$12.50")).out).toEqual(
      expect.stringMatching(/^per hour +\$12\.50 +\$0\.00 +\$12\.50$/m),
    );
    expect(await member.json("budget")).toMatchObject({
      hourly: { ceiling: 12.5, taken: 0, left: 12.5 },
      monthly: { ceiling: 1000, spent: 0, left: 1000 },
      each: 10,
    });
    expect((await admin.run("budget", "--user", "usr_ben", "--hourly", "3")).out).toMatch(/^per hour +\$3\.00/m);
    expect((await admin.run("budget", "--hourly", "none")).out).toMatch(/^per hour +- /m);
    expect((await member.run("budget", "--hourly", "99")).code).toBe(121);
    expect((await admin.run("budget", "--hourly", "-1")).err).toContain("Write US dollars");
  });
});

describe("catalog", () => {
  test("accelerators first; all on demand; by a part of a name", async () => {
    const { out } = await member.run("catalog");
    expect(out.split("\n").map(line => line.split(/ {2,}/))).toEqual([
      ["ACCELERATORS", "GIB EACH", "TYPE", "VCPUS", "GIB", "ON DEMAND", "SPOT", "WHERE", "ZONES"],
      ["L40S×1", "48", "g9.large", "8", "32", "$1.86/h", "$0.61/h", "shop eu-central-1", "2"],
      ["B300×8", "-", "x9.secret", "96", "2048", "-", "-", "shop eu-central-1", "-"],
      [""],
    ]);
    expect((await member.run("catalog", "--all")).out).toMatch(/^- .*m9\.tiny .*\$0\.0416\/h/m);
    expect(await member.json("catalog", "l40")).toMatchObject([{ instanceType: "g9.large", spotHourly: 0.61 }]);
    expect((await member.run("catalog", "Z80")).out).toBe(
      "No machine has a 'Z80'. Those that there are: muster catalog\n",
    );
    expect((await member.run("catalog", "--provider", "moon")).err).toContain("it has: shop");
  });
});

describe("a dry run", () => {
  const hello = join(EXAMPLES, "hello.yaml");

  test("offers with their prices, what is barred, and how long it would live", async () => {
    const { code, out, err } = await member.run(
      ...["launch", hello, "--num_nodes", "2", "--max-lifetime", "90m", "--max-hourly", "3", "--dry-run"],
    );
    expect(code).toBe(0);
    expect(err).toMatch(/idle +terminates after 30 minutes without a job\n +lifetime +ends after 1 h 30 min/);
    expect(out.split("\n").map(line => line.split(/ {2,}/))).toEqual([
      ["", "TYPE", "WHERE", "CPUS", "GIB", "ACCELERATORS", "MARKET", "PER HOST", "IN ALL"],
      ["1", "g9.large", "shop eu-central-1a", "8", "32", "1 × L40S", "spot", "$0.61/h", "$1.22/h"],
      ["2", "g9.large", "shop eu-central-1b", "8", "32", "1 × L40S", "on demand", "$1.86/h", "$3.72/h"],
      ["barred", "g9.huge on demand: Running On-Demand G instances: 8 of 8 vCPUs are in use"],
      ["", "ask for it: https://console.example.com/quotas/L-1"],
      [""],
    ]);
  });

  test("what the options say of machines is what is asked for", async () => {
    const asked: unknown[] = [];
    const before = async (event: Parameters<NonNullable<Parameters<typeof openDoor>[1]>["before"] & object>[0]) => {
      if (event.routeKey === "POST /v1/launches/plan") asked.push(JSON.parse(event.body ?? ""));
      return event;
    };
    await using other = await openDoor({ ...plane.plane.world, providers: new Map([["shop", shop]]) }, { before });
    await using home = new Home();
    await home.login(other.url, plane.token);
    const options = ["--max-lifetime", "2d", "--max-hourly", "2.5", "--reservation", "cr-1", "--spot-fallback"];
    expect((await home.run("launch", hello, ...options, "--dry-run")).code).toBe(0);
    expect((await home.run("up", "-c", "x", ...options, "--dry-run")).code).toBe(0);
    const resources = { maxHourly: 2.5, reservation: "cr-1", spotFallback: true };
    const wanted = { maxLifetime: 2880, task: { resources } };
    expect(asked).toMatchObject([wanted, wanted]);
  });

  test("a table for each group, and a price for all of them", async () => {
    const file = join(EXAMPLES, "groups.yaml");
    const { out, err } = await member.run("launch", file, "--groups.1.resources.cloud", "shop", "--dry-run");
    const lines = err.split("\n").map(line => line.trim().split(/ {2,}/));
    expect(lines).toContainEqual([
      "group",
      "head: 1 × g9.large (8 cpus, 32 GiB, 1 × L40S), shop eu-central-1a, $0.61/h, spot, takes no jobs",
    ]);
    expect(lines).toContainEqual(["price", "$1.83/h in all"]);
    const offer = ["g9.large", "shop eu-central-1a", "8", "32", "1 × L40S", "spot", "$0.61/h"];
    const table = out.split("\n").map(line => line.split(/ {2,}/));
    expect(table[0]).toEqual(["head", "1 host, takes no jobs"]);
    expect(table[2]).toEqual(["1", ...offer, "$0.61/h"]);
    expect(table[4]?.[0]).toBe("barred");
    expect(table.slice(6, 10)).toEqual([[""], ["workers", "2 hosts"], expect.any(Array), ["1", ...offer, "$1.22/h"]]);
  });

  test("what the options say of machines is said of each group that it can be said of", async () => {
    const asked: unknown[] = [];
    const before = async (event: Parameters<NonNullable<Parameters<typeof openDoor>[1]>["before"] & object>[0]) => {
      if (event.routeKey === "POST /v1/launches/plan") asked.push(JSON.parse(event.body ?? ""));
      return event;
    };
    await using other = await openDoor({ ...plane.plane.world, providers: new Map([["shop", shop]]) }, { before });
    await using home = new Home();
    await home.login(other.url, plane.token);
    const file = [join(EXAMPLES, "groups.yaml"), "--groups.1.resources.use_spot", "true"];
    const options = ["--max-hourly", "2.5", "--spot-fallback", "--dry-run"];
    expect((await home.run("launch", ...file, ...options)).code).toBe(0);
    expect((await home.run("up", ...file, ...options)).code).toBe(0);
    const groups = [
      { name: "head", resources: { cpus: { count: 1, atLeast: true }, maxHourly: 2.5 } },
      {
        name: "workers",
        resources: { cpus: { count: 1, atLeast: true }, spot: true, maxHourly: 2.5, spotFallback: true },
      },
    ];
    const wanted = { task: { resources: {}, nodes: 2 }, groups };
    expect(asked).toMatchObject([wanted, wanted]);
    expect(JSON.stringify(asked)).not.toMatch(/"head"[^}]*\}[^}]*spotFallback/);
  });

  test.each([
    ["--max-lifetime", "30s", "Write a minute or more"],
    ["--max-lifetime", "soon", "Write seconds, or a number with s, m, h or d."],
    ["--max-hourly", "0", "Write US dollars"],
  ])("%s %s is refused", async (option, value, told) => {
    const { code, err } = await member.run("launch", hello, option, value, "--dry-run");
    expect([code, err]).toEqual([120, expect.stringContaining(told)]);
  });

  test("a job on a cluster that is not there", async () => {
    expect((await member.run("run", hello, "-c", "unborn", "--dry-run")).code).toBe(122);
  });
});

describe("doctor", () => {
  interface Report {
    readonly ok: boolean;
    readonly checks: readonly {
      readonly where: string;
      readonly name: string;
      readonly ok: boolean;
      readonly fix?: string;
    }[];
  }
  const wrong = ({ checks }: Report) => checks.filter(one => !one.ok).map(({ name }) => name);

  test("from here to the providers, with what to do", async () => {
    const { code, out, err } = await member.run("doctor");
    expect(code).toBe(125);
    const lines = out.split("\n");
    expect(lines.slice(1, 6).map(line => line.split(/ {2,}/).slice(0, 3))).toEqual(
      ["configuration", "endpoint", "version", "clock", "token"].map(name => ["✓", "here", name]),
    );
    expect(lines[5]).toContain("usr_bob, member of workspace local");
    expect(lines[6]).toMatch(/^✓ +shop +catalog +made 12 minutes ago$/);
    expect(lines.slice(7, 9).join("\n")).toMatch(
      /^✗ +shop +default VPC +eu-central-1 has none\n +aws ec2 create-default-vpc$/,
    );
    expect(err).toContain("1 of 7 is not in order.");
  });

  test("where nothing was named it looks at this machine's own, and all is well", async () => {
    await using home = new Home();
    const report = await home.json<Report>("doctor");
    expect([report.ok, wrong(report)]).toEqual([true, []]);
    expect(report.checks.at(-1)).toMatchObject({ where: "local", name: "this machine" });
    expect((await home.run("doctor")).code).toBe(0);
  });

  test("a configuration that makes no sense, nobody at the endpoint, and no token", async () => {
    await using home = new Home();
    await home.login(door.url, plane.token, "--name", "prod");
    const gone = await home.json<Report>("doctor", "--endpoint", "http://127.0.0.1:1");
    expect(wrong(gone)).toEqual(["endpoint"]);
    expect(wrong(await home.json<Report>("doctor", "--endpoint", plane.url))).toEqual(["token"]);
    writeFileSync(home.config, "{");
    expect(wrong(await home.json<Report>("doctor"))).toEqual(["configuration", "endpoint"]);
  });

  test("a clock that is off and a version that is far are told apart from the rest", async () => {
    const health = (version: string, date: number) =>
      answer(200, { ok: true, version }, { date: new Date(date).toUTCString() });
    const given = { version: "0.7.0", ahead: 0 };
    await using other = await openDoor(plane.plane.world, {
      before: async event =>
        event.routeKey === "GET /v1/health" ? health(given.version, Date.now() + given.ahead) : event,
    });
    await using home = new Home();
    await home.login(other.url, plane.token);
    expect(wrong(await home.json<Report>("doctor"))).toEqual(["version"]);
    Object.assign(given, { version: "0.2.0", ahead: 300_000 });
    const { out } = await home.run("doctor");
    expect(out).toMatch(
      /✗ +here +clock +this machine's is (4 min 5\d|5 min \d) s behind the control plane's\n +set it/,
    );
    expect(out).toMatch(/✓ +here +version +the control plane's is 0\.2\.0, this program's 0\.1\.0\n/);
  });
});
