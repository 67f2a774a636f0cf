/** Calls to the control plane. */
import { text } from "node:stream/consumers";
import type { Enroll, Enrolled, Orders, Poll, Report, Reported } from "../types.ts";
import { send } from "./send.ts";

const PATIENCE = 30_000;

/** The control plane answered, and the answer is no. */
export class Refusal extends Error {
  readonly status: number;
  /** The control plane's own error code. Absent when something on the way answered in its place. */
  readonly code: string | undefined;

  constructor(status: number, code: string | undefined) {
    super(`HTTP ${status}${code === undefined ? "" : ` ${code}`}`);
    this.status = status;
    this.code = code;
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

  poll(body: Poll): Promise<Orders> {
    return this.#post("/v1/agent/poll", body);
  }

  report(body: Report): Promise<Reported> {
    return this.#post("/v1/agent/report", body);
  }

  async #post<T>(path: string, value: object): Promise<T> {
    const body = JSON.stringify(value);
    const headers = {
      "content-type": "application/json",
      "content-length": Buffer.byteLength(body),
      ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
    };
    const answer = await send(`${this.#endpoint}${path}`, { method: "POST", headers, body, patience: PATIENCE });
    const said = await text(answer);
    const status = answer.statusCode ?? 0;
    if (status < 200 || status >= 300) throw new Refusal(status, codeOf(said));
    return JSON.parse(said) as T;
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
