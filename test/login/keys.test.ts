import { describe, expect, test } from "vitest";
import { code } from "../support/requests.ts";
import { exchange } from "./support/exchange.ts";
import { GITHUB, githubClaims, signed, signing } from "./support/issuer.ts";
import { keys, MINUTE, open, token } from "./support/opened.ts";

describe("keys", () => {
  test("are kept for some minutes, and many who come at once ask once", async () => {
    const opened = await open();
    await Promise.all(Array.from({ length: 20 }, async () => exchange(opened.world, { token: await token(opened) })));
    expect(opened.network.asked.length).toBe(2);
    opened.clock.pass(9 * MINUTE);
    await exchange(opened.world, { token: await token(opened) });
    expect(opened.network.asked.length).toBe(2);
    opened.clock.pass(2 * MINUTE);
    await exchange(opened.world, { token: await token(opened) });
    expect(opened.network.asked.length).toBe(4);
  });

  test("that are new are found at once, and who makes kids up makes nobody ask more than every half minute", async () => {
    const opened = await open();
    await exchange(opened.world, { token: await token(opened) });
    opened.clock.pass(31_000);
    const fresh = signing("fresh");
    opened.network.publish(GITHUB, [fresh.jwk]);
    const shown = () => signed(fresh, githubClaims(opened.clock.now(), { aud: "muster" }));
    expect(await code(exchange(opened.world, { token: await shown() }))).toBe("nothing");
    expect(opened.network.asked.length).toBe(4);
    expect(await code(exchange(opened.world, { token: await token(opened) }))).toBe("unauthenticated");
    const forged = { ...keys.forged, kid: crypto.randomUUID() };
    for (let index = 0; index < 20; index++) {
      const made = await signed(forged, githubClaims(opened.clock.now(), { aud: "muster" }), { kid: `k${index}` });
      expect(await code(exchange(opened.world, { token: made }))).toBe("unauthenticated");
    }
    expect(opened.network.asked.length).toBe(4);
  });

  test("are believed a while where the issuer does not answer, and then nobody is let in", async () => {
    const opened = await open();
    await exchange(opened.world, { token: await token(opened) });
    opened.network.down = true;
    opened.clock.pass(11 * MINUTE);
    expect(await code(exchange(opened.world, { token: await token(opened) }))).toBe("nothing");
    opened.clock.pass(60 * MINUTE);
    expect(await code(exchange(opened.world, { token: await token(opened) }))).toBe("unavailable");
    const asked = opened.network.asked.length;
    expect(await code(exchange(opened.world, { token: await token(opened) }))).toBe("unavailable");
    expect(opened.network.asked.length).toBe(asked);
    opened.network.down = false;
    opened.clock.pass(6000);
    expect(await code(exchange(opened.world, { token: await token(opened) }))).toBe("nothing");
  });

  const about = `${GITHUB}/.well-known/openid-configuration`;
  test.each([
    ["another issuer's name", about, JSON.stringify({ issuer: "https://evil.example", jwks_uri: `${GITHUB}/keys` })],
    ["no place of keys", about, JSON.stringify({ issuer: GITHUB })],
    ["no JSON", about, "<html>"],
    ["nothing", about, "null"],
    ["keys that are none", `${GITHUB}/keys`, JSON.stringify({ keys: "none" })],
    ["ten thousand keys", `${GITHUB}/keys`, JSON.stringify({ keys: Array.from({ length: 10_000 }, () => ({})) })],
  ])("an issuer whose document has %s lets nobody in for now", async (_what, page, text) => {
    const opened = await open();
    opened.network.pages.set(page, text);
    expect(await code(exchange(opened.world, { token: await token(opened) }))).toBe("unavailable");
  });
});
