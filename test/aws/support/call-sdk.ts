/**
 * AWS's own SDK beside us: both send the same request, on the same date and with the same credentials, to a plain server
 * of the test, and what arrived is compared to the byte: target, body, and the Authorization header with its signature.
 *
 * Left out, and so not signed on the SDK's side, are only the headers by which it speaks of itself and of its retries, and
 * the `x-id` that it puts into S3's queries for its own sake.
 */
import type { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { S3Client } from "@aws-sdk/client-s3";
import * as fc from "fast-check";
import { expect } from "vitest";
import type { Asked, CallServer } from "./call-server.ts";

export const NOW = Date.parse("2026-03-04T05:06:07.890Z");
export const region = "eu-west-3";
const ITS_OWN = ["amz-sdk-invocation-id", "amz-sdk-request", "x-amz-user-agent", "user-agent"];

export const credentials = fc.record({
  accessKeyId: fc.stringMatching(/^[A-Z0-9]{16,20}$/),
  secretAccessKey: fc.string({ minLength: 1, maxLength: 40 }),
  sessionToken: fc.option(fc.base64String({ minLength: 4, maxLength: 200 }), { nil: undefined }),
});
export type Keys = { accessKeyId: string; secretAccessKey: string; sessionToken: string | undefined };
export const known = (keys: Keys) => ({
  accessKeyId: keys.accessKeyId,
  secretAccessKey: keys.secretAccessKey,
  ...(keys.sessionToken !== undefined && { sessionToken: keys.sessionToken }),
});

/** Takes from the SDK's requests what only the SDK needs, before they are signed. */
export function plain<Client extends DynamoDBClient | S3Client>(client: Client): Client {
  type Next = (args: object) => Promise<object>;
  const strip = (next: Next) => async (args: object) => {
    const { request } = args as { request: { headers: Record<string, string>; query: Record<string, string> } };
    for (const name of ITS_OWN) delete request.headers[name];
    delete request.query["x-id"];
    return next(args);
  };
  client.middlewareStack.addRelativeTo(strip as never, {
    relation: "before",
    toMiddleware: "httpSigningMiddleware",
    name: "plain",
  });
  return client;
}

/** What arrived, without what says nothing: who asked, and about the connection. */
function essence({ method, url, headers, body }: Asked) {
  const kept = Object.entries(headers).filter(
    ([name]) => !["user-agent", "connection", "accept", "accept-encoding", "expect"].includes(name),
  );
  const [path, query = ""] = url.split("?");
  return { method, path, query: query.split("&").sort(), headers: Object.fromEntries(kept), body };
}

/** Fails unless both sent one request, and the same. */
export async function same(
  server: CallServer,
  theirs: () => Promise<unknown>,
  ours: () => Promise<unknown>,
): Promise<void> {
  server.forget();
  await theirs().catch(() => undefined);
  await ours().catch(() => undefined);
  expect(server.asked).toHaveLength(2);
  const [first, second] = server.asked.map(essence);
  expect(second).toEqual(first);
  expect(second?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=.*Signature=[0-9a-f]{64}$/);
}
