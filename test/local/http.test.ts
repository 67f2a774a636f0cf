/** Ran against: the local HTTP server over real sockets on loopback, with handlers of this test's own behind it. */
import { once } from "node:events";
import { Agent, request } from "node:http";
import { connect } from "node:net";
import type { HttpEvent } from "@muster/api/http.ts";
import { MAX_BODY } from "@muster/api/http.ts";
import { entries } from "@muster/api/routes.ts";
import { type ListenOptions, listen } from "@muster/local/http/listen.ts";
import { matcher } from "@muster/local/http/match.ts";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";

async function open(options: Partial<ListenOptions> = {}) {
  const events: HttpEvent[] = [];
  const logged: string[] = [];
  const server = await listen({
    dispatch: async event => {
      events.push(event);
      return { statusCode: 200, headers: { "content-type": "application/json", "x-own": "1" }, body: '{"grün":1}' };
    },
    blobs: async () => new Response("blob"),
    log: { error: message => void logged.push(message) },
    ...options,
  });
  onTestFinished(() => server.close());
  return { ...server, port: Number(new URL(server.url).port), events, logged };
}

/** Bytes to the server, and all it says until it hangs up or has said enough. */
async function raw(port: number, bytes: string, until: RegExp | "close" = "close"): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  let heard = "";
  const done = new Promise<void>(resolve => {
    socket.on("data", chunk => {
      heard += chunk;
      if (until !== "close" && until.test(heard)) resolve();
    });
    socket.on("close", () => resolve());
  });
  socket.write(bytes);
  await done;
  return heard;
}
const get = (path: string, headers = "Host: 127.0.0.1\r\n") =>
  `GET ${path} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`;
const jsonIn = (heard: string) => JSON.parse(heard.slice(heard.indexOf("\r\n\r\n") + 4));

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
    const query = await raw(port, get(`/v1/health?${"a=1&".repeat(10_000)}`));
    expect(query).toMatch(/^HTTP\/1\.1 431/);
    expect(await raw(port, get("/v1/health", `Host: localhost\r\nX: ${"x".repeat(15_000)}\r\n`))).toMatch(/ 200 /);
    expect(events).toHaveLength(1);
  });
});

