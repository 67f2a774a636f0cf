/**
 * What becomes of a sign-in: renewed, ended elsewhere, logged out of. The command line as a process, a real OpenID provider
 * that is not ours, and the real handlers over a real table.
 */
import { describe, expect, test, vi } from "vitest";
import { CLIENT } from "./support/oidc.ts";
import { age, newHome, stored, useProvider, withBrowser } from "./support/sign-in.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const at = useProvider();

describe("an hour later", () => {
  test("the token is renewed without a word, and the issuer's is turned over", async () => {
    await using home = newHome(at);
    await withBrowser(at, home);
    const before = stored(home).contexts.prod;
    age(home);
    at.clock.ahead = 0;
    const { code, err } = await home.run("whoami", "--json");
    expect([code, err]).toEqual([0, ""]);
    const after = stored(home).contexts.prod;
    expect(after.token).not.toBe(before.token);
    expect(after.source.refresh).not.toBe(before.source.refresh);
    expect(after.expiresAt).toBeGreaterThan(Date.now() + 3_000_000);
  });

  test("many commands at once renew it once", async () => {
    await using home = newHome(at);
    await withBrowser(at, home);
    age(home);
    at.oidc.grants.length = 0;
    const all = await Promise.all(Array.from({ length: 4 }, () => home.run("whoami", "--json")));
    expect(all.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(at.oidc.grants).toEqual(["200"]);
  });

  test("a token that was revoked, or that a wrong clock takes for good, is renewed as well", async () => {
    await using home = newHome(at);
    await withBrowser(at, home);
    const { token } = await home.json<{ token: string }>("whoami");
    await at.plane.api.tokens.revoke({ params: { token }, query: {} });
    expect((await home.run("whoami")).code).toBe(0);
  });

  test("somebody whose account has ended is out", async () => {
    await using home = newHome(at);
    await withBrowser(at, home);
    at.oidc.people.delete("ada");
    // What they have is good until it ends.
    age(home, { expiresAt: Date.now() + 60_000 });
    expect((await home.run("whoami")).code).toBe(0);
    at.clock.ahead = 3_600_000;
    age(home, { expiresAt: Date.now() - 1000 });
    const { code, err } = await home.run("whoami");
    expect([code, err]).toEqual([
      121,
      expect.stringMatching(/your sign-in at acme \(https:.*\) has ended: invalid_grant/),
    ]);
    expect(err).toContain(`sign in again: muster login ${at.door.url} --name prod`);
  });

  test("somebody whom the rules no longer let in is out, though their account goes on", async () => {
    await using home = newHome(at);
    await withBrowser(at, home);
    await at.set("acme", { rules: [{ when: { email: "ada@acme.example" }, role: "none" }] });
    age(home, { expiresAt: Date.now() - 1000 });
    const { code, err } = await home.run("whoami");
    expect([code, err]).toEqual([121, expect.stringContaining("has ended: no rule lets you in")]);
    // What the issuer gave meanwhile was kept.
    await at.set();
    expect((await home.run("whoami")).code).toBe(0);
  });

  test("where the issuer does not answer, what is good yet is used, and nothing more is claimed after", async () => {
    await using home = newHome(at);
    await withBrowser(at, home);
    age(home, { expiresAt: Date.now() + 60_000 });
    at.oidc.said.push({ status: 503, error: "temporarily_unavailable" });
    expect((await home.run("whoami")).code).toBe(0);
    const { source } = stored(home).contexts.prod;
    age(home, { expiresAt: Date.now() - 1000, source: { ...source, url: "https://127.0.0.1:9" } });
    const { code, err } = await home.run("whoami");
    expect([code, err]).toEqual([125, expect.stringContaining("does not answer as an issuer")]);
  });

  test("keys that the issuer changed meanwhile are found", async () => {
    await using home = newHome(at);
    await withBrowser(at, home);
    at.oidc.rotate();
    age(home);
    const { code, err } = await home.run("whoami", "--json");
    expect([code, err]).toEqual([0, ""]);
    expect(stored(home).contexts.prod.expiresAt).toBeGreaterThan(Date.now() + 3_000_000);
  });
});

describe("logout", () => {
  test("ends the token here and what the issuer gave", async () => {
    await using home = newHome(at);
    await withBrowser(at, home);
    const { token, source } = stored(home).contexts.prod;
    const { code, err } = await home.run("logout");
    expect([code, err]).toEqual([0, expect.stringContaining("the token has ended")]);
    expect(stored(home).contexts).toEqual({});
    const asked = await fetch(`${at.door.url}/v1/whoami`, { headers: { authorization: `Bearer ${token}` } });
    expect(asked.status).toBe(401);
    const body = new URLSearchParams({
      ...{ grant_type: "refresh_token", refresh_token: source.refresh, client_id: CLIENT },
    });
    expect((await fetch(`${at.oidc.url}/token`, { method: "POST", body })).status).toBe(400);
  });

  test("where nobody can be reached, says how long the token lives", async () => {
    await using home = newHome(at);
    await withBrowser(at, home);
    age(home, { endpoint: "http://127.0.0.1:9" });
    const { code, err } = await home.run("logout");
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(/nobody could be reached: .* until 20\d\d-.*muster tokens revoke tok_/),
    ]);
  });
});
