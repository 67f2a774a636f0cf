/**
 * Ran against: the client over real sockets, before a node:http server of this test's own that answers as it is told;
 * and before the local server with serve() and core's idempotency behind it. Pauses are recorded, not waited for.
 */
import { client } from "@muster/api/client.ts";
import { listen } from "@muster/local/http/listen.ts";
import { describe, expect, onTestFinished, test } from "vitest";
import { against, failure, json, type Script, thrown } from "./client-support.ts";
import { cluster, creating, openDoor } from "./support.ts";

describe("what is not Muster's API", () => {
  test.each<[string, Script]>([
    [
      "HTML",
      (_, response) =>
        void response.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>hi</title>"),
    ],
    ["nothing", (_, response) => void response.writeHead(200).end()],
    ["a list", json(200, [1])],
    ["a redirect", (_, response) => void response.writeHead(301, { location: "https://example.com/" }).end()],
    [
      "half of JSON",
      (_, response) => void response.writeHead(200, { "content-type": "application/json" }).end('{"id":'),
    ],
  ])("is told as such: %s", async (_, script) => {
    const { c, requests, endpoint } = await against(script);
    const error = await thrown(c.clusters.list());
    expect(error.code).toBe("internal");
    expect(error.message).toMatch(new RegExp(`^${endpoint} answered \\d+ with .* which is not Muster's API$`));
    expect(error.details.hint).toContain("endpoint");
    expect(JSON.stringify([error.message, error.details])).not.toContain("t0ken");
    expect(requests).toHaveLength(1);
  });

  test("when it fails with HTML, is told by its status", async () => {
    const { c } = await against(
      (_, response) => void response.writeHead(404, { "content-type": "text/html" }).end("<h1>404"),
    );
    expect(await thrown(c.clusters.list())).toMatchObject({
      code: "not_found",
      details: { answer: "<h1>404", status: 404 },
    });
  });
});

describe("the network", () => {
  test("that refuses is `unavailable`, with what to look at", async () => {
    const { c, server, endpoint, pauses } = await against(json(200, {}));
    await new Promise(resolve => server.close(resolve).closeAllConnections());
    const error = await thrown(c.health.get());
    expect(error).toMatchObject({ code: "unavailable", message: `cannot reach ${endpoint}: connection refused` });
    expect(error.details.hint).toContain("MUSTER_ENDPOINT");
    expect(pauses).toHaveLength(4);
  });

  test("that breaks before, or in the middle of, an answer is tried again under the same key", async () => {
    const { c, requests } = await against((request, response, round) => {
      if (round === 1) return void response.destroy();
      if (round === 2) {
        response.writeHead(200, { "content-length": 1000 }).write('{"id"');
        return void setImmediate(() => response.destroy());
      }
      json(202, cluster)(request, response, round);
    });
    expect(await c.clusters.create({ body: {} })).toEqual(cluster);
    expect(requests).toHaveLength(3);
    expect(new Set(requests.map(request => request.headers["idempotency-key"])).size).toBe(1);
  });

  test("that never answers is given up after its time", async () => {
    const { c, requests } = await against(() => {}, { timeout: 30 });
    const error = await thrown(c.health.get());
    expect(error).toMatchObject({ code: "unavailable" });
    expect(error.message).toMatch(/no answer within 0\.03 s$/);
    expect(requests.length).toBeGreaterThanOrEqual(1);
  });
});

describe("a signal", () => {
  test("that has fired sends nothing", async () => {
    const { c, requests } = await against(json(200, cluster));
    const reason = new Error("enough");
    expect(await thrown(c.health.get({}, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(requests).toEqual([]);
  });

  test("ends a call under way, and one that pauses", async () => {
    const stop = new AbortController();
    const { c } = await against(() => stop.abort(new Error("enough")));
    await expect(c.health.get({}, { signal: stop.signal })).rejects.toThrow("enough");

    const later = new AbortController();
    const { endpoint, requests } = await against((request, response, round) => {
      failure("busy", 503, { "retry-after": "20" })(request, response, round);
      response.once("close", () => setImmediate(() => later.abort(new Error("enough"))));
    });
    const patient = client({ endpoint, version: "1" });
    await expect(patient.health.get({}, { signal: later.signal })).rejects.toThrow("enough");
    expect(requests).toHaveLength(1);
  });
});

test("a create whose answers are lost happens once: client, server, serve and core together", async () => {
  const door = openDoor();
  let effects = 0;
  const create = creating(door, () => effects++);
  const token = (await door.token("member")).slice("Bearer ".length);
  const server = await listen({
    dispatch: event =>
      create(event.headers.authorization, event.body ?? "", { ...event, key: event.headers["idempotency-key"] ?? "" }),
    blobs: async () => new Response(null, { status: 404 }),
  });
  onTestFinished(() => server.close());
  let lost = 0;
  const c = client({
    endpoint: server.url,
    token,
    version: "1",
    wait: async () => {},
    fetch: async (...request) => {
      const answer = await fetch(...request);
      if (lost++ < 3) throw new TypeError("fetch failed", { cause: new Error("the answer was lost") });
      return answer;
    },
  });
  expect(await c.clusters.create({ body: { name: "once" } })).toMatchObject({ name: "once" });
  expect([lost, effects]).toEqual([4, 1]);
});
