/**
 * Who did what, workspaces, and one's own tokens: the command line as a process, against the whole control plane of this
 * machine in the test's own process, its outbox included.
 */
import type { Event } from "@muster/core/event/event.ts";
import { grant } from "@muster/core/token/create.ts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type InProcess, openPlane } from "../../support/plane.ts";
import { until } from "../../support/until.ts";
import { Home } from "../support/muster.ts";

vi.setConfig({ testTimeout: 60_000 });

let plane: InProcess;
let admin: Home;
let bob: Home;
let bobs: { readonly id: string; readonly token: string };
beforeAll(async () => {
  plane = await openPlane();
  const given = { workspace: "local", actor: "usr_bob", role: "member", origin: "acme/train refs/heads/main" } as const;
  bobs = await grant(plane.plane.world, given);
  [admin, bob] = [new Home(), new Home()];
  await admin.login(plane.url, plane.token, "--name", "prod");
  await bob.login(plane.url, bobs.token, "--name", "prod");
});
afterAll(async () => {
  for (const one of [admin, bob]) await one[Symbol.asyncDispose]();
  await plane.close();
});

/** What the audit says, once it says so much: it is told of after the commit. */
const audited = (args: readonly string[], count: number): Promise<Event[]> =>
  until(`${count} lines of the audit`, async () => {
    const { out } = await admin.run("events", "--audit", ...args, "--json");
    const events: Event[] = JSON.parse(out);
    return events.length >= count && events;
  });

test("the audit tells who did what, from where, with which token; by person, by token, by time, for admins", async () => {
  await plane.api.secrets.set({ params: { name: "HF_TOKEN" }, body: { value: "hidden-from-all" } });
  expect((await bob.run("up", "-c", "demo", "--idle", "5m")).code).toBe(0);
  const [made] = await audited(["--by", "usr_bob"], 1);
  expect(made).toMatchObject({
    ...{ kind: "cluster.requested", actor: "usr_bob" },
    via: { token: bobs.id, from: "127.0.0.1", origin: "acme/train refs/heads/main" },
  });
  expect(await audited(["--token", bobs.id], 1)).toEqual([made]);
  expect((await audited(["demo"], 1))[0]).toEqual(made);
  const all = await audited([], 2);
  expect(all.map(({ kind }) => kind)).toEqual(expect.arrayContaining(["secret.set", "cluster.requested"]));
  expect(JSON.stringify(all)).not.toContain("hidden");
  expect(all.map(({ at }) => at)).toEqual(all.map(({ at }) => at).toSorted());
  expect((await admin.run("events", "--audit", "--since", "1d", "--until", "1h")).out).toBe(
    "Nobody has done anything in that time.\n",
  );
  const shown = await admin.run("events", "--audit", "--by", "usr_bob", "--since", "2d");
  expect(shown.out).toMatch(
    new RegExp(
      `^TIME +WHO +DID +TO +FROM +TOKEN +ORIGIN\n\\S+ +usr_bob +cluster\\.requested +${made?.subject} +127\\.0\\.0\\.1 +${bobs.id} +acme/train refs/heads/main\n`,
    ),
  );
  expect((await bob.run("events", "--audit")).code).toBe(121);
});

test.each([
  ["nothing to show", ["events"], "--audit"],
  ["a choice from no audit", ["events", "demo", "--by", "bob"], "go with --audit"],
  ["a time that is none", ["events", "--audit", "--since", "yesterday"], "Write how long ago"],
  ["a number that is none", ["events", "--audit", "--limit", "0"], "Write a number"],
])("%s is refused", async (_, args, told) => {
  const { code, err } = await admin.run(...args);
  expect([code, err]).toEqual([120, expect.stringContaining(told)]);
});

test("whoever is no admin sees and revokes their own tokens; the last one of an admin only goes by force", async () => {
  const { out } = await bob.run("tokens", "list", "--json");
  expect(JSON.parse(out)).toMatchObject([{ id: bobs.id, actor: "usr_bob", origin: "acme/train refs/heads/main" }]);
  const mine = JSON.parse((await admin.run("tokens", "list", "--mine", "--json")).out);
  expect(mine).toHaveLength(1);
  const [{ id }] = mine;
  expect((await bob.run("tokens", "revoke", id)).code).toBe(122);
  const last = await admin.run("tokens", "revoke", id);
  expect([last.code, last.err]).toEqual([123, expect.stringContaining("--force")]);
  const second = await grant(plane.plane.world, { workspace: "local", actor: "usr_bob", role: "viewer" });
  expect((await bob.run("tokens", "revoke", second.id)).out).toBe(`Revoked ${second.id} of usr_bob.\n`);
});

test("an admin makes a workspace and lets somebody in; who is there sees nothing of the others, and makes none", async () => {
  expect((await admin.run("workspaces", "list")).out).toMatch(/^WORKSPACE +AGE +MADE BY\nlocal +- +-\n$/);
  const made = await admin.run("workspaces", "create", "vision");
  expect([made.out, made.err]).toEqual([
    "Made workspace vision.\n",
    expect.stringContaining("muster tokens create NAME --role admin --workspace vision"),
  ]);
  expect((await admin.run("workspaces", "create", "vision")).code).toBe(123);
  expect((await admin.run("workspaces", "list")).out).toMatch(/local +- +-\nvision +\d+s +usr_ada\n$/);
  const { out: token } = await admin.run("tokens", "create", "zoe", "--role", "admin", "--workspace", "vision");
  await using zoe = new Home();
  expect((await zoe.login(plane.url, token)).out).toContain("as zoe (admin of workspace vision)");
  expect(JSON.parse((await zoe.run("status", "--json")).out)).toEqual([]);
  expect((await zoe.run("workspaces", "list")).code).toBe(121);
  expect((await zoe.run("tokens", "create", "x", "--workspace", "local")).code).toBe(121);
  const listed = JSON.parse((await admin.run("tokens", "list", "--workspace", "vision", "--json")).out);
  expect(listed).toMatchObject([{ actor: "zoe", role: "admin", createdBy: "usr_ada" }]);
});
