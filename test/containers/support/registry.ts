/**
 * A registry on 127.0.0.1 that lets in who knows the password: enough of the distribution's protocol for one image to be
 * pulled (https://github.com/opencontainers/distribution-spec/blob/main/spec.md).
 */
import { createHash } from "node:crypto";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { arch } from "node:os";
import { gzipSync } from "node:zlib";

const MANIFEST = "application/vnd.docker.distribution.manifest.v2+json";
const digestOf = (bytes: Buffer): string => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "www-authenticate": 'Basic realm="test"' });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase().replace("_", " ") }] }));
}

export class Registry {
  readonly #server: Server;
  /** Of requests that were let in. */
  readonly paths: string[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** `files` is a tar archive of all that is in the image. */
  static async open(files: Buffer, user: string, password: string): Promise<Registry> {
    const layer = gzipSync(files, { level: 1 });
    const architecture = arch() === "x64" ? "amd64" : arch();
    const rootfs = { type: "layers", diff_ids: [digestOf(files)] };
    const config = Buffer.from(JSON.stringify({ architecture, os: "linux", config: {}, rootfs, history: [{}] }));
    const part = (mediaType: string, bytes: Buffer) => ({ mediaType, size: bytes.length, digest: digestOf(bytes) });
    const manifest = Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: MANIFEST,
        config: part("application/vnd.docker.container.image.v1+json", config),
        layers: [part("application/vnd.docker.image.rootfs.diff.tar.gzip", layer)],
      }),
    );
    const found = new Map([config, layer].map(bytes => [`blobs/${digestOf(bytes)}`, bytes]));
    for (const tag of ["1.0", digestOf(manifest)]) found.set(`manifests/${tag}`, manifest);
    const known = `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
    const server = createServer(({ headers, method, url = "" }, response) => {
      if (headers.authorization !== known) return refuse(response, 401, "UNAUTHORIZED");
      registry.paths.push(url);
      const bytes = url === "/v2/" ? Buffer.from("{}") : found.get(url.split("/").slice(-2).join("/"));
      if (bytes === undefined) return refuse(response, 404, "MANIFEST_UNKNOWN");
      response.setHeader("content-type", bytes === manifest ? MANIFEST : "application/octet-stream");
      response.writeHead(200, { "content-length": bytes.length, "docker-content-digest": digestOf(bytes) });
      response.end(method === "HEAD" ? undefined : bytes);
    });
    const registry = new Registry(server);
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    return registry;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }
}
