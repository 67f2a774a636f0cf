/** Ran against: the local HTTP server over real sockets on loopback, with handlers of this test's own behind it. */
import { Agent, request } from "node:http";
import type { HttpEvent } from "@muster/api/http.ts";
import { entries } from "@muster/api/routes.ts";
import { listen } from "@muster/local/http/listen.ts";
import { matcher } from "@muster/local/http/match.ts";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { get, jsonIn, open, raw } from "./http-support.ts";

describe("a request becomes an event", () => {
  test("with its route, path, query, parameters, headers and body", async () => {
    const { url, events } = await open();
    const answer = await fetch(`${url}/v1/clusters/gr%C3%BCn%2Fx/jobs?a=1&b=%20`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Authorization: "Bearer x", "X-Twice": "1" },
      body: '{"ü":1}',
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("x-own")).toBe("1");
    expect(await answer.json()).toEqual({ grün: 1 });
    expect(events).toMatchObject([
      {
        routeKey: "POST /v1/clusters/{cluster}/jobs",
        rawPath: "/v1/clusters/gr%C3%BCn%2Fx/jobs",
        rawQueryString: "a=1&b=%20",
        pathParameters: { cluster: "grün/x" },
        headers: { "content-type": "application/json", authorization: "Bearer x", "x-twice": "1" },
        body: '{"ü":1}',
        isBase64Encoded: false,
        requestContext: { http: { method: "POST" }, requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) },
      },
    ]);
  });

  test("without a body when there is none, in base64 when it is no text", async () => {
    const { url, events } = await open();
    await fetch(`${url}/v1/health`);
    await fetch(`${url}/v1/clusters/a/stop`, { method: "POST" });
    await fetch(`${url}/v1/clusters`, { method: "POST", body: new Uint8Array([0xff, 0x00]) });
    expect(events.map(event => [event.body, event.isBase64Encoded])).toEqual([
      [undefined, false],
      [undefined, false],
      ["/wA=", true],
    ]);
    expect("body" in (events[0] as HttpEvent)).toBe(false);
  });

  test("in chunks as well as at once", async () => {
    const { port, events } = await open();
    const heard = await raw(
      port,
      "POST /v1/launches HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    );
    expect(heard).toMatch(/^HTTP\/1\.1 200/);
    expect(events[0]?.body).toBe("{}");
  });
});

