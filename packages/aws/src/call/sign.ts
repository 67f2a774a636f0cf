/** Signatures of AWS (Signature Version 4), of requests and of URLs, made by AWS's own signer. */
import { createHash, createHmac, type Hash, type Hmac } from "node:crypto";
import { SignatureV4 } from "@smithy/signature-v4";
import type { Credentials } from "./aws.ts";

/** A request as it is signed: path and query not yet joined, so that both sides encode the query alike. */
export interface Unsigned {
  readonly method: string;
  /** Scheme, host and port. */
  readonly origin: string;
  /** Percent-encoded. */
  readonly path: string;
  /** Not yet encoded. */
  readonly query: Readonly<Record<string, string>>;
  /** By names in lower case, without `host`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string | undefined;
}

export interface Signer {
  readonly service: string;
  readonly region: string;
  readonly credentials: Credentials;
  readonly date: Date;
}

/** The headers to send, with those that sign it. */
export async function sign(request: Unsigned, signer: Signer): Promise<Record<string, string>> {
  const signed = await signerOf(signer).sign(shapeOf(request), { signingDate: signer.date });
  return signed.headers;
}

/** A URL that carries its signature, for as many seconds as `expiresIn`, at most 604,800. */
export async function presign(request: Unsigned, signer: Signer, expiresIn: number): Promise<string> {
  const shape = shapeOf(request);
  // It moves into the query, under this very name.
  const headers = { ...shape.headers, "X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD" };
  const signed = await signerOf(signer).presign({ ...shape, headers }, { signingDate: signer.date, expiresIn });
  const query = Object.entries(signed.query ?? {}).map(([name, value]) => [name, String(value)] as const);
  return `${request.origin}${request.path}?${queryOf(query)}`;
}

/** Encoded as AWS wants it (RFC 3986). */
export const queryOf = (query: Iterable<readonly [string, string]>): string =>
  Array.from(query, ([name, value]) => `${encoded(name)}=${encoded(value)}`).join("&");

export const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

function shapeOf({ method, origin, path, query, headers, body }: Unsigned) {
  const { protocol, host, hostname } = new URL(origin);
  return { method, protocol, hostname, path, query: { ...query }, headers: { host, ...headers }, body };
}

const signerOf = ({ service, region, credentials, date: _ }: Signer): SignatureV4 =>
  new SignatureV4({
    service,
    region,
    credentials: {
      accessKeyId: credentials.accessKeyId,
      secretAccessKey: credentials.secretAccessKey,
      ...(credentials.sessionToken && { sessionToken: credentials.sessionToken }),
    },
    sha256: Sha256,
    // S3 alone takes the path as it is; the others have none but "/".
    uriEscapePath: service !== "s3",
  });

/** Node's SHA-256 in the form that the signer wants: keyed when it is given a key. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(key));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    throw new Error("a hash is used once");
  }
}

const bytesOf = (data: string | ArrayBuffer | ArrayBufferView): Uint8Array => {
  if (typeof data === "string") return Buffer.from(data);
  return ArrayBuffer.isView(data)
    ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
    : new Uint8Array(data);
};
