/** One call to a forge's REST API, and what its failures mean: to be tried later, or never to be had this way. */
import type * as z from "zod";
import { MusterError } from "../error.ts";
import type { Outbound, OutboundAnswer, OutboundRequest } from "../ports/outbound.ts";
import type { Clock } from "../ports/ports.ts";

export interface Forge {
  readonly outbound: Pick<Outbound, "send">;
  readonly clock: Clock;
  /** For people. */
  readonly name: "GitHub" | "GitLab";
  /** Base of its API, without a slash at its end. */
  readonly api: string;
  /** What says who calls, and which version of the API is meant. */
  readonly headers: () => Promise<Readonly<Record<string, string>>>;
  /** The same anew, once they were not accepted; absent where they are always the same. */
  readonly renewed?: () => Promise<Readonly<Record<string, string>>>;
}

export interface Ask {
  readonly method: OutboundRequest["method"];
  /** With its query, from a slash on. */
  readonly path: string;
  readonly body?: object;
  /** What it is for, as the end of "GitHub would not …". */
  readonly what: string;
  readonly maxBytes?: number;
}

/** How long one call may take, in ms. */
export const CALL_TIMEOUT = 10_000;
/** Of an answer, in bytes. */
const MOST_BYTES = 1_000_000;
/** Of one that brings whole files, or what has changed in them. */
export const MOST_LISTED = 10_000_000;

/** How long a forge is left alone that says for how long: no less, no more, in ms. */
const LEAST_PAUSE = 1_000;
const MOST_PAUSE = 3_600_000;

/**
 * @throws MusterError `unavailable` where it is worth another try, from `details.retryAt` (epoch ms) on where the forge says
 * so; `unauthenticated`, `forbidden`, `not_found`, `conflict` or `invalid_request` where it is not.
 */
export async function call(forge: Forge, ask: Ask): Promise<OutboundAnswer> {
  const headers = await forge.headers();
  requireNoPause(forge, ask, headers);
  const answer = await once(forge, ask, headers);
  const isOld = answer.status === 401 && forge.renewed !== undefined;
  const last = isOld ? await once(forge, ask, await forge.renewed()) : answer;
  if (last.status >= 200 && last.status < 300) return last;
  const failure = failureOf(forge, ask, last);
  notePause(forge, headers, failure, last);
  throw failure;
}

type Headers = Readonly<Record<string, string>>;

/** Until when (epoch ms) whoever has these credentials is to ask nothing: each who goes on asking makes it longer for all. */
const pauses = new WeakMap<object, Map<string, number>>();

const whose = ({ api }: Forge, headers: Headers): string =>
  `${api} ${headers.authorization ?? headers["private-token"] ?? ""}`;

/** @throws MusterError `unavailable`: nothing was sent. */
function requireNoPause(forge: Forge, { what }: Ask, headers: Headers): void {
  const until = pauses.get(forge.outbound)?.get(whose(forge, headers)) ?? 0;
  if (until <= forge.clock.now()) return;
  const message = `${forge.name} has asked for a pause: it was not asked to ${what}`;
  throw new MusterError("unavailable", message, { forge: forge.name, retryAt: until });
}

function notePause(forge: Forge, headers: Headers, { details }: MusterError, { status }: OutboundAnswer): void {
  if (typeof details.retryAt !== "number" || (status !== 429 && status !== 403)) return;
  const known = pauses.get(forge.outbound) ?? new Map<string, number>();
  pauses.set(forge.outbound, known.set(whose(forge, headers), details.retryAt));
}

async function once(forge: Forge, ask: Ask, headers: Headers): Promise<OutboundAnswer> {
  return forge.outbound.send({
    method: ask.method,
    url: `${forge.api}${ask.path}`,
    headers: { ...headers, ...(ask.body !== undefined && { "content-type": "application/json" }) },
    ...(ask.body !== undefined && { body: JSON.stringify(ask.body) }),
    timeout: CALL_TIMEOUT,
    maxBytes: ask.maxBytes ?? MOST_BYTES,
  });
}

/** @throws MusterError `unavailable` for an answer that is none: nobody knows what became of the call. */
export function parsed<T>(forge: Forge, ask: Ask, schema: z.ZodType<T>, body: string): T {
  const found = schema.safeParse(jsonOf(body));
  if (found.success) return found.data;
  throw new MusterError("unavailable", `${forge.name}'s answer makes no sense: it was to ${ask.what}`);
}