describe("bodies", () => {
  test("of a megabyte are taken, larger ones are answered 413 even to those who are still sending", async () => {
    const { url, events } = await open();
    const send = (size: number) => fetch(`${url}/v1/launches`, { method: "POST", body: Buffer.alloc(size, 0x20) });
    expect((await send(MAX_BODY)).status).toBe(200);
    for (const size of [MAX_BODY + 1, 10_000_000]) {
      const answer = await send(size);
      expect(answer.status).toBe(413);
      expect(await answer.json()).toMatchObject({ code: "too_large", details: { maxBytes: MAX_BODY } });
    }
    expect(events).toHaveLength(1);
    expect((await fetch(`${url}/v1/health`)).status).toBe(200);
  });

  test("that never end are cut off", async () => {
    const { port } = await open();
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("POST /v1/launches HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = `100000\r\n${" ".repeat(0x100000)}\r\n`;
    let sent = 0;
    const pump = () => {
      while (!socket.destroyed && sent < 200 && socket.write(chunk)) sent++;
    };
    socket.on("drain", pump);
    pump();
    await new Promise(resolve => socket.once("close", resolve));
    expect(sent).toBeLessThan(100);
  });

  test("that trickle in are not waited for, nor are headers", async () => {
    const { port, events } = await open({ patience: { headers: 100, body: 100, blob: 10_000 } });
    const slow = await raw(port, "POST /v1/launches HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{");
    expect(jsonIn(slow)).toMatchObject({ code: "invalid_request", message: "the body did not come in time" });
    expect(slow).toMatch(/connection: close/i);
    expect(await raw(port, "GET /v1/health HTTP/1.1\r\nHost: loc")).toMatch(/^HTTP\/1\.1 408/);
    expect(events).toEqual([]);
  });

  test("whose sender goes away leave nothing behind", async () => {
    const { port, url, events, logged } = await open();
    const socket = connect(port, "127.0.0.1");
    socket.write("POST /v1/launches HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{");
    await once(socket, "connect");
    socket.resetAndDestroy();
    expect((await fetch(`${url}/v1/health`)).status).toBe(200);
    expect([events.length, logged]).toEqual([1, []]);
  });
});

test("what is no HTTP is answered 400 and hung up on", async () => {
  const { port, events } = await open();
  for (const bytes of [
    "\u0016\u0003\u0001\r\n\r\n",
    "GET\r\n\r\n",
    "GET /v1/health HTTP/9.9\r\nHost: localhost\r\n\r\n",
  ])
    expect(await raw(port, bytes)).toMatch(/^HTTP\/1\.1 400/);
  expect(await raw(port, get("http://evil.example/v1/health"))).toMatch(/^HTTP\/1\.1 404/);
  const smuggled =
    "POST /v1/launches HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  expect(await raw(port, smuggled)).toMatch(/^HTTP\/1\.1 400/);
  expect(events).toEqual([]);
});

test("a handler that crashes is an `internal` failure, told to the log alone", async () => {
  const { url, logged } = await open({ dispatch: () => Promise.reject(new Error("s3cret")) });
  const answer = await fetch(`${url}/v1/health`);
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain("s3cret");
  expect(logged).toEqual(["request failed"]);
});

describe("blobs", () => {
  test("stream in and out, with their headers", async () => {
    const seen: string[] = [];
    const { url } = await open({
      blobs: async incoming => {
        seen.push(`${incoming.method} ${incoming.url} ${incoming.headers.get("x-a")}`);
        let size = 0;
        for await (const chunk of incoming.body ?? []) size += chunk.length;
        const parts = new ReadableStream({
          pull: controller => {
            controller.enqueue(new TextEncoder().encode(`${size}`));
            controller.close();
          },
        });
        return new Response(parts, { status: 206, headers: { "x-b": "2" } });
      },
    });
    const answer = await fetch(`${url}/blobs/a%2Fb?s=1`, {
      method: "POST",
      headers: { "x-a": "1" },
      body: Buffer.alloc(20_000_000),
    });
    expect([answer.status, answer.headers.get("x-b"), await answer.text()]).toEqual([206, "2", "20000000"]);
    expect((await fetch(`${url}/blobs`, { method: "POST", body: "abc" })).status).toBe(206);
    expect(seen).toEqual([`POST ${url}/blobs/a%2Fb?s=1 1`, `POST ${url}/blobs null`]);
  });

  test("neither way are they held in memory: a slow reader slows the writer down", async () => {
    let made = 0;
    const { url } = await open({
      blobs: async () =>
        new Response(
          new ReadableStream({
            pull: controller => {
              made++;
              controller.enqueue(new Uint8Array(1_000_000));
              if (made === 200) controller.close();
            },
          }),
        ),
    });
    const answer = await fetch(`${url}/blobs/a`);
    const reader = answer.body?.getReader();
    await reader?.read();
    expect(made).toBeLessThan(50);
    await reader?.cancel();
  });

  test("a reader who leaves ends the stream and fires the signal", async () => {
    const gone = Promise.withResolvers<void>();
    const cancelled = Promise.withResolvers<void>();
    const { url, logged } = await open({
      blobs: async incoming => {
        incoming.signal.addEventListener("abort", () => gone.resolve());
        return new Response(
          new ReadableStream({
            pull: controller => controller.enqueue(new Uint8Array(100_000)),
            cancel: () => cancelled.resolve(),
          }),
        );
      },
    });
    const answer = await fetch(`${url}/blobs/a`);
    const reader = answer.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await Promise.all([gone.promise, cancelled.promise]);
    expect(logged).toEqual([]);
  });

  test("a writer who leaves breaks the handler's body, and the server lives on", async () => {
    const broken = Promise.withResolvers<unknown>();
    const { port, url } = await open({
      blobs: async incoming => {
        await incoming.arrayBuffer().catch(broken.resolve);
        return new Response(null, { status: 204 });
      },
    });
    const socket = connect(port, "127.0.0.1");
    socket.write("POST /blobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc");
    await once(socket, "connect");
    setImmediate(() => socket.destroy());
    expect(await broken.promise).toBeInstanceOf(Error);
    expect((await fetch(`${url}/v1/health`)).status).toBe(200);
  });

  test("a refusal is seen by a writer who is still sending", async () => {
    for (const read of [false, true]) {
      const { url } = await open({
        blobs: async incoming => {
          if (read) await incoming.body?.getReader().read();
          return Response.json({ code: "forbidden" }, { status: 403, headers: { connection: "close" } });
        },
      });
      const answer = await fetch(`${url}/blobs`, { method: "POST", body: Buffer.alloc(20_000_000) });
      expect([answer.status, await answer.json()]).toEqual([403, { code: "forbidden" }]);
    }
  });

  test("a body that the handler cancels does not take its answer away", async () => {
    const { url } = await open({
      blobs: async incoming => {
        await incoming.body?.cancel();
        return new Response("no, thank you", { status: 413 });
      },
    });
    const answer = await fetch(`${url}/blobs`, { method: "POST", body: Buffer.alloc(5_000_000) });
    expect([answer.status, await answer.text()]).toEqual([413, "no, thank you"]);
  });

  test("a path that leads out of the mount, or another method, is not passed on", async () => {
    let passed = 0;
    const { port, url } = await open({ blobs: async () => new Response(String(++passed)) });
    for (const path of ["/blobs/../v1/health", "/blobs/%2e%2e/%2E%2E/etc/passwd", "/blobs/.."])
      expect(await raw(port, get(path))).toMatch(/^HTTP\/1\.1 404/);
    expect((await fetch(`${url}/blobs/a`, { method: "DELETE" })).status).toBe(404);
    expect(passed).toBe(0);
  });

  test("a handler that crashes is an `internal` failure", async () => {
    const { url, logged } = await open({ blobs: () => Promise.reject(new Error("s3cret")) });
    const answer = await fetch(`${url}/blobs`, { method: "POST", body: "abc" });
    expect([answer.status, (await answer.text()).includes("s3cret"), logged]).toEqual([500, false, ["request failed"]]);
  });
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
