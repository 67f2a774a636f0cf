/**
 * Ran against: the client over real sockets, before a node:http server of this test's own that answers as it is told;
 * and before the local server with serve() and core's idempotency behind it. Pauses are recorded, not waited for.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type Client, type ClientOptions, client } from "@muster/api/client.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { MusterError } from "@muster/core/error.ts";
import { listen } from "@muster/local/http/listen.ts";
import { describe, expect, expectTypeOf, onTestFinished, test } from "vitest";
import { cluster, creating, openDoor } from "./support.ts";

interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}
type Script = (request: Request, response: ServerResponse, round: number) => void;

const json =
  (status: number, value: unknown, headers: Record<string, string> = {}): Script =>
  (_, response) =>
    void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(value));
const failure = (code: string, status: number, headers = {}) =>
  json(status, { code, message: `it is ${code}`, details: { hint: "h" } }, headers);

async function before(script: Script, options: Partial<ClientOptions> = {}) {
  const requests: Request[] = [];
  const pauses: number[] = [];
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method = "", url = "", headers } = incoming;
    const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
    requests.push(request);
    script(request, response, requests.length);
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close().closeAllConnections());
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const wait = async (ms: number) => void pauses.push(ms);
  const c = client({ endpoint, token: "t0ken", version: "1.2.3", wait, ...options });
  return { c, requests, pauses, endpoint, server };
}

const thrown = (promise: Promise<unknown>): Promise<MusterError> =>
  promise.then(
    () => Promise.reject(new Error("it did not fail")),
    error => error,
  );

describe("a call", () => {
  test("goes to the route's method and path, encoded, with what identifies the caller", async () => {
    const { c, requests } = await before(json(200, cluster), {});
    await c.clusters.get({ params: { cluster: "a/b c?d#ü%2F" } });
    await c.clusters.list({ query: { limit: 5, all: "true", cursor: undefined } });
    await c.health.get();
    expect(requests.map(request => `${request.method} ${request.url}`)).toEqual([
      "GET /v1/clusters/a%2Fb%20c%3Fd%23%C3%BC%252F",
      "GET /v1/clusters?limit=5&all=true",
      "GET /v1/health",
    ]);
    expect(requests[0]?.headers).toMatchObject({
      authorization: "Bearer t0ken",
      accept: "application/json",
      "user-agent": "muster/1.2.3",
    });
    expect(requests[0]?.headers["idempotency-key"]).toBeUndefined();
    expect(requests[0]?.body).toBe("");
  });

  test("that changes something sends JSON and a key: a new one each time, or the one that is given", async () => {
    const { c, requests } = await before(json(202, cluster));
    await c.clusters.create({ body: { name: "a" } });
    await c.clusters.create({ body: { name: "a" } });
    await c.clusters.create({ body: { name: "a" } }, { idempotencyKey: "mine" });
    await c.clusters.stop({ params: { cluster: "a" } });
    const keys = requests.map(request => request.headers["idempotency-key"]);
    expect(requests[0]?.headers["content-type"]).toBe("application/json");
    expect(requests[0]?.body).toBe('{"name":"a"}');
    expect(keys[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(new Set(keys).size).toBe(4);
    expect(keys[2]).toBe("mine");
    expect(requests[3]).toMatchObject({ method: "POST", url: "/v1/clusters/a/stop", body: "" });
  });

  test("with an id that would lead elsewhere is not sent", async () => {
    const { c, requests } = await before(json(200, cluster));
    for (const id of ["", ".", "..", "\ud800"]) {
      const error = await thrown(c.clusters.remove({ params: { cluster: id } }));
      expect(error).toMatchObject({ code: "invalid_request", details: { issues: [{ path: "params.cluster" }] } });
    }
    expect(requests).toEqual([]);
  });

  test("keeps an endpoint's own path, with or without a slash", async () => {
    const { requests, endpoint } = await before(json(200, { ok: true, version: "1" }));
    await client({ endpoint: `${endpoint}/stage//`, version: "1" }).health.get();
    expect(requests[0]?.url).toBe("/stage/v1/health");
    expect(requests[0]?.headers.authorization).toBeUndefined();
  });

  test("is typed by the route", () => {
    type Get = Client["clusters"]["get"];
    expectTypeOf<Get>().returns.resolves.toEqualTypeOf<Cluster.Info>();
    expectTypeOf<Get>().parameter(0).toEqualTypeOf<{ readonly params: { cluster: string } }>();
    expectTypeOf<Client["health"]["get"]>().toBeCallableWith();
    expectTypeOf<Client["clusters"]["list"]>().toBeCallableWith();
    expectTypeOf<Client["clusters"]["create"]>().toBeCallableWith({ body: {} });
    const c = client({ endpoint: "http://127.0.0.1:1", version: "1" });
    // @ts-expect-error: the cluster is missing
    const missing = () => c.clusters.get();
    // @ts-expect-error: there is no such field
    const wrong = () => c.launches.create({ body: { task: {}, clutser: "a" } });
    // @ts-expect-error: this route takes nothing
    const nothing = () => c.health.get({ query: {} });
    expect([missing, wrong, nothing]).toHaveLength(3);
  });
});

describe("a failure", () => {
  test("is the MusterError that was told", async () => {
    const { c, requests } = await before(failure("not_found", 404));
    const error = await thrown(c.clusters.get({ params: { cluster: "a" } }));
    expect(error).toBeInstanceOf(MusterError);
    expect(error).toMatchObject({ code: "not_found", message: "it is not_found", details: { hint: "h" } });
    expect(requests).toHaveLength(1);
  });

  test("that may pass is tried again under the same key, five times in all, with growing pauses", async () => {
    const { c, requests, pauses } = await before(failure("busy", 503));
    expect(await thrown(c.clusters.create({ body: {} }))).toMatchObject({ code: "busy" });
    expect(requests).toHaveLength(5);
    expect(new Set(requests.map(request => request.headers["idempotency-key"])).size).toBe(1);
    expect(pauses).toHaveLength(4);
    pauses.forEach((pause, at) => {
      expect(pause).toBeGreaterThanOrEqual(0);
      expect(pause).toBeLessThanOrEqual(200 * 2 ** (at + 1));
    });
  });

  test("is forgotten when a later try succeeds", async () => {
    const { c, pauses } = await before((request, response, round) =>
      (round < 3 ? failure("unavailable", 503) : json(200, cluster))(request, response, round),
    );
    expect(await c.clusters.get({ params: { cluster: "a" } })).toEqual(cluster);
    expect(pauses).toHaveLength(2);
  });

  test("says how long to wait, and is heeded up to half a minute", async () => {
    for (const [said, least, most] of [
      ["1", 1_000, 6_000],
      ["86400", 30_000, 35_000],
      ["soon", 0, 5_000],
      ["-5", 0, 5_000],
    ] as const) {
      const { c, pauses } = await before(failure("busy", 503, { "retry-after": said }));
      await thrown(c.health.get());
      expect(Math.min(...pauses)).toBeGreaterThanOrEqual(least);
      expect(Math.max(...pauses)).toBeLessThanOrEqual(most);
    }
  });

  test("with a code of a newer control plane is told by its status", async () => {
    const { c } = await before(json(404, { code: "went_fishing", message: "gone", details: {} }));
    expect(await thrown(c.health.get())).toMatchObject({
      code: "not_found",
      message: "gone",
      details: { status: 404 },
    });
  });

  test("of the gateway itself is told in its words", async () => {
    for (const [status, message, code, tries] of [
      [429, "Too Many Requests", "unavailable", 5],
      [503, "Service Unavailable", "unavailable", 5],
      [500, "Internal Server Error", "internal", 1],
      [404, "Not Found", "not_found", 1],
      [413, "Request Entity Too Large", "too_large", 1],
      [403, "Forbidden", "forbidden", 1],
      [418, "I'm a teapot", "invalid_request", 1],
    ] as const) {
      const { c, requests } = await before(json(status, { message }));
      expect(await thrown(c.health.get())).toMatchObject({ code, message });
      expect(requests).toHaveLength(tries);
    }
  });
});

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
    const { c, requests, endpoint } = await before(script);
    const error = await thrown(c.clusters.list());
    expect(error.code).toBe("internal");
    expect(error.message).toMatch(new RegExp(`^${endpoint} answered \\d+ with .* which is not Muster's API$`));
    expect(error.details.hint).toContain("endpoint");
    expect(JSON.stringify([error.message, error.details])).not.toContain("t0ken");
    expect(requests).toHaveLength(1);
  });

  test("when it fails with HTML, is told by its status", async () => {
    const { c } = await before(
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
    const { c, server, endpoint, pauses } = await before(json(200, {}));
    await new Promise(resolve => server.close(resolve).closeAllConnections());
    const error = await thrown(c.health.get());
    expect(error).toMatchObject({ code: "unavailable", message: `cannot reach ${endpoint}: connection refused` });
    expect(error.details.hint).toContain("MUSTER_ENDPOINT");
    expect(pauses).toHaveLength(4);
  });

  test("that breaks before, or in the middle of, an answer is tried again under the same key", async () => {
    const { c, requests } = await before((request, response, round) => {
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
    const { c, requests } = await before(() => {}, { timeout: 30 });
    const error = await thrown(c.health.get());
    expect(error).toMatchObject({ code: "unavailable" });
    expect(error.message).toMatch(/no answer within 0\.03 s$/);
    expect(requests.length).toBeGreaterThanOrEqual(1);
  });
});

describe("a signal", () => {
  test("that has fired sends nothing", async () => {
    const { c, requests } = await before(json(200, cluster));
    const reason = new Error("enough");
    expect(await thrown(c.health.get({}, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(requests).toEqual([]);
  });

  test("ends a call under way, and one that pauses", async () => {
    const stop = new AbortController();
    const { c } = await before(() => stop.abort(new Error("enough")));
    await expect(c.health.get({}, { signal: stop.signal })).rejects.toThrow("enough");

    const later = new AbortController();
    const { endpoint, requests } = await before((request, response, round) => {
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
