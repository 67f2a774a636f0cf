/**
 * AWS's signature, version 4, for calls with a short body: what an API behind IAM wants, and S3.
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)
 *
 * S3 differs from the rest: it takes a path as it is sent, and wants the body's hash as a header.
 */
import { createHash, createHmac } from "node:crypto";

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Temporary credentials have one. */
  readonly sessionToken?: string;
}

export interface Signing {
  readonly credentials: Credentials;
  readonly region: string;
  readonly service: string;
  /** Epoch ms; signatures are good for five minutes around it. */
  readonly at: number;
}

export interface Unsigned {
  readonly method: string;
  /** Path and query are encoded as they are to be sent: all but letters, digits and `-_.~`. */
  readonly url: string;
  /** Names in any case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const ALGORITHM = "AWS4-HMAC-SHA256";

/** The headers to send: the given ones, all of them signed, and those of the signature. Names in lower case. */
export function sign({ method, url, headers, body }: Unsigned, signing: Signing): Record<string, string> {
  const { credentials, region, service, at } = signing;
  const { host, pathname, search } = new URL(url);
  const isS3 = service === "s3";
  const time = new Date(at).toISOString().replace(/[-:]|\.\d{3}/g, "");
  const all: Record<string, string> = {
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
    host,
    "x-amz-date": time,
    ...(isS3 ? { "x-amz-content-sha256": hash(body) } : {}),
    ...(credentials.sessionToken === undefined ? {} : { "x-amz-security-token": credentials.sessionToken }),
  };
  const names = Object.keys(all).sort();
  const lines = names.map(name => `${name}:${all[name]?.trim().replace(/\s+/g, " ")}\n`).join("");
  const canonical = [
    method,
    isS3 ? pathname : pathOf(pathname),
    queryOf(search),
    lines,
    names.join(";"),
    hash(body),
  ].join("\n");
  const scope = [time.slice(0, 8), region, service, "aws4_request"];
  const key = scope.reduce<string | Buffer>((secret, part) => mac(secret, part), `AWS4${credentials.secretAccessKey}`);
  const signature = mac(key, [ALGORITHM, time, scope.join("/"), hash(canonical)].join("\n")).toString("hex");
  const credential = `${credentials.accessKeyId}/${scope.join("/")}`;
  const authorization = `${ALGORITHM} Credential=${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`;
  return { ...all, authorization };
}

/** Encoded once more than it is sent, without empty segments. */
function pathOf(pathname: string): string {
  const end = pathname.endsWith("/") ? "/" : "";
  const segments = pathname.split("/").filter(segment => segment !== "");
  return segments.length === 0 ? "/" : `/${segments.map(encode).join("/")}${end}`;
}

/** In the order of the names, then of the values; a name without a value has an empty one. */
const queryOf = (search: string): string =>
  search
    .slice(1)
    .split("&")
    .filter(pair => pair !== "")
    .map(pair => (pair.includes("=") ? pair : `${pair}=`).split("=", 2) as [string, string])
    .sort(([name, value], [other, others]) => order(name, other) || order(value, others))
    .map(pair => pair.join("="))
    .join("&");

const order = (one: string, other: string): number => Number(one > other) - Number(one < other);

/** What a path's segment, or a query's name or value, is sent as. */
export const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, char => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
const mac = (key: string | Buffer, text: string): Buffer => createHmac("sha256", key).update(text).digest();
