/** How Outbound calls: against a real HTTP server on the loopback, which an operator's list lets it reach. */

import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { MusterError } from "@muster/core/error.ts";
import type { OutboundRequest } from "@muster/core/ports/outbound.ts";
import { createOutbound } from "@muster/node/outbound.ts";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { type Receiver, startReceiver } from "./outbound-support.ts";

let receiver: Receiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

const LOOPBACK = ["127.0.0.1"];
const near = createOutbound({ allow: LOOPBACK });
const at = (path: string, host = "127.0.0.1"): string => `http://${host}:${receiver.port}${path}`;
const asking = (url: string, more: Partial<OutboundRequest> = {}): OutboundRequest => ({
  ...{ method: "POST", url, headers: { "content-type": "text/plain" }, body: "héllo", timeout: 10_000, maxBytes: 64 },
  ...more,
});

test("a request is heard as it was asked for, and answered", async () => {
  receiver.answer = response => response.writeHead(201, { "X-One": "1", "Set-Cookie": ["a=b", "c=d"] }).end("done");
  const answer = await near.send(asking(at("/a?b=c"), { headers: { "x-two": "2" } }));
  expect(answer).toMatchObject({ status: 201, body: "done", headers: { "x-one": "1", "set-cookie": "a=b, c=d" } });
  expect(answer.isCut).toBeUndefined();
  expect(receiver.heard).toHaveLength(1);
  expect(receiver.heard[0]).toMatchObject({ method: "POST", path: "/a?b=c", body: "héllo" });
  expect(receiver.heard[0]?.headers).toMatchObject({ "x-two": "2", "content-length": "6", "user-agent": "Muster" });
});

test("without the operator's word, the loopback is not called", async () => {
  for (const url of [at("/"), at("/", "localhost"), `https://127.0.0.1:${receiver.port}/`, at("/", "[::1]")])
    await expect(createOutbound().send(asking(url))).rejects.toMatchObject({ code: "invalid_request" });
  expect(receiver.heard).toEqual([]);
});

/** Where somebody would like to have it go on. */
const ELSEWHERE = (port: number): readonly (readonly [number, string])[] => [
  [301, "http://169.254.169.254/latest/meta-data/"],
  [302, "http://[fd00:ec2::254]/latest/meta-data/"],
  [303, "http://169.254.170.2/v2/credentials"],
  [307, `http://127.0.0.1:${port}/other`],
  [308, `http://localhost:${port}/other`],
  [302, "/other"],
  [301, "//10.0.0.1/"],
  [307, "file:///etc/passwd"],
  [308, "https://hooks.example.com/"],
  [300, "gopher://127.0.0.1:6379/_FLUSHALL"],
];

test("no redirect is followed", async () => {
  const elsewhere = ELSEWHERE(receiver.port);
  expect(elsewhere).toHaveLength(10);
  for (const [status, location] of elsewhere) {
    receiver.answer = response => response.writeHead(status, { location }).end();
    expect(await near.send(asking(at("/first")))).toMatchObject({ status, headers: { location } });
  }
  expect(receiver.heard.map(({ path }) => path)).toEqual(elsewhere.map(() => "/first"));
});

test("a name is resolved once, and called where it led then", async () => {
  const answers = ["127.0.0.1", "10.255.255.1"];
  let times = 0;
  const rebinding = createOutbound({
    allow: LOOPBACK,
    lookup: async () => [{ address: answers[times++] ?? "10.255.255.2", family: 4 }],
  });
  expect(await rebinding.send(asking(at("/", "hooks.example.com")))).toMatchObject({ status: 200 });
  expect(times).toBe(1);
  expect(receiver.heard[0]?.host).toBe(`hooks.example.com:${receiver.port}`);
  // Asked anew, it is judged anew.
  await expect(rebinding.send(asking(at("/", "hooks.example.com")))).rejects.toMatchObject({ code: "invalid_request" });
});

test("a list of networks lets nothing through that is outside them", async () => {
  const leading = (address: string) =>
    createOutbound({ allow: ["127.0.0.0/8", "fd12::/16"], lookup: async () => [{ address, family: 4 }] });
  expect(await leading("127.0.0.1").send(asking(at("/", "a.example.com")))).toMatchObject({ status: 200 });
  for (const address of ["10.0.0.1", "169.254.169.254", "::1", "fd13::1"])
    await expect(leading(address).send(asking(at("/", "a.example.com")))).rejects.toMatchObject({
      code: "invalid_request",
    });
  // Open to everybody, but neither on a port for it nor by https.
  await expect(leading("93.184.215.14").send(asking(at("/", "a.example.com")))).rejects.toMatchObject({
    code: "invalid_request",
  });
});

