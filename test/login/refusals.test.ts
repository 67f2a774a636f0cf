/**
 * What lets nobody in: the real verbs over the real SQLite table, the Issuers port on jose, and tokens that are signed by real keys. The
 * network is the test's own, so that what is asked of it can be counted.
 */
import { MOST_FAILURES } from "@muster/api/limits.ts";
import { login } from "@muster/api/routes/login.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { userDoorOf } from "@muster/api/user-door.ts";
import { remove } from "@muster/core/issuer/remove.ts";
import type { Table } from "@muster/core/ports/table.ts";
import { describe, expect, test } from "vitest";
import { login as loginOf } from "../../functions/api/login.ts";
import { code } from "../support/requests.ts";
import { exchange } from "./support/exchange.ts";
import { GITHUB } from "./support/issuer.ts";
import { ADMIN, open, token, told } from "./support/opened.ts";
import { refusals, right } from "./support/refusals.ts";

describe("what lets nobody in", () => {
  test("there are many ways", () => expect(Object.keys(refusals).length).toBeGreaterThanOrEqual(60));

  test.each(Object.entries(refusals))("%s", async (_name, make) => {
    const { world, at, logged } = await open();
    const shown = await make(at);
    const refused = await exchange(world, { token: shown }).catch(error => error);
    expect([refused.code, refused.details]).toEqual([
      "unauthenticated",
      expect.objectContaining({ hint: expect.any(String) }),
    ]);
    // In the same words, but for what a rule's minutes say once all else was right.
    expect(refused.message).toMatch(/^(this lets nobody in|what was shown is too old)$/);
    if (shown.length > 20) expect(logged.join()).not.toContain(shown.slice(-20));
    expect(await code(exchange(world, { token: await right(at) }))).toBe("nothing");
  });

  test.each(Object.entries(refusals))("%s: where nobody is believed, nobody is asked", async (_name, make) => {
    const { world, at, network } = await open({});
    at.network.publish(GITHUB, [at.key.jwk]);
    expect(await told(exchange(world, { token: await make(at) }))).toBe("this lets nobody in");
    expect(network.asked).toEqual([]);
  });

  test("an issuer that was removed lets nobody in, whatever an index remembers", async () => {
    const opened = await open();
    expect(await code(exchange(opened.world, { token: token(opened) }))).toBe("nothing");
    const { table } = opened.world;
    const remembered = await table.query({ pk: `ISSUING#${GITHUB}`, index: "link" });
    expect(remembered.items.length).toBe(1);
    await remove(opened.world, ADMIN, "github");
    const query = ((asked: Parameters<Table["query"]>[0]) =>
      asked.index === "link" ? Promise.resolve(remembered) : table.query(asked as never)) as Table["query"];
    const lagging = { ...opened.world, table: { get: table.get.bind(table), write: table.write.bind(table), query } };
    expect(await code(exchange(lagging, { token: token(opened) }))).toBe("unauthenticated");
  });

  test("whoever tries too often from one address is told to wait, and whoever is right is let in from there", async () => {
    const opened = await open();
    const handler = dispatcher(userDoorOf(opened.world), login, loginOf(opened.world));
    const ask = (shown: string, sourceIp: string) =>
      handler({
        ...{ routeKey: "POST /v1/login", rawPath: "/v1/login", rawQueryString: "", isBase64Encoded: false },
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ token: shown, workspace: "acme" }),
        requestContext: { http: { method: "POST", sourceIp } },
      }).then(({ statusCode }) => statusCode);
    const wrong: number[] = [];
    for (let index = 0; index < MOST_FAILURES; index++) wrong.push(await ask("wrong", "192.0.2.7"));
    expect([...new Set(wrong)]).toEqual([401]);
    expect(await ask("wrong", "192.0.2.7")).toBe(429);
    expect(await ask("wrong", "192.0.2.8")).toBe(401);
    expect(await ask(token(opened), "192.0.2.7")).toBe(201);
  });
});
