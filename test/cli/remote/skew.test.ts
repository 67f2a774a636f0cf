import { grant } from "@muster/core/token/create.ts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type InProcess, openPlane } from "../../support/plane.ts";
import { openDoor } from "../support/door.ts";
import { Home } from "../support/muster.ts";

vi.setConfig({ testTimeout: 60_000 });

let one: InProcess;
let two: InProcess;
beforeAll(async () => {
  [one, two] = await Promise.all([openPlane(), openPlane()]);
});
afterAll(() => Promise.all([one.close(), two.close()]));

const member = async (plane: InProcess, more: { expiresAt?: number } = {}) =>
  grant(plane.plane.world, { workspace: "local", actor: "usr_bob", role: "member", ...more });

describe("versions", () => {
  const speaking = (version: string) =>
    openDoor(one.plane.world, { after: (key, value) => (key === "GET /v1/health" ? { ...value, version } : value) });

  test("a control plane that is too far ahead is told each time, and asked once", async () => {
    await using home = new Home();
    await using door = await speaking("0.3.1");
    await home.login(door.url, one.token);
    const { code, err } = await home.run("status");
    expect(code).toBe(0);
    expect(err).toBe(`warning: ${door.url} has version 0.3.1, this is 0.1.0: install a newer muster on this machine\n`);
    await home.run("status");
    expect(door.asked.filter(key => key === "GET /v1/health")).toHaveLength(1);
  });

  test("one minor version makes no words", async () => {
    await using home = new Home();
    await using door = await speaking("0.2.9");
    await home.login(door.url, one.token);
    expect((await home.run("status")).err).toBe("");
  });

  test("fields and states of a newer control plane do no harm", async () => {
    const cluster = {
      id: "clu_01JABCDEFGHJKMNPQRSTVWXYZ0",
      name: "odd",
      state: "hibernating",
      owner: "usr_ada",
      shared: false,
    };
    const rest = {
      provider: "moon",
      nodes: 1,
      generation: 1,
      idle: "never",
      createdAt: 1,
      changedAt: 1,
      tides: [1, 2],
    };
    await using door = await openDoor(one.plane.world, {
      after: (key, value) => (key === "GET /v1/clusters" ? { items: [{ ...cluster, ...rest }], more: true } : value),
    });
    await using home = new Home();
    await home.login(door.url, one.token);
    const { code, out } = await home.run("status");
    expect([code, out]).toEqual([0, expect.stringMatching(/odd +hibernating +1/)]);
  });

  test("plans of a control plane that knows no groups are shown as ever", async () => {
    await using door = await openDoor(one.plane.world, {
      after: (key, value) => (key === "POST /v1/launches/plan" ? { ...value, groups: undefined } : value),
    });
    await using home = new Home();
    await home.login(door.url, one.token);
    const { code, out } = await home.run("launch", "examples/hello.yaml", "--dry-run");
    expect([code, out]).toEqual([0, expect.stringMatching(/TYPE.*\n1 +local/)]);
  });
});

describe("secrets", () => {
  test("none is told, whatever goes wrong", async () => {
    await using home = new Home();
    const { token } = await member(one);
    const canary = token.slice(-24);
    await home.login(one.url, token, "--name", "a");
    const env = { MUSTER_DEBUG: "1" };
    const inputs: [readonly string[], NodeJS.ProcessEnv?, string?][] = [
      [["login", token]],
      [["login", one.url, token]],
      [["login", one.url, `--token=${token}`]],
      [["login", one.url, "--token", token]],
      [["login", two.url], {}, token],
      [["login", two.url, "--json"], {}, token],
      [["status", "--endpoint", token]],
      [["status", "--endpoint", `https://ada:${token}@x.example.com`]],
      [["status", "--context", token]],
      [["tokens", "list", "--context", "a"]],
      [["tokens", "revoke", token]],
      [["context", "--json"]],
      [["doctor", "--json"]],
      [["whoami", "--json"]],
      [["status"], { MUSTER_ENDPOINT: two.url, MUSTER_TOKEN: token }],
      [["status"], { MUSTER_ENDPOINT: "http://127.0.0.1:1", MUSTER_TOKEN: token }],
      [["export"]],
      [[token]],
      [["logout"]],
    ];
    for (const [args, more, input] of inputs) {
      const { out, err } = await home.start(args, { ...env, ...more }, input).ended;
      expect(out + err).not.toContain(canary);
    }
  });
});
