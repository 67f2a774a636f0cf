/** The API's client, typed by the route table: `c.clusters.get({ params: { cluster } })`. Needs nothing but `fetch`. */
import { MusterError } from "@muster/core/error.ts";
import { decodeAnswer } from "./client-answer.ts";
import { type Attempt, persist } from "./client-retry.ts";
import { type InputOf, isKeyed, type OutputOf, type Route } from "./route.ts";
import { entries, type RouteId, type Routes } from "./routes.ts";

export interface ClientOptions {
  /** The control plane's base URL. */
  readonly endpoint: string;
  /** A bearer token; absent for the few routes that need none. */
  readonly token?: string | undefined;
  /** Version of the program that calls, for the user agent. */
  readonly version: string;
  readonly fetch?: typeof globalThis.fetch;
  /** Longest time for one try, in ms; 30 s when absent, the gateway's own limit. */
  readonly timeout?: number;
  /** Waits between tries; rejects when the signal fires. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Names the intent, so that a call that is made again happens once. Absent: a new one for this call. */
  readonly idempotencyKey?: string | undefined;
}

type NounOf<Id extends string> = Id extends `${infer Noun}.${string}` ? Noun : never;
type VerbOf<Id extends string, Noun extends string> = Id extends `${Noun}.${infer Verb}` ? Verb : never;
type Nothing = { readonly params?: never; readonly query?: never; readonly body?: never };
type Given<R extends Route> = [unknown] extends [InputOf<R>] ? Nothing : InputOf<R>;
type Method<R extends Route> = (
  ...call: Record<never, never> extends Given<R>
    ? [input?: Given<R>, options?: CallOptions]
    : [input: Given<R>, options?: CallOptions]
) => Promise<OutputOf<R>>;

export type Client = {
  readonly [Noun in NounOf<RouteId>]: {
    readonly [Id in RouteId as VerbOf<Id, Noun>]: Method<Routes[Id]>;
  };
};

interface Sent {
  readonly params?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
}

/**
 * Calls throw MusterErrors, as the control plane told them; `unavailable` when it cannot be reached. Network failures
 * and failures that may pass are tried again, up to five times in all, under one idempotency key.
 */
export function client(options: ClientOptions): Client {
  const nouns: Record<string, Record<string, unknown>> = {};
  for (const [id, route] of entries) {
    const [noun = "", verb = ""] = id.split(".");
    const verbs = nouns[noun] ?? {};
    nouns[noun] = verbs;
    verbs[verb] = (input: Sent = {}, callOptions: CallOptions = {}) => call(options, route, input, callOptions);
  }
  // Built from the same table that its type is computed from.
  return nouns as unknown as Client;
}

async function call(options: ClientOptions, route: Route, input: Sent, callOptions: CallOptions): Promise<unknown> {
  const url = urlOf(options.endpoint, route, input);
  const init: RequestInit = {
    method: route.method,
    headers: headersOf(options, route, callOptions),
    // A redirect would turn a POST into a GET, and could lead the token elsewhere.
    redirect: "manual",
    ...(route.body !== undefined && { body: JSON.stringify(input.body) }),
  };
  const attempt: Attempt = async signal => decodeAnswer(await (options.fetch ?? fetch)(url, { ...init, signal }));
  return persist(attempt, { ...options, signal: callOptions.signal });
}

function headersOf(options: ClientOptions, route: Route, callOptions: CallOptions): Record<string, string> {
  return {
    accept: "application/json",
    "user-agent": `muster/${options.version}`,
    ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
    ...(route.body !== undefined && { "content-type": "application/json" }),
    ...(isKeyed(route) && { "idempotency-key": callOptions.idempotencyKey ?? crypto.randomUUID() }),
  };
}

function urlOf(endpoint: string, route: Route, input: Sent): string {
  const path = route.path.replace(/\{(\w+)\}/g, (_, name: string) => segment(name, String(input.params?.[name] ?? "")));
  const query = new URLSearchParams();
  for (const [key, value] of Object.entries(input.query ?? {}))
    if (value !== undefined) query.append(key, String(value));
  return `${endpoint.replace(/(?<!\/)\/+$/, "")}${path}${query.size === 0 ? "" : `?${query}`}`;
}

/** Encodes one segment. Those that would lead to another route are refused: URLs resolve them even when encoded. */
function segment(name: string, value: string): string {
  if (value !== "" && value !== "." && value !== ".." && value.isWellFormed()) return encodeURIComponent(value);
  const issues = [{ path: `params.${name}`, message: "is not an id or a name" }];
  throw new MusterError("invalid_request", `'${value}' is not an id or a name`, { issues });
}
