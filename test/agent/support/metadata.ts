/**
 * The metadata service of a machine on EC2: a small HTTP server of our own, with the paths, the token and the answers of
 * AWS's documentation of IMDSv2.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Credentials } from "../../../packages/agent/src/control/sign.ts";

export class FakeMetadata {
  /** Below /latest/meta-data/. What is not here is answered with 404. */
  readonly values = new Map<string, string>([
    ["instance-id", "i-0123456789abcdef0"],
    ["instance-type", "g5.xlarge"],
    ["instance-life-cycle", "spot"],
    ["placement/region", "eu-central-1"],
    ["placement/availability-zone", "eu-central-1b"],
    ["iam/security-credentials/", "muster-test-host"],
  ]);
  /** Paths asked for with a good token, in order. */
  readonly asked: string[] = [];
  /** While it is set, every call meets it. */
  fault: number | "cut" | undefined;
  tokens = 0;
  readonly #server: Server;
  #token = "";

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<FakeMetadata> {
    const server = createServer();
    const metadata = new FakeMetadata(server);
    server.on("request", (request, response) => metadata.#serve(request, response));
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    return metadata;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Gives the role these credentials. */
  grant(credentials: Credentials): void {
    const answer = {
      Code: "Success",
      Type: "AWS-HMAC",
      AccessKeyId: credentials.accessKeyId,
      SecretAccessKey: credentials.secretAccessKey,
      Token: credentials.sessionToken,
      Expiration: "2030-01-01T00:00:00Z",
    };
    this.values.set("iam/security-credentials/muster-test-host", JSON.stringify(answer));
  }

  /** Tokens that were given out are no longer known. */
  forget(): void {
    this.#token = "";
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.fault === "cut") return void request.socket.destroy();
    const [status, said] = this.fault === undefined ? this.#answer(request) : [this.fault, ""];
    response.writeHead(status, { "content-type": "text/plain" }).end(said);
  }

  #answer({ method, url = "", headers }: IncomingMessage): [number, string] {
    if (url === "/latest/api/token") {
      const seconds = Number(headers["x-aws-ec2-metadata-token-ttl-seconds"]);
      if (method !== "PUT") return [405, ""];
      if (!(seconds >= 1 && seconds <= 21_600)) return [400, ""];
      this.#token = `token-${++this.tokens}`;
      return [200, this.#token];
    }
    if (this.#token === "" || headers["x-aws-ec2-metadata-token"] !== this.#token) return [401, ""];
    const path = url.replace("/latest/meta-data/", "");
    this.asked.push(path);
    const found = this.values.get(path);
    return found === undefined ? [404, "Not Found"] : [200, found];
  }
}
