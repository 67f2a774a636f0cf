/** Calls to the control plane. */
import type { Enrol, Enrolled, Orders, Poll, Report, Reported } from "../types.ts";

const TIME_LIMIT = 30_000;

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

  enrol(body: Enrol): Promise<Enrolled> {
    return this.#post("/v1/agent/enrol", body);
  }

  poll(body: Poll): Promise<Orders> {
    return this.#post("/v1/agent/poll", body);
  }

  report(body: Report): Promise<Reported> {
    return this.#post("/v1/agent/report", body);
  }

  async #post<T>(path: string, body: object): Promise<T> {
    const answer = await fetch(`${this.#endpoint}${path}`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(this.#token === undefined ? {} : { authorization: `Bearer ${this.#token}` }),
      },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIME_LIMIT),
    });
    if (!answer.ok) throw new Refusal(answer.status, codeOf(await answer.text()));
    return (await answer.json()) as T;
  }
}

function codeOf(text: string): string | undefined {
  try {
    const code = (JSON.parse(text) as { code?: unknown } | null)?.code;
    return typeof code === "string" ? code : undefined;
  } catch {
    return undefined;
  }
}