/** A call whose answer is JSON of this form. */
export const asked = async <T>(forge: Forge, ask: Ask, schema: z.ZodType<T>): Promise<T> =>
  parsed(forge, ask, schema, (await call(forge, ask)).body);

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const REASONS: Readonly<Record<number, readonly ["unauthenticated" | "forbidden" | "not_found" | "conflict", string]>> =
  {
    401: ["unauthenticated", "does not accept the token"],
    403: ["forbidden", "does not allow it with this token"],
    404: ["not_found", "shows nothing of the kind to whoever has this token"],
    409: ["conflict", "has it otherwise"],
    410: ["not_found", "has it no more"],
  };

function failureOf(forge: Forge, { what }: Ask, answer: OutboundAnswer): MusterError {
  const { status } = answer;
  const said = saidBy(answer.body);
  const about = { status, forge: forge.name, ...(said !== "" && { said }) };
  const tail = said === "" ? "" : `: ${said}`;
  if (isLater(answer)) {
    const retryAt = retryAtOf(answer, forge.clock.now());
    const message = `${forge.name} would not ${what} now (${status})${tail}`;
    return new MusterError("unavailable", message, { ...about, ...(retryAt !== undefined && { retryAt }) });
  }
  if (status >= 300 && status < 400)
    return new MusterError("not_found", `${forge.name} would not ${what}: it has moved (${status})`, {
      ...about,
      hint: "was the repository renamed? Set the hook anew with the name that it has now",
    });
  const [code, why] = REASONS[status] ?? (["invalid_request", "does not take it"] as const);
  return new MusterError(code, `${forge.name} would not ${what}: it ${why} (${status})${tail}`, about);
}

/** Both forges say 429 for too many calls; GitHub also 403, which it says for much else. */
function isLater({ status, headers, body }: OutboundAnswer): boolean {
  if (status >= 500 || status === 429 || status === 408 || status === 425 || status < 200) return true;
  if (status !== 403) return false;
  return (
    headers["retry-after"] !== undefined || headers["x-ratelimit-remaining"] === "0" || /rate limit|abuse/i.test(body)
  );
}

/** Epoch ms from which on it may be tried again, as the forge says. */
export function retryAtOf({ headers }: Pick<OutboundAnswer, "headers">, now: number): number | undefined {
  const after = headers["retry-after"];
  const pause = after === undefined ? undefined : pauseOf(after, now);
  const reset = Number((headers["x-ratelimit-reset"] ?? headers["ratelimit-reset"] ?? "").trim() || Number.NaN);
  const wait = pause ?? (Number.isFinite(reset) ? reset * 1000 - now : undefined);
  return wait === undefined ? undefined : now + Math.min(MOST_PAUSE, Math.max(LEAST_PAUSE, wait));
}

/** Seconds, or a date (RFC 9110 §10.2.3). */
function pauseOf(after: string, now: number): number | undefined {
  if (/^\d{1,9}$/.test(after.trim())) return Number(after) * 1000;
  const at = Date.parse(after);
  return Number.isNaN(at) ? undefined : at - now;
}

const MOST_SAID = 200;

/** What it says itself of a failure, in one line. Errors of GitLab are texts, or texts by field. */
function saidBy(body: string): string {
  const answer = jsonOf(body);
  if (typeof answer !== "object" || answer === null) return "";
  const { message, error } = answer as { readonly message?: unknown; readonly error?: unknown };
  const said = message ?? error ?? "";
  const text = typeof said === "string" ? said : (JSON.stringify(said) ?? "");
  const line = text.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line.length > MOST_SAID ? `${line.slice(0, MOST_SAID)}…` : line;
}

/**
 * A path of the API with these names in it, each as one segment.
 * @throws MusterError `invalid_request` for a name that would lead elsewhere.
 */
export function pathOf(...names: readonly (string | number)[]): string {
  const segments = names.map(name => {
    const text = String(name);
    if (text === "" || text === "." || text === ".." || /[\p{Cc}]/u.test(text) || !text.isWellFormed())
      throw new MusterError("invalid_request", `'${text.toWellFormed().slice(0, 100)}' is no name at a forge`);
    return encodeURIComponent(text);
  });
  return `/${segments.join("/")}`;
}

/** Bytes of base64 as text. @throws MusterError `invalid_request` for what is neither. */
export function textOfBase64(base64: string, what: string): string {
  try {
    const bytes = Uint8Array.from(atob(base64.replace(/\s+/g, "")), char => char.charCodeAt(0));
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new MusterError("invalid_request", `${what} is not text in UTF-8`);
  }
}

/** Pages until one is not full. @returns all items, and whether these are all there are */
export async function pages<T>(
  most: number,
  size: number,
  read: (page: number) => Promise<readonly T[]>,
): Promise<{ items: T[]; complete: boolean }> {
  const items: T[] = [];
  for (let page = 1; page <= most; page++) {
    const found = await read(page);
    items.push(...found);
    if (found.length < size) return { items, complete: true };
  }
  return { items, complete: false };
}
