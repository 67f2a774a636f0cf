/**
 * Ran against: the embedded control plane's own HTTP server, over loopback, and the real handlers behind it: bodies and headers
 * of one byte less, as many, and one more than it takes, requests that come in crumbs or not at all, and paths that no
 * decoder likes. Whatever comes, it is answered in the system's own form or cut off, and the next one is served.
 */
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { MAX_BODY } from "@muster/api/http.ts";
import { type Listening, listen } from "@muster/local/http/listen.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStage, type Stage } from "./stage.ts";

let stage: Stage;
let server: Listening;
let token: string;
let sent = 0;

beforeAll(async () => {
  stage = openStage();
  token = await stage.token("acme", "admin");
  const blobs = async () => new Response(null, { status: 404 });
  server = await listen({ dispatch: stage.dispatch, blobs, patience: { headers: 300, body: 300, blob: 600 } });
});
afterAll(() => server.close());

interface Told {
  readonly status: number;
  readonly code: string | undefined;
}

function send(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
  body?: string | Buffer,
): Promise<Told> {
  const { promise, resolve, reject } = Promise.withResolvers<Told>();
  const { port } = new URL(server.url);
  const all = { authorization: token, ...(body !== undefined && { "content-type": "application/json" }), ...headers };
  const request = httpRequest({ host: "127.0.0.1", port, method, path, headers: all, agent: false }, response => {
    const parts: Buffer[] = [];
    response.on("data", part => parts.push(part));
    response.on("end", () => {
      const text = Buffer.concat(parts).toString();
      resolve({ status: response.statusCode ?? 0, code: text.startsWith("{") ? JSON.parse(text).code : undefined });
    });
  });
  request.on("error", reject);
  request.end(body);
  sent++;
  return promise;
}

/** What a raw connection is told, until it is closed. */
function raw(...texts: readonly string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const { port } = new URL(server.url);
  const parts: string[] = [];
  const socket = connect(Number(port), "127.0.0.1", () => {
    for (const text of texts) socket.write(text, "latin1");
  });
  socket.on("data", part => parts.push(part.toString("latin1")));
  socket.on("error", () => undefined);
  socket.on("close", () => resolve(parts.join("")));
  sent++;
  return promise;
}

const secret = (bytes: number): string => {
  const around = '{"value":""}'.length;
  return `{"value":"${"x".repeat(bytes - around)}"}`;
};

test.each([-2, -1, 0, 1, 2, 1_000, 500_000, 5_000_000])("a body of the most and %i bytes", async more => {
  const told = await send("PUT", "/v1/secrets/A", {}, secret(MAX_BODY + more));
  // What may come is too much for a secret, and said so.
  expect([told.status, told.code]).toEqual(more > 0 ? [413, "too_large"] : [400, "invalid_request"]);
});

test.each([-1, 0, 1, 5_000_000])("one of the most and %i bytes that does not say how long it is", async more => {
  const told = await send("PUT", "/v1/secrets/A", { "transfer-encoding": "chunked" }, secret(MAX_BODY + more));
  expect([told.status, told.code]).toEqual(more > 0 ? [413, "too_large"] : [400, "invalid_request"]);
});

test.each([-1, 0, 1])("characters of three bytes count as three: %i", async more => {
  const body = `"${"€".repeat(Math.floor(MAX_BODY / 3))}"`.padEnd(MAX_BODY - 2 * Math.floor(MAX_BODY / 3) + more, " ");
  const bytes = Buffer.byteLength(body);
  const told = await send("PUT", "/v1/secrets/A", {}, body);
  expect(told.status).toBe(bytes > MAX_BODY ? 413 : 400);
});

test.each([1_000, 8_000, 10_239, 10_240, 10_241, 16_000, 17_000, 64_000])("a header of %i bytes", async size => {
  const told = await send("GET", "/v1/whoami", { "x-long": "x".repeat(size) });
  expect(told.status).toBe(size < 16_200 ? 200 : 431);
});

test.each([10, 100, 1_000, 1_900])("%i headers", async count => {
  const told = await send(
    "GET",
    "/v1/whoami",
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`x${at}`, "1"])),
  );
  expect([200, 431]).toContain(told.status);
});

test.each([1, 100, 1_000])("%i parameters that are not known", async count => {
  const query = Array.from({ length: count }, (_, at) => `q${at}=1`).join("&");
  const told = await send("GET", `/v1/whoami?${query}`);
  expect([told.status, told.code]).toEqual([400, "invalid_request"]);
});

