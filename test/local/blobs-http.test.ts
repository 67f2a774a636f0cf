/** Ran against: the blobs' HTTP edge behind a real server of node:http, over real sockets. */
import { createServer, request, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { Readable } from "node:stream";
import { handleBlobRequest } from "@muster/local/blobs/http.ts";
import { expect, onTestFinished, test } from "vitest";
import { collect, open } from "./blobs-support.ts";

const hour = 3_600_000;

async function listen() {
  const server: Server = createServer();
  const opened = open(() => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const failures: unknown[] = [];
  server.on("request", (incoming, outgoing) => {
    const body = incoming.method === "POST" ? Readable.toWeb(incoming) : null;
    const headers = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)]);
    const asked = new Request(`http://localhost${incoming.url}`, {
      method: incoming.method ?? "GET",
      headers,
      body,
      duplex: "half",
    });
    handleBlobRequest(opened.edge, asked)
      .then(response => {
        outgoing.writeHead(response.status, Object.fromEntries(response.headers));
        if (response.body === null) outgoing.end();
        else Readable.fromWeb(response.body as never).pipe(outgoing);
      })
      .catch((error: unknown) => {
        failures.push(error);
        outgoing.destroy();
      });
  });
  await new Promise<void>(resolve => void server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { ...opened, failures };
}

const form = (fields: Readonly<Record<string, string>>, key: string, content: Blob) => {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.append(name, value);
  made.append("key", key);
  made.append("file", content, "file");
  return made;
};

test("a large upload streams in and out again", async () => {
  const { blobs, now } = await listen();
  const policy = await blobs.postPolicy({ prefix: "p/", maxBytes: 100_000_000, expiresAt: now() + hour });
  const content = new Blob(Array.from({ length: 320 }, (_, n) => Buffer.alloc(100_000, n)));
  const posted = await fetch(policy.url, { method: "POST", body: form(policy.fields, "p/a", content) });
  expect([posted.status, await posted.text()]).toEqual([204, ""]);
  const got = await fetch(await blobs.signedGet("p/a", now() + hour));
  expect(got.headers.get("content-length")).toBe("32000000");
  expect(Buffer.from(await got.arrayBuffer()).equals(Buffer.from(await content.arrayBuffer()))).toBe(true);
});

test("a connection serves again after an upload", async () => {
  const { blobs, now, failures } = await listen();
  const policy = await blobs.postPolicy({ prefix: "p/", maxBytes: 1000, expiresAt: now() + hour });
  for (let n = 0; n < 5; n++) {
    const posted = await fetch(policy.url, { method: "POST", body: form(policy.fields, `p/${n}`, new Blob(["x"])) });
    expect([posted.status, posted.headers.get("connection")]).toEqual([204, "keep-alive"]);
  }
  expect(failures).toEqual([]);
  expect(await blobs.list("p/")).toHaveLength(5);
});

test("an upload that says it is too large is answered before its file is sent", async () => {
  const { blobs, now, files } = await listen();
  const policy = await blobs.postPolicy({ prefix: "p/", maxBytes: 1000, expiresAt: now() + hour });
  const head = [...Object.entries(policy.fields), ["key", "p/a"]]
    .map(([name, value]) => `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`)
    .join("");
  const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
    const headers = { "content-type": "multipart/form-data; boundary=B", "content-length": 1_000_000_000 };
    const sending = request(policy.url, { method: "POST", headers }, async response => {
      const body = (await collect(response)).toString();
      resolve({ status: response.statusCode, body });
      sending.destroy();
    });
    sending.on("error", reject);
    sending.write(`${head}--B\r\nContent-Disposition: form-data; name="file"\r\n\r\nbegins`);
  });
  expect(answer.status).toBe(413);
  expect(JSON.parse(answer.body)).toEqual({
    code: "too_large",
    message: "this policy is for at most 1000 bytes",
    details: { maxBytes: 1000 },
  });
  expect(files()).toEqual([]);
});

test("an upload whose connection breaks leaves nothing", async () => {
  const { blobs, now, files, failures } = await listen();
  const policy = await blobs.postPolicy({ prefix: "p/", maxBytes: 10_000_000, expiresAt: now() + hour });
  const whole = new Request(policy.url, {
    method: "POST",
    body: form(policy.fields, "p/a", new Blob(["x".repeat(1_000_000)])),
  });
  const body = Buffer.from(await whole.arrayBuffer());
  const socket = connect(Number(new URL(policy.url).port), "127.0.0.1");
  socket.write(
    `POST /blobs HTTP/1.1\r\nhost: x\r\ncontent-type: ${whole.headers.get("content-type")}\r\ncontent-length: ${body.length}\r\n\r\n`,
  );
  socket.write(body.subarray(0, 500_000), () => socket.destroy());
  await expect.poll(() => failures.length).toBe(1);
  expect(files()).toEqual([]);
});

test("what stands behind the file is read, so that nothing of it is left on the connection", async () => {
  const { edge, blobs, now } = open();
  const { url, fields } = await blobs.postPolicy({ prefix: "p/", maxBytes: 10, expiresAt: now() + hour });
  const written = new Request(url, { method: "POST", body: form(fields, "p/a", new Blob(["x"])) });
  const pieces = [
    new Uint8Array(await written.arrayBuffer()),
    ...Array.from({ length: 20 }, () => new Uint8Array(1000)),
  ];
  const body = new ReadableStream<Uint8Array>({
    pull: controller => {
      const piece = pieces.shift();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
  });
  const init = { method: "POST", headers: written.headers, body, duplex: "half" } as const;
  expect((await handleBlobRequest(edge, new Request(url, init))).status).toBe(204);
  expect(pieces).toEqual([]);
});

test("what a job wrote does not run as a page", async () => {
  const { blobs, now } = await listen();
  await blobs.put("a.html", Buffer.from("<script>"));
  const { headers } = await fetch(await blobs.signedGet("a.html", now() + hour));
  expect(headers.get("content-type")).toBe("application/octet-stream");
  expect(headers.get("x-content-type-options")).toBe("nosniff");
  expect(headers.get("content-security-policy")).toBe("sandbox");
});

test.each([
  ["POST", "/blobs/a"],
  ["GET", "/blobs"],
  ["PUT", "/blobs/a"],
  ["DELETE", "/blobs/a"],
])("%s %s is refused", async (method, path) => {
  const { edge } = open();
  const response = await handleBlobRequest(edge, new Request(`http://x${path}`, { method }));
  expect([response.status, await response.json()]).toMatchObject([400, { code: "invalid_request" }]);
});

test("a form without a key, and a body that is no form, are refused", async () => {
  const { edge, blobs, now } = open();
  const { url, fields } = await blobs.postPolicy({ prefix: "p/", maxBytes: 10, expiresAt: now() + hour });
  const keyless = form(fields, "p/a", new Blob(["x"]));
  keyless.delete("key");
  for (const body of [keyless, "text", null]) {
    const response = await handleBlobRequest(edge, new Request(url, { method: "POST", body }));
    expect([response.status, response.headers.get("connection")]).toEqual([400, "close"]);
  }
});