test("a listed host may be at home, and never where machines are told who they are", async () => {
  const leading = (address: string, family = 4) =>
    createOutbound({ allow: ["git.corp.example.com", "*.lab.example.com"], lookup: async () => [{ address, family }] });
  for (const host of ["git.corp.example.com", "GIT.corp.example.com", "a.b.lab.example.com"])
    expect(await leading("127.0.0.1").send(asking(at("/", host))), host).toMatchObject({ status: 200 });
  for (const host of ["corp.example.com", "x.git.corp.example.com", "lab.example.com", "evillab.example.com"])
    expect(() => leading("127.0.0.1").check(at("/", host)), host).toThrow();
  for (const address of ["169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "0.0.0.0"])
    await expect(leading(address).send(asking(at("/", "git.corp.example.com")))).rejects.toMatchObject({
      code: "invalid_request",
    });
  for (const address of ["fd00:ec2::254", "fe80::1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "::"])
    await expect(leading(address, 6).send(asking(at("/", "git.corp.example.com")))).rejects.toMatchObject({
      code: "invalid_request",
    });
});

test.each([["a b"], ["10.0.0.0/33"], ["::/129"], ["fe80::1%eth0"], ["https://a.example.com"], ["a/24"], ["*"], ["-a"]])(
  "%j is refused as an entry of the list",
  entry => {
    expect(() => createOutbound({ allow: [entry] })).toThrow(MusterError);
  },
);

test("no more of a body is read than was asked for", async () => {
  receiver.answer = response => response.end("x".repeat(100_000));
  const answer = await near.send(asking(at("/"), { maxBytes: 10 }));
  expect(answer).toMatchObject({ status: 200, body: "x".repeat(10), isCut: true });
  receiver.answer = response => response.end("x".repeat(10));
  expect((await near.send(asking(at("/"), { maxBytes: 10 }))).isCut).toBeUndefined();
});

test("a body that never ends is not waited for: its status was the answer", async () => {
  receiver.answer = response => response.writeHead(200).write("begun");
  expect(await near.send(asking(at("/"), { timeout: 200 }))).toMatchObject({ status: 200, body: "begun", isCut: true });
});

test("a body that breaks off is no whole one", async () => {
  receiver.answer = response => {
    response.writeHead(200, { "content-length": "100" });
    response.write("some", () => response.destroy());
  };
  expect(await near.send(asking(at("/")))).toMatchObject({ status: 200, isCut: true });
});

test("who does not answer in time is unavailable", async () => {
  receiver.answer = () => undefined;
  await expect(near.send(asking(at("/"), { timeout: 50 }))).rejects.toMatchObject({ code: "unavailable" });
  expect(receiver.heard).toHaveLength(1);
});

test("who hangs up is unavailable, and so is whoever is not there", async () => {
  receiver.answer = response => response.destroy();
  await expect(near.send(asking(at("/")))).rejects.toMatchObject({ code: "unavailable" });
  const url = at("/");
  await receiver.close();
  await expect(near.send(asking(url))).rejects.toMatchObject({ code: "unavailable" });
});

test.each([
  ["no HTTP at all", "SSH-2.0-OpenSSH_9.2\r\n"],
  ["a header without an end", `HTTP/1.1 200 OK\r\nX: ${"a".repeat(100_000)}`],
  ["a status that is none", "HTTP/1.1 banana\r\n\r\n"],
])("%s is no answer", async (_, bytes) => {
  const server = createServer(socket => {
    socket.on("error", () => undefined);
    socket.end(bytes);
  });
  onTestFinished(() => void server.close());
  await new Promise<void>(listening => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await expect(near.send(asking(`http://127.0.0.1:${port}/`))).rejects.toMatchObject({ code: "unavailable" });
});

test("a header that breaks out of its line is refused", async () => {
  await expect(near.send(asking(at("/"), { headers: { a: "b\r\nc: d" } }))).rejects.toBeInstanceOf(MusterError);
  expect(receiver.heard).toEqual([]);
});

test("a server whose certificate nobody vouches for is not told anything", async () => {
  // Whoever speaks no TLS is the simplest of them.
  await expect(near.send(asking(at("/").replace("http:", "https:")))).rejects.toMatchObject({ code: "unavailable" });
  expect(receiver.heard).toEqual([]);
});