const PATHS = [
  ...["%", "%z", "%zz", "%2", "%c0%af", "%e0%80%af", "%ff", "%ed%a0%80", "%00", "%u0041", "%f8%88%80%80%80", "a%"],
  ...[
    "..",
    "%2e%2e",
    ".%2e",
    "%2e%2e%2f%2e%2e",
    "%5c..%5c",
    "a%2fb",
    "%252e%252e",
    "~",
    "%0d%0aX:1",
    "%20",
    "a;b",
    "%3f",
    "%23",
  ],
];
test.each(PATHS)("the path of a cluster %s", async name => {
  const told = await send("GET", `/v1/clusters/${name}`);
  expect([
    [400, "invalid_request"],
    [404, "not_found"],
  ]).toContainEqual([told.status, told.code]);
});

test.each([
  "/",
  "//",
  "/v1",
  "/v1/",
  "/v1//clusters",
  "/v1/clusters/",
  "/v2/clusters",
  "/V1/clusters",
  "/v1/clusters/a/b/c/d",
  "/.git/config",
  "/v1/clusters?",
  "/?x",
])("the path %s", async path => {
  const { status } = await send("GET", path);
  expect(path === "/v1/clusters?" ? [200] : [404]).toContain(status);
});

test.each(["TRACE", "OPTIONS", "PATCH", "HEAD", "PROPFIND", "PURGE"])("the method %s is none here", async method => {
  const { status } = await send(method, "/v1/clusters");
  expect([404, 405]).toContain(status);
});

const HEAD = "GET /v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n";
const POST = `POST /v1/clusters HTTP/1.1\r\nHost: 127.0.0.1\r\ncontent-type: application/json\r\n`;
const SLOW: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["a head that never ends", [HEAD], /^HTTP\/1\.1 408|^$/],
  ["half a line", ["GET /v1/he"], /^HTTP\/1\.1 408|^$/],
  ["nothing at all", [""], /^HTTP\/1\.1 408|^$/],
  ["no request", ["\u0016\u0003\u0001\u0002\u0000\u0001"], /^HTTP\/1\.1 400|^$/],
  [
    "a body that is shorter than it says",
    [`${POST}authorization: TOKEN\r\ncontent-length: 50\r\nconnection: close\r\n\r\n{`],
    /^HTTP\/1\.1 (400|408)/,
  ],
  ["two lengths", [`${POST}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`], /^HTTP\/1\.1 400/],
  [
    "a length and chunks",
    [`${POST}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    /^HTTP\/1\.1 400/,
  ],
  [
    "chunks of no number",
    [`${POST}transfer-encoding: chunked\r\nconnection: close\r\n\r\nzz\r\n`],
    /^HTTP\/1\.1 4\d\d|^$/,
  ],
  ["a length below zero", [`${POST}content-length: -1\r\n\r\n`], /^HTTP\/1\.1 400/],
  ["a folded header", [`${HEAD}x: a\r\n b\r\nconnection: close\r\n\r\n`], /^HTTP\/1\.1 (200|400)/],
  ["a header without a name", [`${HEAD}: x\r\nconnection: close\r\n\r\n`], /^HTTP\/1\.1 400/],
  ["a NUL in a header", [`${HEAD}x: a\u0000b\r\nconnection: close\r\n\r\n`], /^HTTP\/1\.1 400/],
  ["another host", ["GET /v1/health HTTP/1.1\r\nHost: evil.example\r\nconnection: close\r\n\r\n"], /^HTTP\/1\.1 403/],
  ["no host", ["GET /v1/health HTTP/1.1\r\nconnection: close\r\n\r\n"], /^HTTP\/1\.1 (400|403)/],
  ["another protocol", ["GET /v1/health HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n"], /^HTTP\/1\.1 (400|505)|^$/],
];
test.each(SLOW)("%s is cut off or refused", async (_, texts, expected) => {
  expect(await raw(...texts.map(text => text.replace("TOKEN", token)))).toMatch(expected);
});

test("and whoever comes next is served", async () => {
  expect(await send("GET", "/v1/whoami")).toMatchObject({ status: 200 });
  expect(stage.logged.filter(({ level }) => level === "error")).toEqual([]);
  expect(sent).toBeGreaterThanOrEqual(60);
});
