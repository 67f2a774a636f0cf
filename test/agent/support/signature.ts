/** AWS's own signing code, as it would sign a request of ours: to compare with, and to check what the agent sends. */
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Credentials, Signing, Unsigned } from "../../../packages/agent/src/control/sign.ts";

class Sha256 {
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("not used");
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): string | Buffer {
  if (typeof data === "string") return data;
  return ArrayBuffer.isView(data) ? Buffer.from(data.buffer, data.byteOffset, data.byteLength) : Buffer.from(data);
}

export async function awsHeaders(request: Unsigned, signing: Signing): Promise<Record<string, string>> {
  const { region, service, credentials, at } = signing;
  const url = new URL(request.url);
  const isS3 = service === "s3";
  const how = { applyChecksum: isS3, uriEscapePath: !isS3 };
  const signer = new SignatureV4({ region, service, credentials, sha256: Sha256, ...how });
  const unsigned = {
    method: request.method,
    protocol: url.protocol,
    hostname: url.hostname,
    path: url.pathname,
    query: queryOf(url),
    headers: { ...request.headers, host: url.host },
    body: request.body,
  };
  const { headers } = await signer.sign(unsigned, { signingDate: new Date(at) });
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
}

/** As AWS's clients hold it, by name; a name that comes more than once has all of its values. */
function queryOf(url: URL): Record<string, string | string[]> {
  const names = new Set([...url.search.slice(1).split("&")].filter(pair => pair !== "").map(pair => nameOf(pair)));
  return Object.fromEntries([...names].map(name => [name, url.searchParams.getAll(name)]));
}

const nameOf = (pair: string): string => decodeURIComponent(pair.split("=", 1)[0] ?? "");

/** What API Gateway does before it lets a call in: why it is refused, or undefined. */
export async function refusal(
  request: {
    readonly method: string;
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
  },
  known: { readonly credentials: readonly Credentials[]; readonly region: string; readonly now: number },
): Promise<string | undefined> {
  const { authorization = "", "x-amz-date": date = "", "x-amz-security-token": token } = request.headers;
  const match =
    /^AWS4-HMAC-SHA256 Credential=([^/]+)\/\d+\/([^/]+)\/execute-api\/aws4_request, SignedHeaders=(\S+), /.exec(
      authorization,
    );
  if (match === null) return "Missing Authentication Token";
  const credentials = known.credentials.find(one => one.accessKeyId === match[1] && one.sessionToken === token);
  if (credentials === undefined) return "The security token included in the request is invalid or expired.";
  if (match[2] !== known.region) return "Credential should be scoped to a valid region.";
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(at - known.now) <= 5 * 60_000)) return "Signature expired";
  const names = match[3]?.split(";") ?? [];
  const headers = Object.fromEntries(names.map(name => [name, request.headers[name] ?? ""]));
  const ours = await awsHeaders(
    { method: request.method, url: request.url, headers, body: request.body },
    { credentials, region: known.region, service: "execute-api", at },
  );
  return ours.authorization === authorization ? undefined : "The request signature does not match.";
}
