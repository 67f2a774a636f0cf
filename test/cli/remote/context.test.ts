/**
 * Logging in and choosing a control plane: the command line as a process, against real control planes of this machine
 * that play remote ones, and against servers that are none.
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { grant } from "@muster/core/token/create.ts";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type InProcess, openPlane } from "../../support/plane.ts";
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

const stored = (home: Home) => JSON.parse(readFileSync(home.config, "utf8"));
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe("login", () => {
  test("endpoint and token are checked, and kept for their owner alone", async () => {
    await using home = new Home();
    const { code, out, err } = await home.login(`${one.url}/`, `${one.token}\n`, "--name", "prod");
    expect([code, out]).toEqual([0, `Logged in to ${one.url} as usr_ada (admin of workspace local).\n`]);
    expect(err).toContain("context prod");
    expect(stored(home)).toEqual({ current: "prod", contexts: { prod: { endpoint: one.url, token: one.token } } });
    expect([modeOf(home.config), modeOf(dirname(home.config))]).toEqual([0o600, 0o700]);
    expect(await home.json("whoami")).toMatchObject({
      id: "usr_ada",
      role: "admin",
      context: "prod",
      endpoint: one.url,
    });
  });

  test("from a file, from the environment, and under the host's own name", async () => {
    await using home = new Home();
    const file = join(home.path, "token");
    writeFileSync(file, `${one.token}\n`);
    expect((await home.run("login", one.url, "--token-file", file)).code).toBe(0);
    const name = new URL(one.url).host.replace(":", "-");
    expect(Object.keys(stored(home).contexts)).toEqual([name]);
    expect(
      (await home.start(["login", "-n", "b"], { MUSTER_ENDPOINT: two.url, MUSTER_TOKEN: two.token }).ended).err,
    ).toContain("MUSTER_ENDPOINT is set, and goes before contexts");
    expect(stored(home)).toMatchObject({
      current: "b",
      contexts: { [name]: { endpoint: one.url }, b: { endpoint: two.url } },
    });
  });

  test("a folder that others could enter is closed, and a file that is a link stays one", async () => {
    await using home = new Home();
    const real = join(home.path, "elsewhere.json");
    writeFileSync(real, "{}", { mode: 0o644 });
    mkdirSync(dirname(home.config), { recursive: true, mode: 0o755 });
    symlinkSync(real, home.config);
    expect((await home.login(one.url, one.token)).code).toBe(0);
    expect(readlinkSync(home.config)).toBe(real);
    expect([modeOf(real), modeOf(dirname(home.config))]).toEqual([0o600, 0o700]);
  });

  test.each([
    ["a token of another control plane", () => two.token, 121, "refuses this token"],
    ["something that is no token", () => "hunter2", 120, "what was given is not a token"],
    ["nothing", () => "", 120, "no token was given"],
  ])("%s is refused, and nothing is kept", async (_, token, exit, told) => {
    await using home = new Home();
    const { code, err } = await home.login(one.url, token());
    expect([code, err]).toEqual([exit, expect.stringContaining(told)]);
    expect(existsSync(home.config)).toBe(false);
  });

  test("an expired token is refused as one that nobody knows is, and what it may be is told", async () => {
    await using home = new Home();
    const { token } = await member(one, { expiresAt: 1 });
    expect((await home.login(one.url, token)).err).toContain("it was revoked, has expired, or belongs elsewhere");
  });

  test.each([
    ["plain http elsewhere", ["http://muster.example.com"], "would carry your token in the clear"],
    ["no URL", ["muster.example.com"], "'muster.example.com' is not an endpoint"],
    ["a password in it", ["https://ada:hunter2@muster.example.com"], "has a name or a password in it"],
    ["nothing at all", [], "which control plane?"],
    [
      "the name of this machine's own",
      ["https://x.example.com", "--name", "local"],
      "this machine's own control plane",
    ],
    ["a name that is none", ["https://x.example.com", "--name", "a b"], "'a b' is no name"],
  ])("an endpoint with %s is refused before anything is sent", async (_, args, told) => {
    await using home = new Home();
    const { code, err } = await home.start(["login", ...args], {}, one.token).ended;
    expect([code, err]).toEqual([120, expect.stringContaining(told)]);
    expect(err).not.toContain("hunter2");
  });

  test("what answers with a page is not taken for Muster", async () => {
    await using home = new Home();
    const server = createServer((_, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<html>welcome</html>");
    });
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { code, err } = await home.login(url, one.token);
    server.close();
    expect([code, err]).toEqual([
      125,
      expect.stringMatching(/answered 200 with text\/html, which is not Muster's API\n.*base URL/),
    ]);
  });

  test("on a terminal it asks, and does not show the token", async () => {
    await using home = new Home();
    const login = home.onTerminal(["login"]);
    await login.saw("Endpoint: ");
    login.child.stdin?.write(`${one.url}\r`);
    await login.saw("Token (not shown): ");
    login.child.stdin?.write(`${one.token}\r`);
    await login.saw("Logged in to");
    login.child.stdin?.end();
    const { out } = await login.ended;
    expect(out).toContain(`as usr_ada`);
    expect(out).not.toContain(one.token.slice(-20));
  });

  test("where it is not this machine, a command says so to whoever sits there, and to nobody else", async () => {
    await using home = new Home();
    await home.login(one.url, one.token, "--name", "prod");
    const told = `on ${one.url} (context prod)`;
    expect((await home.onTerminal(["status"]).ended).out).toContain(`${told}\r\nNo clusters.`);
    expect((await home.onTerminal(["status", "-q"]).ended).out).not.toContain(told);
    const { out, err } = await home.run("status");
    expect(out + err).not.toContain(told);
  });
});

describe("contexts", () => {
  test("two of them: chosen, listed, named for one command, and left", async () => {
    await using home = new Home();
    await home.login(one.url, one.token, "--name", "a");
    await home.login(two.url, (await member(two)).token, "--name", "b");
    expect((await home.run("context")).out).toBe(
      `   NAME   ENDPOINT\n   local  this machine\n   a      ${one.url}\n*  b      ${two.url}\n`,
    );
    expect(await home.json("whoami")).toMatchObject({ id: "usr_bob", context: "b" });
    expect(await home.json("whoami", "--context", "a")).toMatchObject({ id: "usr_ada", context: "a" });
    expect((await home.run("context", "a")).out).toContain(`talk to ${one.url} from now on`);
    expect(await home.json("whoami")).toMatchObject({ id: "usr_ada", context: "a" });
    expect(await home.json("whoami", "--endpoint", `${two.url}/`)).toMatchObject({ id: "usr_bob", context: "b" });
    expect((await home.run("logout")).out).toContain("Forgot a; commands use this machine's own");
    expect(stored(home)).toEqual({ contexts: { b: { endpoint: two.url, token: expect.any(String) } } });
    expect((await home.run("logout")).err).toContain("nothing to log out of");
    expect((await home.run("context", "bb")).err).toContain("did you mean 'b'?");
    expect((await home.run("whoami", "--context", "constructor")).err).toContain("there is no context 'constructor'");
    expect((await home.run("whoami", "--context", "b", "--endpoint", one.url)).err).toContain("give one of them");
  });

  test("local is this machine's own, also while another is current", async () => {
    await using home = new Home();
    await home.login(one.url, one.token);
    expect(await home.json("whoami", "--context", "local")).toMatchObject({ id: "usr_local", home: home.path });
    await home.run("context", "local");
    expect(stored(home).current).toBeUndefined();
    expect(await home.json("whoami")).toMatchObject({ id: "usr_local" });
  });

  test("a token goes to its own endpoint alone", async () => {
    await using home = new Home();
    await home.login(one.url, one.token);
    const bare = await home.run("whoami", "--endpoint", two.url);
    expect([bare.code, bare.err]).toEqual([121, expect.stringContaining(`log in: muster login ${two.url}`)]);
    const env = { MUSTER_ENDPOINT: one.url, MUSTER_TOKEN: one.token };
    expect((await home.start(["whoami", "--endpoint", two.url], env).ended).err).toContain(`no token for ${two.url}`);
    expect((await home.start(["whoami", "--json"], { MUSTER_ENDPOINT: one.url }).ended).out).toContain("usr_ada");
  });

  test("one that is revoked while in use is told by its name, with what to do", async () => {
    await using home = new Home();
    const { id, token } = await member(one);
    await home.login(one.url, token, "--name", "prod");
    await one.api.tokens.revoke({ params: { token: id } });
    const { code, err } = await home.run("status");
    expect(code).toBe(121);
    expect(err).toMatch(
      new RegExp(`${one.url} refuses the token of context 'prod'.*\n.*muster login ${one.url} --name prod`),
    );
    const env = { MUSTER_ENDPOINT: one.url, MUSTER_TOKEN: token };
    expect((await home.start(["status"], env).ended).err).toContain("refuses the token in MUSTER_TOKEN");
  });

  test("what a newer version keeps in the file stays there", async () => {
    await using home = new Home();
    await home.login(one.url, one.token, "--name", "a");
    const config = stored(home);
    config.theme = "dark";
    config.contexts.a.region = "eu-central-1";
    writeFileSync(home.config, JSON.stringify(config));
    await home.login(two.url, two.token, "--name", "b");
    expect(stored(home)).toMatchObject({ theme: "dark", contexts: { a: { region: "eu-central-1" }, b: {} } });
  });

  test("a file that others can read is told, with the command that closes it", async () => {
    await using home = new Home();
    await home.login(one.url, one.token);
    chmodSync(home.config, 0o644);
    const { code, err } = await home.run("status");
    expect([code, err]).toEqual([0, expect.stringContaining(`chmod 600 ${home.config}`)]);
  });

  test.each([
    ["half a file", (text: string) => text.slice(0, -20)],
    ["another form", (text: string) => text.replace('"contexts"', '"contexts": 1, "was"')],
    ["an entry that is none", (text: string) => text.replace('"endpoint"', '"endpont"')],
  ])("%s is refused without quoting it, and what needs no file goes on", async (_, spoil) => {
    await using home = new Home();
    await home.login(one.url, one.token, "--name", "a");
    writeFileSync(home.config, spoil(readFileSync(home.config, "utf8")));
    const { code, err } = await home.run("status");
    expect([code, err]).toEqual([120, expect.stringContaining(`mv ${home.config} ${home.config}.old`)]);
    expect(err).not.toContain(one.token.slice(-10));
    const env = { MUSTER_ENDPOINT: one.url, MUSTER_TOKEN: one.token };
    expect((await home.start(["status"], env).ended).code).toBe(0);
  });
});
