/** Ran against: servers of the test that speak TLS, or do not get that far. */
import { createServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import type { Aws, Called } from "@muster/aws/call/aws.ts";
import { json } from "@muster/aws/call/json.ts";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makeCertificate } from "./support/call-cert.ts";

const credentials = async () => ({ accessKeyId: "a", secretAccessKey: "b" });
const calls: Called[] = [];
const awsAt = (endpoint: string): Aws => ({
  region: "us-east-1",
  endpoint,
  credentials,
  onCall: call => calls.push(call),
});

async function listen(server: Server): Promise<string> {
  await new Promise<void>(done => server.listen(0, "127.0.0.1", done));
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const seen = { connections: 0 };
let server: ReturnType<typeof createServer>;
let certificate: Awaited<ReturnType<typeof makeCertificate>>;
let url: string;
beforeAll(async () => {
  certificate = await makeCertificate();
  server = createServer(certificate, (_, response) => response.end('{"safe":true}'));
  server.on("secureConnection", () => {
    seen.connections += 1;
  });
  url = await listen(server);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

test("nothing is sent to a server that is not trusted", async () => {
  const asked = json(awsAt(url), "dynamodb", "PutItem", {}, { attempts: 1 });
  await expect(asked).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT", kind: "throttled", status: 0 });
});

test("requests share a connection", async () => {
  const trusted = getCACertificates("default");
  setDefaultCACertificates([...trusted, certificate.cert]);
  try {
    seen.connections = 0;
    for (let n = 0; n < 4; n++) expect(await json(awsAt(url), "dynamodb", "GetItem", {})).toEqual({ safe: true });
    expect(seen.connections).toBe(1);
    expect(await json(awsAt(url), "ssm", "SendCommand", {})).toEqual({ safe: true });
    expect(seen.connections).toBe(2);
  } finally {
    setDefaultCACertificates(trusted);
  }
});

test("nothing is sent to one that never greets", async () => {
  const mute = createTcpServer(() => {});
  const asked = json(awsAt(await listen(mute)), "dynamodb", "PutItem", {}, { attempts: 1, timeout: 100 });
  await expect(asked).rejects.toMatchObject({ code: "ETIMEDOUT", kind: "throttled", status: 0 });
  expect(calls.at(-1)).toMatchObject({ status: 0, attempt: 1 });
  mute.close();
});
