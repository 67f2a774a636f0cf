/**
 * The control plane of these tests: a small HTTP server of our own that keeps the protocol's promises, and breaks down
 * when a test tells it to. What passes against it is not thereby proved against the real one.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type {
  Assignment,
  AttemptRef,
  Enroll,
  Held,
  LogPolicy,
  Orders,
  Poll,
  Register,
  Report,
} from "@muster/core/agent/protocol.ts";

import type { Ask } from "@muster/core/checkpoint/read.ts";
import type { Credentials } from "../../../packages/agent/src/control/sign.ts";
import { refusal } from "./signature.ts";

type Exited = Extract<Report, { state: "exited" }>;

/** What the next calls of a kind meet: an answer's status, or a connection that breaks before or after the work is done. */
export type Fault = number | "cut" | "cut after" | "hang";

export class Plane {
  readonly polls: Poll[] = [];
  /** Answers what is asked of a checkpoint. */
  onCheckpoint: ((ask: Ask) => Promise<[number, unknown]>) | undefined;
  /** Whether a report is one that this control plane does not understand. */
  isStrange: (report: Report) => boolean = () => false;
  /** Called as an exit is accepted, before its answer goes out. */
  onExit: ((report: Report) => void) | undefined;
  readonly enrollments: Enroll[] = [];
  /** Registrations whose signature was good. */
  readonly registrations: Register[] = [];
  /** Why registrations were not let in. */
  readonly turnedAway: string[] = [];
  /** Of machines that may register, and where. */
  readonly trusted: { credentials: Credentials[]; region: string } = { credentials: [], region: "eu-central-1" };
  /** How far its clock is ahead of the machine's, in ms. */
  ahead = 0;
  readonly reports: Report[] = [];
  /** Every upload that was taken, by key; the same key may come again. */
  readonly uploads = new Map<string, Buffer[]>();
  /** When each upload came, in order. */
  readonly uploadTimes: number[] = [];
  readonly inputs = new Map<string, Buffer>();
  /** The inputs that were asked for, in order. */
  readonly asked: string[] = [];
  readonly policies: LogPolicy[] = [];
  assignments: Assignment[] = [];
  held: Held[] = [];
  revoked: AttemptRef[] = [];
  pollAfter = 60_000;
  powerOff: Orders["powerOff"];
  watch: Orders["watch"];
  hook: Orders["hook"];
  /** Whether a poll has fields that this control plane does not know. */
  isUnheardOf: (poll: Poll) => boolean = () => false;
  /** Faults of the routes, by the end of their path; each holds until it is taken away. */
  readonly faults = new Map<"enroll" | "register" | "poll" | "report" | "logs", Fault>();
  readonly errorCodes = new Map<number, string>([
    [400, "invalid_request"],
    [401, "unauthenticated"],
    [409, "conflict"],
    [503, "unavailable"],
  ]);
  /** Attempts whose reports are refused, as `<jobId>-<fence>`. */
  readonly disowned = new Set<string>();
  readonly #server: Server;
  readonly #hosts = new Map<string, string>();

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(): Promise<Plane> {
    const server = createServer();
    const plane = new Plane(server);
    server.on("request", (request, response) => void plane.#serve(request, response));
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
    return plane;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  get hosts(): number {
    return this.#hosts.size;
  }

  policy(jobId: string, fence: number, changes: Partial<LogPolicy> = {}): LogPolicy {
    return {
      url: `${this.url}/logs`,
      fields: { policy: "p", "x-signature": "s" },
      prefix: `logs/${jobId}/${fence}/`,
      maxBytes: 4 * 1024 * 1024,
      expiresAt: Date.now() + 3_600_000,
      ...changes,
    };
  }

  assign(jobId: string, changes: Partial<Assignment> = {}): Assignment {
    const fence = changes.fence ?? 1;
    const assignment: Assignment = {
      jobId,
      fence,
      rank: 0,
      onError: "stop",
      env: {},
      secretNames: [],
      mounts: [],
      packages: [],
      secretFiles: [],
      grace: 2,
      logs: this.policy(jobId, fence),
      ...changes,
    };
    this.assignments.push(assignment);
    return assignment;
  }

  states(jobId: string): string[] {
    return this.reports.filter(report => report.jobId === jobId).map(report => report.state);
  }

  exit(jobId: string, fence = 1): Exited | undefined {
    return this.reports.find(
      (report): report is Exited => report.state === "exited" && report.jobId === jobId && report.fence === fence,
    );
  }

  chunks(jobId: string, fence = 1): { key: string; bytes: Buffer }[] {
    const prefix = `logs/${jobId}/${fence}/`;
    return [...this.uploads]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, versions]) => ({ key: key.slice(prefix.length), bytes: versions[0] ?? Buffer.alloc(0) }))
      .sort((one, other) => (one.key < other.key ? -1 : 1));
  }

  /** The whole log, or one phase of it. */
  log(jobId: string, phase = "", fence = 1): string {
    const wanted = this.chunks(jobId, fence).filter(chunk => chunk.key.endsWith(phase));
    return Buffer.concat(wanted.map(chunk => chunk.bytes)).toString();
  }

  /** Breaks every connection that is open. */
  cut(): void {
    this.#server.closeAllConnections();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise(resolve => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await bytesOf(request).catch(() => undefined);
    // Its sender was killed in mid-sentence: there is nobody to answer, and nothing that was said.
    if (body === undefined) return void response.destroy();
    const path = request.url ?? "";
    response.setHeader("date", new Date(Date.now() + this.ahead).toUTCString());
    const isSigned = path === "/v1/agent/register" || path.startsWith("/v1/agent/files/");
    if (isSigned && !(await this.#admits(request, body))) return answer(response, 403, { message: "Forbidden" });
    const fault = this.faults.get(path.split("/").at(-1) as "poll");
    if (fault === "hang") return;
    if (fault === "cut") return void request.socket.destroy();
    if (typeof fault === "number") return answer(response, fault, { code: this.errorCodes.get(fault), message: "no" });
    const [status, value] = await this.#answer(path, request, body);
    if (fault === "cut after") return void request.socket.destroy();
    answer(response, status, value);
  }

  async #answer(path: string, request: IncomingMessage, body: Buffer): Promise<[number, unknown]> {
    if (path.startsWith("/inputs/")) {
      const name = path.slice("/inputs/".length);
      this.asked.push(name);
      const found = this.inputs.get(name);
      return found === undefined ? [404, ""] : [200, found];
    }
    if (path.startsWith("/v1/agent/files/")) return this.#file(path.split("/").at(-1) ?? "");
    if (path === "/logs") return this.#upload(request, body);
    const value = JSON.parse(body.toString());
    if (path === "/v1/agent/enroll") return this.#enroll(value as Enroll);
    if (path === "/v1/agent/register") return this.#register(value as Register);
    if (!/^Bearer msh_/.test(request.headers.authorization ?? "")) return [401, { code: "unauthenticated" }];
    if (path === "/v1/agent/poll") return this.#poll(value as Poll);
    return path.endsWith("/checkpoint") ? this.#checkpoint(value as Ask) : this.#report(value as Report);
  }

  async #checkpoint(ask: Ask): Promise<[number, unknown]> {
    return this.onCheckpoint?.(ask) ?? [404, { code: "not_found" }];
  }

  #enroll(enroll: Enroll): [number, unknown] {
    this.enrollments.push(enroll);
    const nonce = this.#hosts.get(enroll.token) ?? enroll.nonce;
    if (nonce !== enroll.nonce) return [409, { code: "conflict" }];
    this.#hosts.set(enroll.token, nonce);
    return [200, { hostId: "hst_1", hostToken: `msh_w.hst_1.${nonce}` }];
  }

  /** What the gateway does: the answer to what it does not let in is its own, without a code. */
  async #admits(request: IncomingMessage, body: Buffer): Promise<boolean> {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const call = { method: request.method ?? "", url: `${this.url}${request.url}`, headers, body: body.toString() };
    const why = await refusal(call, { ...this.trusted, now: Date.now() + this.ahead });
    if (why !== undefined) this.turnedAway.push(why);
    return why === undefined;
  }

  /** What machines fetch at boot, if it is among the inputs. */
  #file(sha256: string): [number, unknown] {
    if (!this.inputs.has(sha256)) return [404, { code: "not_found" }];
    return [200, { url: `${this.url}/inputs/${sha256}` }];
  }

  #register(register: Register): [number, unknown] {
    this.registrations.push(register);
    const machineId = register.facts.machineId ?? "";
    const nonce = this.#hosts.get(machineId) ?? register.nonce;
    if (nonce !== register.nonce) return [401, { code: "unauthenticated" }];
    this.#hosts.set(machineId, nonce);
    return [200, { hostId: "hst_1", hostToken: `msh_w.hst_1.${nonce}` }];
  }

  #poll(poll: Poll): [number, Orders | { readonly code: string }] {
    if (this.isUnheardOf(poll)) return [400, { code: "invalid_request" }];
    this.polls.push(poll);
    const reported = new Set(this.reports.map(report => `${report.jobId} ${report.fence}`));
    const orders = {
      now: Date.now(),
      assignments: this.assignments.filter(one => !reported.has(`${one.jobId} ${one.fence}`)),
      held: this.held,
      revoked: this.revoked,
      pollAfter: this.pollAfter,
      ...(this.powerOff && { powerOff: this.powerOff }),
      ...(this.watch && { watch: this.watch }),
      ...(this.hook && { hook: this.hook }),
    };
    return [200, orders];
  }

  #report(report: Report): [number, unknown] {
    if (this.disowned.has(`${report.jobId}-${report.fence}`)) return [200, { accepted: false }];
    if (this.isStrange(report)) return [400, { code: "invalid_request" }];
    const found = this.chunks(report.jobId, report.fence).length;
    if (report.state === "exited" && report.logsComplete && found < report.chunks)
      return [409, { code: "logs_incomplete" }];
    this.reports.push(report);
    if (report.state === "exited") this.onExit?.(report);
    return [200, { accepted: true }];
  }

  async #upload(request: IncomingMessage, body: Buffer): Promise<[number, unknown]> {
    const headers = { "content-type": request.headers["content-type"] ?? "" };
    const form = await new Response(new Uint8Array(body), { headers }).formData();
    const names = [...form.keys()];
    const file = form.get("file");
    if (names.at(-1) !== "file" || !(file instanceof Blob) || form.get("policy") !== "p") return [400, "not a grant"];
    const key = String(form.get("key"));
    const bytes = Buffer.from(await file.arrayBuffer());
    this.uploads.set(key, [...(this.uploads.get(key) ?? []), bytes]);
    this.uploadTimes.push(Date.now());
    return [204, ""];
  }
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  const isText = typeof value === "string" || Buffer.isBuffer(value);
  response.writeHead(status, { "content-type": isText ? "application/octet-stream" : "application/json" });
  if (status === 204) response.end();
  else response.end(isText ? value : JSON.stringify(value));
}
