/** Real repositories, and git's own server for them (git http-backend) behind a small HTTP server that asks for a password. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { buffer } from "node:stream/consumers";

const WHO = {
  GIT_AUTHOR_NAME: "t",
  GIT_AUTHOR_EMAIL: "t@example.com",
  GIT_COMMITTER_NAME: "t",
  GIT_COMMITTER_EMAIL: "t@example.com",
};

export function git(cwd: string, ...words: string[]): string {
  const env = { ...process.env, ...WHO, GIT_CONFIG_NOSYSTEM: "1", HOME: cwd };
  return execFileSync("git", words, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

export class GitServer {
  readonly folder = mkdtempSync(join(tmpdir(), "ma-git-"));
  /** What the authorization header must be; absent: everybody may read. */
  password: string | undefined;
  /** Answers of this kind for so many of the next requests. */
  fault: { status: number; left: number } | undefined;
  /** What every request waits for. */
  hold: Promise<unknown> | undefined;
  /** Sends everybody elsewhere. */
  redirect: string | undefined;
  /** Authorization headers that came, as they were decoded. */
  readonly seen: string[] = [];
  requests = 0;
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<GitServer> {
    const server = createServer();
    const mine = new GitServer(server);
    server.on("request", (request, response) => void mine.#serve(request, response));
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    return mine;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A repository with one commit for each of the sets of files, the last on `main`; returns the commits. */
  repository(name: string, ...commits: Record<string, string>[]): string[] {
    const work = join(this.folder, "work", name);
    const bare = join(this.folder, `${name}.git`);
    mkdirSync(work, { recursive: true });
    git(work, "init", "--quiet", "--initial-branch=main");
    const made = commits.map((files, index) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(work, path)), { recursive: true });
        writeFileSync(join(work, path), text);
      }
      git(work, "add", "--all");
      git(work, "commit", "--quiet", "--allow-empty", "--message", `commit ${index}`);
      return git(work, "rev-parse", "HEAD");
    });
    git(this.folder, "clone", "--quiet", "--bare", work, bare);
    return made;
  }

  /** Runs git in the repository's own working folder, and brings all of it to where it is served. */
  change(name: string, ...words: string[]): void {
    const work = join(this.folder, "work", name);
    git(work, ...words);
    git(work, "push", "--quiet", "--all", join(this.folder, `${name}.git`));
    git(work, "push", "--quiet", "--tags", join(this.folder, `${name}.git`));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++;
    await this.hold;
    const { authorization } = request.headers;
    const decoded = authorization && Buffer.from(authorization.replace(/^Basic /, ""), "base64").toString();
    if (decoded) this.seen.push(decoded);
    if (this.fault !== undefined && this.fault.left-- > 0) return void response.writeHead(this.fault.status).end();
    if (this.redirect !== undefined)
      return void response.writeHead(302, { location: `${this.redirect}${request.url}` }).end();
    if (this.password !== undefined && decoded !== this.password)
      return void response.writeHead(401, { "www-authenticate": 'Basic realm="git"' }).end();
    await this.#backend(request, response);
  }

  async #backend(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "", this.url);
    const backend = spawn("git", ["http-backend"], {
      env: {
        ...process.env,
        GIT_PROJECT_ROOT: this.folder,
        GIT_HTTP_EXPORT_ALL: "1",
        GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
        PATH_INFO: url.pathname,
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: request.method ?? "",
        CONTENT_TYPE: request.headers["content-type"] ?? "",
        HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
        REMOTE_USER: "t",
        REMOTE_ADDR: "127.0.0.1",
      },
      stdio: ["pipe", "pipe", "ignore"],
    });
    request.pipe(backend.stdin);
    const said = await buffer(backend.stdout);
    const at = said.indexOf("\r\n\r\n");
    const headers = said
      .subarray(0, at)
      .toString()
      .split("\r\n")
      .map(line => line.split(/: */, 2) as [string, string]);
    const status = Number(headers.find(([name]) => name === "Status")?.[1]?.slice(0, 3) ?? 200);
    response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== "Status")));
    response.end(said.subarray(at + 4));
  }
}
