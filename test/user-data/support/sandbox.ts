/**
 * A folder that stands for a machine's disk, and stand-ins for the programs that would change the machine: they write down
 * how they were called. Everything else that the script runs is this machine's own.
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { type UserData, userData } from "../../../packages/aws/src/ec2/user-data/user-data.ts";
import { CREDENTIALS } from "../../agent/support/machine.ts";
import { FakeMetadata } from "../../agent/support/metadata.ts";
import { refusal } from "../../agent/support/signature.ts";

/** Written down, and nothing else. */
const STILL = ["mount", "mkfs.ext4", "mdadm", "shutdown", "useradd", "usermod", "apt-get", "dnf", "dpkg", "chown"];

export const sha256 = (bytes: Buffer | string): string => createHash("sha256").update(bytes).digest("hex");

export class Sandbox {
  readonly root = mkdtempSync(join(tmpdir(), "mu-"));
  readonly bin = join(this.root, "stand-ins");
  /** URL of the machine's metadata service. */
  metadata = "http://127.0.0.1:9";
  readonly #children: ChildProcess[] = [];

  constructor() {
    for (const folder of [this.bin, join(this.root, "dev"), join(this.root, "proc"), join(this.root, "home")])
      mkdirSync(folder, { recursive: true });
    for (const name of STILL) this.standIn(name, "");
    this.standIn("systemctl", "");
    this.standIn("lsblk", "");
    this.standIn("blkid", "exit 2");
    this.standIn("mountpoint", "exit 1");
    this.standIn("sleep", "exec /bin/sleep 0.05");
    this.standIn("sudo", 'export BY_SUDO=1; shift; exec "$@"');
    this.user();
    this.uptime(40);
  }

  /** A program of this name that writes down its call, then does this. */
  standIn(name: string, body: string): void {
    const path = join(this.bin, name);
    writeFileSync(path, `#!/bin/bash\nprintf '%s\\n' "${name} $*" >>'${join(this.root, "calls")}'\n${body}\n`);
    chmodSync(path, 0o755);
  }

  /** Who calls, as `id -u` has it: this process's user unless told, and root under sudo. */
  user(uid = process.getuid?.()): void {
    const asked = `[ "$*" = -u ] || exec /usr/bin/id "$@"`;
    this.standIn("id", `${asked}\nif [ -v BY_SUDO ]; then echo 0; else echo ${uid}; fi`);
  }

  uptime(seconds: number): void {
    writeFileSync(join(this.root, "proc", "uptime"), `${seconds}.37 99.00\n`);
  }

  write(path: string, content: string): void {
    const whole = join(this.root, path);
    mkdirSync(join(whole, ".."), { recursive: true });
    writeFileSync(whole, content);
  }

  get calls(): string[] {
    const path = join(this.root, "calls");
    return existsSync(path) ? readFileSync(path, "utf8").trimEnd().split("\n") : [];
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), "utf8");
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path));
  }

  get console(): string {
    return this.has("dev/console") ? this.read("dev/console") : "";
  }

  start(command: readonly string[]): ChildProcess {
    const env = {
      PATH: `${this.bin}:${process.env.PATH}`,
      MUSTER_ROOT: this.root,
      MUSTER_METADATA: this.metadata,
      HOME: "/root",
    };
    const child = spawn("bash", command, { env, stdio: ["ignore", "pipe", "pipe"], detached: true });
    this.#children.push(child);
    return child;
  }

  /** Runs to the end; the exit code and all that was said. */
  async run(...command: string[]): Promise<{ code: number; said: string }> {
    const child = this.start(command);
    const said = Promise.all([child.stdout, child.stderr].map(stream => (stream === null ? "" : text(stream))));
    const [code] = await once(child, "exit");
    return { code, said: (await said).join("") };
  }

  [Symbol.dispose](): void {
    for (const { pid } of this.#children) if (pid !== undefined) endGroup(pid);
    rmSync(this.root, { recursive: true, force: true });
  }
}

