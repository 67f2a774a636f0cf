/** Taking everything along, and ending everything: the command line against a real control plane with real agents. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { answer } from "@muster/api/http.ts";
import { grant } from "@muster/core/token/create.ts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type InProcess, openPlane } from "../../support/plane.ts";
import { openDoor } from "../support/door.ts";
import { Home } from "../support/muster.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

interface Entry {
  readonly kind: string;
  readonly record: Readonly<Record<string, unknown>>;
}

let plane: InProcess;
let home: Home;
beforeAll(async () => {
  plane = await openPlane();
  home = new Home();
  await home.login(plane.url, plane.token, "--name", "prod");
  await home.run("launch", "-c", "demo", "--run", "true", "-e", "HF_TOKEN=canary-of-a-secret");
});
afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await plane.close();
});

const parse = (text: string): Entry[] =>
  text
    .trimEnd()
    .split("\n")
    .map(line => JSON.parse(line));
const kinds = (entries: readonly Entry[]) =>
  Object.fromEntries([...Map.groupBy(entries, ({ kind }) => kind)].map(([kind, some]) => [kind, some.length]));

describe("export", () => {
  test("every record is a line, the last line counts them, and no secret is among them", async () => {
    const { code, out, err } = await home.run("export");
    expect(code).toBe(0);
    const entries = parse(out);
    const counts = kinds(entries);
    expect(counts).toEqual({
      export: 1,
      budget: 1,
      cluster: 1,
      host: 1,
      job: 1,
      event: expect.any(Number),
      token: 1,
      end: 1,
    });
    const { end: _, ...others } = counts;
    expect(entries.at(-1)).toEqual({ kind: "end", record: others });
    expect(entries[0]).toMatchObject({ kind: "export", record: { workspace: "local", actor: "usr_ada" } });
    const happened = entries.filter(({ kind }) => kind === "event").map(({ record }) => record.kind);
    expect(happened).toEqual(expect.arrayContaining(["cluster.ready", "job.succeeded"]));
    expect(err).toMatch(/✓ export {2}1 budget, 1 cluster, 1 host, \d+ events, 1 job, 1 token/);
    expect(out).not.toMatch(/canary|mst_|hash/);
  });

  test("into a file, for its owner alone, whole, and again", async () => {
    const file = join(home.path, "new", "folder", "all.jsonl");
    for (const _ of [1, 2]) {
      const { code, out } = await home.run("export", file, "--json");
      expect(code).toBe(0);
      expect(JSON.parse(out)).toMatchObject({ file, cluster: 1, job: 1 });
    }
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(parse(readFileSync(file, "utf8")).at(-1)?.kind).toBe("end");
  });

  test("one that breaks leaves what was there", async () => {
    const file = join(home.path, "new", "folder", "all.jsonl");
    const before = readFileSync(file, "utf8");
    await using broken = await openDoor(plane.plane.world, {
      before: async event =>
        event.routeKey === "GET /v1/jobs" ? answer(500, { code: "internal", message: "broke" }) : event,
    });
    await using other = new Home();
    await other.login(broken.url, plane.token);
    expect((await other.run("export", file)).code).toBe(125);
    expect(readFileSync(file, "utf8")).toBe(before);
  });

  test("lists are read to their end", async () => {
    const asked: string[] = [];
    await using paged = await openDoor(plane.plane.world, {
      before: async event => {
        if (event.routeKey === "GET /v1/jobs") asked.push(event.rawQueryString);
        return event;
      },
      after: (key, value) =>
        key === "GET /v1/jobs" && asked.length < 3 ? { ...value, cursor: `page-${asked.length}` } : value,
    });
    await using other = new Home();
    await other.login(paged.url, plane.token);
    await other.run("export");
    expect(asked.slice(0, 2)).toEqual(["", "cursor=page-1"]);
  });

  test("a member's has no tokens but their own", async () => {
    const { token } = await grant(plane.plane.world, { workspace: "local", actor: "usr_bob", role: "member" });
    await using bob = new Home();
    await bob.login(plane.url, token);
    const entries = parse((await bob.run("export")).out);
    const counts = kinds(entries);
    expect([counts.token, counts.cluster, counts.end]).toEqual([1, 1, 1]);
    expect(entries.find(({ kind }) => kind === "token")?.record.actor).toBe("usr_bob");
  });
});

describe("uninstall", () => {
  test("it wants a word more where nobody can be asked", async () => {
    const { code, err } = await home.run("uninstall");
    expect([code, err]).toEqual([120, expect.stringMatching(/this ends 1 cluster on .*: this needs --yes/)]);
  });

  test("what may not be ended is still there, and that is a failure", async () => {
    const { token } = await grant(plane.plane.world, { workspace: "local", actor: "usr_eve", role: "member" });
    await using eve = new Home();
    await eve.login(plane.url, token);
    const { code, out, err } = await eve.run("uninstall", "--yes");
    expect([code, out]).toEqual([123, ""]);
    expect(err).toMatch(/✗ cluster demo {2}.*\n.*still there: demo \(ready\)\n.*Keep the deployment/);
  });

  test("one that takes too long is still there as well", async () => {
    await using slow = await openDoor(plane.plane.world, {
      after: (key, value) => {
        const items = value.items as readonly object[] | undefined;
        return key === "GET /v1/clusters"
          ? { ...value, items: items?.map(one => ({ ...one, state: "draining" })) }
          : value;
      },
      before: async event =>
        event.routeKey.startsWith("DELETE") ? { ...event, routeKey: "GET /v1/clusters/{cluster}" } : event,
    });
    await using other = new Home();
    await other.login(slow.url, plane.token);
    const { code, err } = await other.run("uninstall", "--yes", "--timeout", "1");
    expect([code, err]).toEqual([123, expect.stringContaining("still there after 1 seconds: demo (draining)")]);
  });

  test("everything ends, and what remains is said", async () => {
    await home.run("launch", "-d", "-c", "other", "--run", "sleep 60");
    const { code, out, err } = await home.run("uninstall", "--yes", "--stage", "production");
    expect(code).toBe(0);
    expect(err).toMatch(/Ending 2 clusters on http.* \(context prod\), free in all\. 1 job/);
    expect(out).toContain("All of 2 clusters ended: no machine is left.");
    expect(out).toContain("  npx sst remove --stage production\n  muster logout prod\n");
    expect(out).toContain("set `protect` to false");
    expect(out).toContain(".sst/outputs.json in the clone has them");
    expect(out).toContain("a security group for each workspace, muster-muster-production-WORKSPACE,");
    const tagged = "--filters Name=tag:muster:deployment,Values=muster-production";
    expect(out).toMatch(
      new RegExp(`aws ec2 describe-security-groups --region REGION ${tagged} .*delete-security-group`),
    );
    expect(out).toMatch(new RegExp(`aws ec2 describe-placement-groups .*${tagged} .*delete-placement-group`));
    const after = await home.run("uninstall", "--stage", "dev", "--json");
    expect(JSON.parse(after.out)).toMatchObject({
      ended: 0,
      remaining: [],
      next: ["npx sst remove --stage dev", "muster logout prod"],
      leftovers: [
        expect.stringMatching(/describe-security-groups .*Values=muster-dev --query .* --group-id$/),
        expect.stringMatching(/describe-placement-groups .*Values=muster-dev --query .* --group-name$/),
        expect.stringMatching(/describe-images .*Values=muster-dev --query .* --image-id$/),
        expect.stringMatching(/describe-snapshots --owner-ids self .*Values=muster-dev --query .* --snapshot-id$/),
        expect.stringMatching(/describe-parameters .*Values=\/muster\/muster-dev --query .* --name$/),
      ],
    });
    expect((await home.run("status")).out).toContain("No clusters.");
  });

  test("this machine's own goes by removing its folder", async () => {
    await using local = new Home();
    expect((await local.run("uninstall")).out).toContain(`  muster local stop\n  rm -r ${local.path}\n`);
  });
});
