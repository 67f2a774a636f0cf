/** What came back, as a value or as the failure it tells. Tolerant of newer control planes: unknown fields stay. */
import { type Details, type ErrorCode, isCode, MusterError } from "@muster/core/error.ts";

export interface Decoded {
  readonly value?: unknown;
  readonly error?: MusterError;
  /** Ms that the answer asks to wait before another try. */
  readonly retryAfter?: number;
}

/** Longest excerpt of an answer that is not understood. */
const EXCERPT = 120;

/** Reads the answer. @throws what `Response.text` throws when the connection breaks. */
export async function decodeAnswer(response: Response): Promise<Decoded> {
  const text = await response.text();
  const value = parse(text);
  if (response.ok && isObject(value)) return { value };
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN);
  const error = errorOf(response, value) ?? notMuster(response, text);
  return { error, ...(seconds >= 0 && { retryAfter: seconds * 1000 }) };
}

/** The failure that the answer tells; undefined when it is not in the form that Muster and its gateway use. */
function errorOf(response: Response, value: unknown): MusterError | undefined {
  if (response.ok || !isObject(value) || typeof value.message !== "string") return undefined;
  const details = isObject(value.details) ? (value.details as Details) : {};
  if (isCode(value.code)) return new MusterError(value.code, value.message, details);
  // A code of a newer control plane, or the gateway's own `{ message }`.
  return new MusterError(codeOf(response.status), value.message, { ...details, status: response.status });
}

function notMuster(response: Response, text: string): MusterError {
  const type = response.headers.get("content-type") ?? "no content type";
  const place = response.url === "" ? "the endpoint" : new URL(response.url).origin;
  const code = response.ok || response.status < 400 ? "internal" : codeOf(response.status);
  return new MusterError(code, `${place} answered ${response.status} with ${type}, which is not Muster's API`, {
    status: response.status,
    answer: text.slice(0, EXCERPT),
    hint: "check the endpoint: it is the control plane's base URL, without a path",
  });
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  413: "too_large",
  422: "unsupported",
  429: "too_many",
  431: "too_large",
  502: "unavailable",
  503: "unavailable",
  504: "unavailable",
};

const codeOf = (status: number): ErrorCode => CODES[status] ?? (status < 500 ? "invalid_request" : "internal");

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not JSON: the caller tells what came instead.
    return undefined;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
