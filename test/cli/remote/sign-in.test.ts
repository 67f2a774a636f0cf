/**
 * Signing in: the command line as a process, a real OpenID provider that is not ours, the real handlers over a real table,
 * and a person with a browser that the test plays.
 */
import { statSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import type { Home } from "../support/muster.ts";
import { Browser } from "./support/browser.ts";
import { CLIENT } from "./support/oidc.ts";
import { newHome, stored, told, useProvider, withBrowser } from "./support/sign-in.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const at = useProvider();

describe("with a browser", () => {
  test("a person comes in, under the name that their issuer vouches for", async () => {
    await using home = newHome(at);
    const { code, out, err } = await withBrowser(at, home);
    expect([code, out], err).toEqual([
      0,
      `Logged in to ${at.door.url} as acme:ada@acme.example (member of workspace local).\n`,
    ]);
    const { prod } = stored(home).contexts;
    expect(prod).toMatchObject({
      endpoint: at.door.url,
      source: { kind: "oidc", issuer: "acme", url: at.oidc.url, clientId: CLIENT, refresh: expect.any(String) },
    });
    expect(prod.expiresAt - Date.now()).toBeLessThanOrEqual(3_600_000);
    expect(statSync(home.config).mode & 0o777).toBe(0o600);
    expect(out + err).not.toContain(prod.source.refresh);
    expect(out + err).not.toMatch(/eyJ|mst_/);
    const who = await home.run("whoami");
    expect(who.out).toMatch(/signed in at acme \(https:.*\)\n {2}ends in .*; renewed before that/);
    expect(await home.json("whoami")).toMatchObject({ issuer: "acme", id: "acme:ada@acme.example", role: "member" });
  });

  test("what comes back for another sign-in is not taken, and the waiting goes on", async () => {
    await using home = newHome(at);
    const running = home.start(["login", at.door.url, "--browser", "--name", "prod"]);
    const url = new URL(await told(running, /^\s+(https:\S+)$/m));
    const back = new URL(url.searchParams.get("redirect_uri") ?? "");
    for (const query of ["", "?code=evil", "?code=evil&state=guessed", `?state=${"a".repeat(5000)}`])
      expect((await fetch(`${back.href}${query}`)).status).toBe(404);
    expect((await fetch(back, { method: "POST" })).status).toBe(404);
    expect(url.searchParams.get("code_challenge_method")).toBe("S256");
    await new Browser().visit(url.href, { login: "ada" });
    expect((await running.ended).code).toBe(0);
  });

  test("a forged code, with the right state, lets nobody in", async () => {
    await using home = newHome(at);
    const running = home.start(["login", at.door.url, "--browser"]);
    const url = new URL(await told(running, /^\s+(https:\S+)$/m));
    const back = new URL(url.searchParams.get("redirect_uri") ?? "");
    const state = url.searchParams.get("state") ?? "";
    await fetch(`${back.href}?${new URLSearchParams({ code: "forged", state, iss: at.oidc.url })}`);
    const { code, err } = await running.ended;
    expect([code, err]).toEqual([121, expect.stringContaining("let nobody in: invalid_grant")]);
  });

  test("somebody whom no rule knows is told what their issuer said", async () => {
    at.oidc.people.set("eve", { email: "eve@elsewhere.example", email_verified: true });
    await using home = newHome(at);
    const { code, err } = await withBrowser(at, home, "eve");
    expect([code, err]).toEqual([121, expect.stringContaining("no rule lets you in")]);
    expect(err).toContain("muster issuers show acme");
  });

  test("an issuer for whom another client's tokens are lets nobody in", async () => {
    await using home = newHome(at);
    await at.plane.api.issuers.remove({ params: { name: "acme" } });
    await at.set("acme", { clientId: "another" });
    const running = home.start(["login", at.door.url, "--browser"]);
    const url = await told(running, /^\s+(https:\S+)$/m);
    expect(await new Browser().visit(url, { login: "ada" })).toContain("invalid_client");
    running.child.kill();
    await running.ended;
  });
});

describe("on another device", () => {
  const device = (home: Home, ...more: string[]) =>
    home.start(["login", at.door.url, "--device", "--name", "prod", ...more]);

  test("a person enters a code, and the waiting slows down when it is told to", async () => {
    await using home = newHome(at);
    at.oidc.said.push({ status: 400, error: "slow_down" });
    const running = device(home);
    const page = await told(running, /open (https:\S+user_code=\S+)/);
    await new Browser().visit(page, { login: "ada" });
    const { code, out, err } = await running.ended;
    expect([code, out], err).toEqual([0, expect.stringContaining("as acme:ada@acme.example (member")]);
    expect(err).toMatch(/enter the code [A-Z]{4}-[A-Z]{4}/);
    expect(stored(home).contexts.prod.source.refresh).toEqual(expect.any(String));
  });

  test.each([
    ["expired_token", "the code was not entered in time"],
    ["access_denied", "it was denied there"],
    ["server_error", "let nobody in: server_error"],
  ])("%s is told", async (error, text) => {
    await using home = newHome(at);
    at.oidc.said.push({ status: 400, error });
    const { code, err } = await device(home).ended;
    expect([code, err]).toEqual([121, expect.stringContaining(text)]);
  });

  test("a machine without a browser does so by itself", async () => {
    await using home = newHome(at, { BROWSER: "", DISPLAY: "", WAYLAND_DISPLAY: "" });
    at.oidc.said.push({ status: 400, error: "access_denied" });
    const running = home.onTerminal(["login", at.door.url]);
    await running.saw("sign in on another device");
    await running.saw("enter the code");
    expect((await running.ended).code).toBe(121);
  });
});

describe("which issuer", () => {
  test("is said where there are several, and nothing is guessed", async () => {
    await at.set("other");
    await using home = newHome(at);
    const which = await home.run("login", at.door.url, "--browser");
    expect([which.code, which.err]).toEqual([120, expect.stringContaining("name one with --issuer: acme, other")]);
    const none = await home.run("login", at.door.url, "--device", "--issuer", "acmee");
    expect([none.code, none.err]).toEqual([120, expect.stringContaining("did you mean acme?")]);
    await at.plane.api.issuers.remove({ params: { name: "other" } });
    const ways = await home.run("login", at.door.url, "--device", "--browser");
    expect([ways.code, ways.err]).toEqual([120, expect.stringContaining("are different ways to sign in")]);
    await at.plane.api.issuers.remove({ params: { name: "acme" } });
    const nobody = await home.run("login", at.door.url, "--device");
    expect([nobody.code, nobody.err]).toEqual([122, expect.stringContaining("nobody signs in with a browser")]);
  });
});