describe("routes", () => {
  test("every route of the table is found by a path of its own", () => {
    const match = matcher(entries.map(([, route]) => route));
    for (const [, route] of entries) {
      const path = route.path.replace(/\{\w+\}/g, "some%20one");
      expect(match(route.method, path).routeKey).toBe(`${route.method} ${route.path}`);
      expect(Object.values(match(route.method, path).pathParameters).every(value => value === "some one")).toBe(true);
    }
  });

  test("a literal comes before a parameter, whatever the order of the table", () => {
    const table = [
      { method: "GET", path: "/a/{x}" },
      { method: "GET", path: "/a/plan" },
      { method: "POST", path: "/{y}/plan" },
    ];
    for (const routes of [table, table.toReversed()]) {
      const match = matcher(routes);
      expect(match("GET", "/a/plan").routeKey).toBe("GET /a/plan");
      expect(match("GET", "/a/b")).toEqual({ routeKey: "GET /a/{x}", pathParameters: { x: "b" } });
      expect(match("POST", "/a/plan")).toEqual({ routeKey: "POST /{y}/plan", pathParameters: { y: "a" } });
    }
  });

  test("a path that is none is not found; a wrong method is told the right ones", async () => {
    const { url, events } = await open();
    for (const path of [
      "/",
      "/v1",
      "/v1/clusters/",
      "/v1//jobs",
      "/v1/clusters/a/b",
      "/V1/health",
      "/v2/health",
      "/v1/health/",
      "/favicon.ico",
      "/blob",
      "/blobsx",
    ]) {
      const answer = await fetch(url + path);
      expect([path, answer.status]).toEqual([path, 404]);
      expect(await answer.json()).toMatchObject({ code: "not_found", details: { hint: expect.any(String) } });
    }
    const answer = await fetch(`${url}/v1/clusters/a`, { method: "PATCH", body: "{}" });
    expect(answer.status).toBe(404);
    expect(await answer.json()).toEqual({
      code: "not_found",
      message: "PATCH does not go with this path",
      details: { hint: "this path takes DELETE, GET" },
    });
    const head = await fetch(`${url}/v1/health`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([404, ""]);
    expect(events).toEqual([]);
  });

  test("a path that is not percent-encoded UTF-8 is refused", async () => {
    const { port } = await open();
    for (const path of ["%", "%zz", "%e4", "%c0%af", "a%2"]) {
      const heard = await raw(port, get(`/v1/clusters/${path}`));
      expect(heard).toMatch(/^HTTP\/1\.1 400/);
      expect(jsonIn(heard)).toMatchObject({
        code: "invalid_request",
        details: { issues: [{ path: "params.cluster" }] },
      });
    }
  });

  test("random paths never get more than an answer", () => {
    const match = matcher(entries.map(([, route]) => route));
    const segment = fc.oneof(
      fc.string(),
      fc.constantFrom("v1", "clusters", "jobs", "%", "..", "__proto__", "agent", "{cluster}"),
    );
    fc.assert(
      fc.property(
        fc.constantFrom("GET", "POST", "__proto__"),
        fc.array(segment, { maxLength: 6 }),
        (method, segments) => {
          try {
            expect(match(method, `/${segments.join("/")}`).routeKey).toMatch(/^(GET|POST) \/v1\//);
          } catch (error) {
            expect(error).toMatchObject({ code: expect.stringMatching(/^(not_found|invalid_request)$/) });
          }
        },
      ),
      { numRuns: 5_000 },
    );
  });
});

describe("who is let in", () => {
  test("only those who ask for this machine by name", async () => {
    const { port, events } = await open();
    const status = async (host: string) => Number((await raw(port, get("/v1/health", host))).slice(9, 12));
    for (const host of ["127.0.0.1", `127.0.0.1:${port}`, "localhost", `LocalHost:${port}`, "[::1]:80"])
      expect([host, await status(`Host: ${host}\r\n`)]).toEqual([host, 200]);
    expect(events).toHaveLength(5);
    for (const host of [
      "evil.example",
      "127.0.0.1.evil.example",
      "localhost.evil.example:80",
      "evil@localhost",
      "0.0.0.0",
      "127.0.0.1:1:2",
      "",
    ])
      expect([host, await status(`Host: ${host}\r\n`)]).toEqual([host, 403]);
    expect(await status("")).toBe(400);
    expect(events).toHaveLength(5);
    // A port that cannot be is none of a blob's business.
    for (const host of ["127.0.0.1:99999", "localhost:65536", "[::1]:00000"])
      expect([host, (await raw(port, get("/blobs/x", `Host: ${host}\r\n`))).slice(9, 12)]).toEqual([host, "200"]);
    const blob = await raw(port, get("/blobs/x", "Host: evil.example\r\n"));
    expect(jsonIn(blob).code).toBe("forbidden");
  });

  test("no other origin is allowed anything", async () => {
    const { url } = await open();
    const asked = await fetch(`${url}/v1/clusters`, {
      method: "OPTIONS",
      headers: { origin: "https://evil.example", "access-control-request-method": "POST" },
    });
    expect(asked.status).toBe(404);
    const answer = await fetch(`${url}/v1/health`, { headers: { origin: "https://evil.example" } });
    for (const headers of [asked.headers, answer.headers])
      expect([...headers.keys()].filter(name => name.startsWith("access-control"))).toEqual([]);
  });

  test("not those who send headers without end", async () => {
    const { port, events } = await open();
    const heard = await raw(port, get("/v1/health", `Host: localhost\r\nX: ${"x".repeat(17_000)}\r\n`));
    expect(heard).toMatch(/^HTTP\/1\.1 431/);
    expect(jsonIn(heard)).toMatchObject({ code: "too_large", details: { maxBytes: 16_384 } });
    const query = await raw(port, get(`/v1/health?${"a=1&".repeat(10_000)}`));
    expect(query).toMatch(/^HTTP\/1\.1 431/);
    expect(await raw(port, get("/v1/health", `Host: localhost\r\nX: ${"x".repeat(15_000)}\r\n`))).toMatch(/ 200 /);
    expect(events).toHaveLength(1);
  });
});

test("what is no HTTP, and what does not come in time, is told so in the form of every failure", async () => {
  const { port } = await open({ patience: { headers: 50, body: 50, blob: 50 } });
  for (const broken of [
    "NOT HTTP\r\n\r\n",
    "GET / HTTP/9.9\r\n\r\n",
    get("/v1/health", "Host: localhost\r\nContent-Length: x\r\n"),
  ]) {
    const heard = await raw(port, broken);
    expect([heard.slice(0, 12), jsonIn(heard).code]).toEqual(["HTTP/1.1 400", "invalid_request"]);
  }
  const late = await raw(port, "GET /v1/health HTTP/1.1\r\nHost: local");
  expect([late.slice(0, 12), jsonIn(late)]).toEqual([
    "HTTP/1.1 408",
    { code: "invalid_request", message: "the request did not come in time", details: {} },
  ]);
});

describe("closing", () => {
  test("ends kept connections at once, and lets requests under way end", async () => {
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    const server = await listen({
      dispatch: async event => {
        if (event.rawPath === "/v1/providers") {
          arrived.resolve();
          await release.promise;
        }
        return { statusCode: 200, headers: {}, body: "{}" };
      },
      blobs: async () => new Response(),
    });
    const agent = new Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const ask = (path: string) =>
      new Promise<number>((resolve, reject) =>
        request(server.url + path, { agent }, response =>
          response.resume().once("end", () => resolve(response.statusCode ?? 0)),
        )
          .once("error", reject)
          .end(),
      );
    expect(await ask("/v1/health")).toBe(200);
    const under = ask("/v1/providers");
    await arrived.promise;
    const closed = server.close();
    release.resolve();
    expect(await under).toBe(200);
    const begun = performance.now();
    await closed;
    expect(performance.now() - begun).toBeLessThan(1_000);
    await expect(fetch(`${server.url}/v1/health`)).rejects.toThrow();
  });

  test("cuts off what does not end by itself", async () => {
    const arrived = Promise.withResolvers<void>();
    const server = await listen({
      dispatch: () => {
        arrived.resolve();
        return new Promise(() => {});
      },
      blobs: async () => new Response(),
    });
    const hanging = fetch(`${server.url}/v1/health`).catch(() => "cut");
    await arrived.promise;
    await server.close();
    expect(await hanging).toBe("cut");
  });

  test("gives the port back; a port that is taken is told as such", async () => {
    const first = await open();
    await expect(
      listen({ dispatch: () => Promise.reject(), blobs: () => Promise.reject(), port: first.port }),
    ).rejects.toMatchObject({
      code: "conflict",
      message: `port ${first.port} is taken by another program`,
    });
    await first.close();
    const second = await open({ port: first.port });
    expect(second.url).toBe(first.url);
  });
});

test("a request costs little: hundreds pass in a second", async () => {
  const { url } = await open();
  const begun = performance.now();
  for (let round = 0; round < 300; round++) await (await fetch(`${url}/v1/clusters/a`)).arrayBuffer();
  expect(performance.now() - begun).toBeLessThan(3_000);
});
