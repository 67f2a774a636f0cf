/** Calls to the control plane. */
import { text } from "node:stream/consumers";
import type { Ask, Enroll, Enrolled, Given, Orders, Poll, Register, Report, Reported } from "../types.ts";
import { send } from "./send.ts";
import { type Signing, sign } from "./sign.ts";

const PATIENCE = 30_000;

/** The control plane answered, and the answer is no. */
export class Refusal extends Error {
  readonly status: number;
  /** The control plane's own error code. Absent when something on the way answered in its place. */
  readonly code: string | undefined;
  /** When, by the answering clock, in epoch ms. */
  readonly at: number | undefined;

  constructor(status: number, code: string | undefined, date = "") {
    super(`HTTP ${status}${code === undefined ? "" : ` ${code}`}`);
    this.status = status;
    this.code = code;
    this.at = Date.parse(date) || undefined;
  }
}

/** Whether the control plane itself said that this token is not valid; a proxy's 401 must not end jobs. */
export const isDisowned = (error: unknown): boolean =>
  error instanceof Refusal && error.status === 401 && error.code !== undefined;

/** The routes for hosts, of one endpoint. */
export class Control {
  readonly #endpoint: string;
  #token: string | undefined;

  constructor(endpoint: string) {
    this.#endpoint = endpoint.replace(/\/+$/, "");
  }

  bear(token: string): void {
    this.#token = token;
  }

  enroll(body: Enroll): Promise<Enrolled> {
    return this.#post("/v1/agent/enroll", body);
  }

  /** Signed by the machine's role instead of a token. */
  register(body: Register, signing: Signing): Promise<Enrolled> {
    return this.#post("/v1/agent/register", body, signing);
  }

  poll(body: Poll): Promise<Orders> {
    return this.#post("/v1/agent/poll", body);
  }

  report(body: Report): Promise<Reported> {
    return this.#post("/v1/agent/report", body);
  }

  checkpoint(body: Ask): Promise<Given> {
    return this.#post("/v1/agent/checkpoint", body);
  }

  async #post<T>(path: string, value: object, signing?: Signing): Promise<T> {
    const url = `${this.#endpoint}${path}`;
    const body = JSON.stringify(value);
    const plain = { "content-type": "application/json" };
    const length = { "content-length": Buffer.byteLength(body) };
    const headers =
      signing === undefined ? this.#borne(plain) : sign({ method: "POST", url, headers: plain, body }, signing);
    const answer = await send(url, { method: "POST", headers: { ...headers, ...length }, body, patience: PATIENCE });
    const said = await text(answer);
    const status = answer.statusCode ?? 0;
    if (status < 200 || status >= 300) throw new Refusal(status, codeOf(said), answer.headers.date);
    return JSON.parse(said) as T;
  }

  #borne(headers: Record<string, string>): Record<string, string> {
    return this.#token === undefined ? headers : { ...headers, authorization: `Bearer ${this.#token}` };
  }
}

function codeOf(said: string): string | undefined {
  try {
    const code = (JSON.parse(said) as { code?: unknown } | null)?.code;
    return typeof code === "string" ? code : undefined;
  } catch {
    return undefined;
  }
}
