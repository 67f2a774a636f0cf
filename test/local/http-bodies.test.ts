/** Ran against: the local HTTP server over real sockets on loopback, with handlers of this test's own behind it. */
import { once } from "node:events";
import { connect } from "node:net";
import { MAX_BODY } from "@muster/api/http.ts";
import { describe, expect, test } from "vitest";
import { get, jsonIn, open, raw } from "./http-support.ts";

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

  test("that are refused are answered even to a sender who does not listen before it has sent all", async () => {
    const { port } = await open({
      blobs: async () => Response.json({ code: "forbidden" }, { status: 403, headers: { connection: "close" } }),
    });
    const body = Buffer.alloc(10_000_000, 0x20);
    for (const [path, status] of [
      ["/v1/launches", 413],
      ["/v1/nothing", 404],
      ["/blobs", 403],
    ] as const) {
      const socket = connect(port, "127.0.0.1");
      socket.pause();
      const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
      await new Promise<void>((resolve, reject) =>
        socket.write(Buffer.concat([Buffer.from(head), body]), error => (error ? reject(error) : resolve())),
      );
      let heard = "";
      for await (const chunk of socket) heard += chunk;
      expect([path, Number(heard.slice(9, 12))]).toEqual([path, status]);
    }
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
    const base = "http://127.0.0.1/blobs";
    expect(seen).toEqual([`POST ${base}/a%2Fb?s=1 1`, `POST ${base} null`]);
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