/** Ends a group of processes, if any of it is left. */
export function endGroup(group: number): void {
  try {
    process.kill(-group, "SIGKILL");
  } catch {
    // All of it has ended.
  }
}

/** Serves files by their hashes, as the control plane (to those who sign with the role's credentials) and its bucket do. */
export class Files {
  /** Where machines get those credentials. */
  readonly metadata: FakeMetadata;
  /** Why calls were not let in. */
  readonly turnedAway: string[] = [];
  /** Answers `{ url }` with this status until it is 200. */
  readonly failures: number[] = [];
  readonly asked: string[] = [];
  readonly #files = new Map<string, Buffer>();
  readonly #server: Server;

  private constructor(server: Server, metadata: FakeMetadata) {
    this.#server = server;
    this.metadata = metadata;
    metadata.grant(CREDENTIALS);
  }

  static async open(): Promise<Files> {
    const server = createServer();
    const files = new Files(server, await FakeMetadata.open());
    server.on("request", async (request, response) => {
      const [status, said] = await files.#answer(request);
      response.writeHead(status).end(said);
    });
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    return files;
  }

  async #answer(request: IncomingMessage): Promise<[status: number, said: Buffer | string]> {
    const path = new URL(request.url ?? "", this.url).pathname;
    const isAsked = path.startsWith("/v1/agent/files/");
    this.asked.push(path);
    if (isAsked && !(await this.#admits(request))) return [403, "{}"];
    const status = this.failures.shift() ?? 200;
    const name = path.split("/").at(-1) ?? "";
    const found = this.#files.get(name);
    if (status !== 200 || found === undefined) return [status === 200 ? 404 : status, "{}"];
    return [200, isAsked ? JSON.stringify({ url: `${this.url}/bucket/${name}?X-Amz-Signature=a&b=c` }) : found];
  }

  /** What the gateway does; the signature holds for the host that the caller has asked. */
  async #admits(request: IncomingMessage): Promise<boolean> {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const host = headers["x-forwarded-host"] ?? headers.host;
    const call = {
      method: "GET",
      url: `http://${host}${request.url}`,
      headers: { ...headers, host: host ?? "" },
      body: "",
    };
    const why = await refusal(call, { credentials: [CREDENTIALS], region: usual().region, now: Date.now() });
    if (why !== undefined) this.turnedAway.push(why);
    return why === undefined;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  add(bytes: Buffer): string {
    this.put(sha256(bytes), bytes);
    return sha256(bytes);
  }

  put(name: string, bytes: Buffer): void {
    this.#files.set(name, bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
    await this.metadata[Symbol.asyncDispose]();
  }
}

/** An archive like Node's own, whose `node` is this one. */
export function runtime(): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "mn-"));
  try {
    mkdirSync(join(folder, "node-v24", "bin"), { recursive: true });
    writeFileSync(join(folder, "node-v24", "README.md"), "not taken");
    writeFileSync(join(folder, "node-v24", "bin", "node"), `#!/bin/sh\nexec '${process.execPath}' "$@"\n`, {
      mode: 0o755,
    });
    return execFileSync("tar", ["-czf", "-", "-C", folder, "node-v24"]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export const usual = (options: Partial<UserData> = {}): UserData => ({
  endpoint: "https://abc123.execute-api.eu-central-1.amazonaws.com",
  region: "eu-central-1",
  agentSha256: "a".repeat(64),
  nodeSha256: { x64: "b".repeat(64), arm64: "c".repeat(64) },
  bootGraceSeconds: 1800,
  jobUser: userInfo().username,
  ...options,
});

/** Puts the script where cloud-init would, and returns its path. */
export function place(sandbox: Sandbox, options: UserData): string {
  sandbox.write("var/lib/cloud/part-001", userData(options));
  return join(sandbox.root, "var/lib/cloud/part-001");
}
