/**
 * A small S3 of our own, for what goes wrong: it lists, sends objects, and breaks down when a test tells it to. It checks
 * signatures with AWS's own signing code. What passes against it is not thereby proved against the real one.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import type { Credentials } from "../../../packages/agent/src/control/sign.ts";
import { awsHeaders } from "./signature.ts";

/** In ms. */
const LATENCY = 3;

interface Held {
  readonly bytes: Buffer;
  readonly modifiedAt: number;
}

export class S3 {
  readonly objects = new Map<string, Held>();
  /** Absent: everybody may read. */
  credentials: Credentials | undefined;
  region = "us-east-1";
  bucket = "data-bucket";
  pageSize = 1000;
  /**
   * Asked before each answer; a number is the answer's status, "cut" breaks off in the middle of an object, and the second
   * half of one waits for a promise.
   */
  fault: (key: string, isList: boolean) => number | "cut" | Promise<unknown> | undefined = () => undefined;
  readonly reads: string[] = [];
  lists = 0;
  atOnce = 0;
  mostAtOnce = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<S3> {
    const server = createServer();
    const mine = new S3(server);
    server.on("request", (request, response) => void mine.#serve(request, response));
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    return mine;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What a job needs to know. */
  get env(): Record<string, string> {
    const keys = this.credentials;
    return {
      AWS_ENDPOINT_URL_S3: this.url,
      ...(keys === undefined
        ? {}
        : { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey }),
      ...(keys?.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: keys.sessionToken }),
    };
  }

  put(objects: Record<string, string>, modifiedAt = Date.UTC(2024, 1, 2, 3, 4, 5)): void {
    for (const [key, text] of Object.entries(objects)) this.objects.set(key, { bytes: Buffer.from(text), modifiedAt });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.atOnce);
    response.on("close", () => this.atOnce--);
    const url = new URL(request.url ?? "", this.url);
    const [, bucket, ...rest] = url.pathname.split("/").map(decodeURIComponent);
    const key = rest.join("/");
    const isList = url.searchParams.has("list-type");
    if (isList) this.lists++;
    else this.reads.push(key);
    // Where it is at once, nothing ever comes at the same time as anything else.
    await pause(LATENCY);
    const refused = await this.#refusal(request, url);
    if (refused !== undefined) return this.#refuse(response, ...refused);
    const fault = this.fault(key, isList);
    if (typeof fault === "number") return this.#refuse(response, fault, fault === 503 ? "SlowDown" : "Oddness");
    if (bucket !== this.bucket) return this.#refuse(response, 404, "NoSuchBucket");
    if (isList) return this.#list(url.searchParams, response);
    const held = this.objects.get(key);
    if (held === undefined) return this.#refuse(response, 404, "NoSuchKey");
    response.writeHead(200, { "content-length": held.bytes.length });
    if (fault === undefined) return void response.end(held.bytes);
    const half = Math.floor(held.bytes.length / 2);
    response.write(held.bytes.subarray(0, half), () => fault === "cut" && request.socket.destroy());
    if (fault === "cut") return;
    await fault;
    response.end(held.bytes.subarray(half));
  }

  async #refusal(request: IncomingMessage, url: URL): Promise<[number, string] | undefined> {
    const { authorization, "x-amz-date": date } = request.headers;
    const region = /Credential=[^/]+\/\d+\/([^/]+)\/s3/.exec(authorization ?? "")?.[1];
    if (region !== undefined && region !== this.region) return [400, "AuthorizationHeaderMalformed"];
    if (this.credentials === undefined) return undefined;
    if (authorization === undefined) return [403, "AccessDenied"];
    const at = Date.parse(String(date).replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
    const headers = { "x-amz-content-sha256": String(request.headers["x-amz-content-sha256"]) };
    const signing = { credentials: this.credentials, region: this.region, service: "s3", at };
    const good = await awsHeaders({ method: "GET", url: url.href, headers, body: "" }, signing);
    return good.authorization === authorization ? undefined : [403, "SignatureDoesNotMatch"];
  }

  #refuse(response: ServerResponse, status: number, code: string): void {
    response.writeHead(status, { "x-amz-bucket-region": this.region });
    response.end(`<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>no &amp; no</Message></Error>`);
  }

  #list(query: URLSearchParams, response: ServerResponse): void {
    const prefix = query.get("prefix") ?? "";
    const most = Math.min(this.pageSize, Number(query.get("max-keys")));
    const from = Number(query.get("continuation-token") ?? 0);
    const keys = [...this.objects.keys()].filter(key => key.startsWith(prefix)).sort();
    const page = keys.slice(from, from + most).map(key => {
      const { bytes, modifiedAt } = this.objects.get(key) ?? { bytes: Buffer.alloc(0), modifiedAt: 0 };
      const name = encodeURIComponent(key).replaceAll("%20", "+").replaceAll("%2F", "/");
      const time = new Date(modifiedAt).toISOString();
      return `<Contents><Key>${name}</Key><LastModified>${time}</LastModified><Size>${bytes.length}</Size></Contents>`;
    });
    const isTruncated = from + most < keys.length;
    const next = isTruncated ? `<NextContinuationToken>${from + most}</NextContinuationToken>` : "";
    response.end(
      `<?xml version="1.0"?><ListBucketResult xmlns="x"><EncodingType>url</EncodingType>${page.join("")}<IsTruncated>${isTruncated}</IsTruncated>${next}</ListBucketResult>`,
    );
  }
}
