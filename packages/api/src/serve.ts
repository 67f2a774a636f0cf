/**
 * Serves routes: an event of API Gateway in, an answer out. Every rule that holds for all routes stands here, in this
 * order: who calls, whether they may, how much they sent, what it says, whether it was answered before.
 */
import { type Actor, covers, type Role } from "@muster/core/actor/actor.ts";
import type { Identity } from "@muster/core/actor/identity.ts";
import { type ErrorCode, errors, MusterError } from "@muster/core/error.ts";
import type { HostActor } from "@muster/core/host/authenticate.ts";
import type { Digest, Log } from "@muster/core/ports/ports.ts";
import { WriteConflict } from "@muster/core/ports/table.ts";
import { answer, type HttpAnswer, type HttpEvent, refusal } from "./http.ts";
import {
  type BodyOf,
  COMMON_ERRORS,
  isKeyed,
  type OutputOf,
  type ParamsOf,
  type QueryOf,
  type Route,
} from "./route.ts";
import type { RouteId, Routes } from "./routes.ts";
import { bodyText, invalid, type Raw, rawOf, reader } from "./serve-input.ts";

/** What serving needs of the world. */
export interface Door {
  /** @throws MusterError `unauthenticated`. @param from address that the request came from */
  authenticate(authorization: string | undefined, from?: string): Promise<Actor>;
  /** @throws MusterError `unauthenticated`. */
  authenticateHost(authorization: string | undefined, from?: string): Promise<HostActor>;
  /** Waits for what was begun beside requests: a function stands still once it has answered. */
  settled?(): Promise<unknown>;
  /** What the actor's claim was answered before. @throws MusterError `idempotency_mismatch`. */
  findClaim(actor: Actor): Promise<{ readonly answer: unknown } | undefined>;
  /** The first answer, when a verb failed because its request was committed before. */
  isReplay(error: unknown): { readonly answer: unknown } | undefined;
  readonly digest: Pick<Digest, "hash" | "mac">;
  readonly log: Log;
}

/** A request that has passed every check. */
export type Call<R extends Route> = {
  readonly params: ParamsOf<R>;
  readonly query: QueryOf<R>;
  readonly body: BodyOf<R>;
  /** Address that the request came from, where that is known. */
  readonly from?: string;
} & (R["auth"] extends "user" ? { readonly actor: Actor } : unknown) &
  (R["raw"] extends number ? { readonly raw: Raw } : unknown) &
  (R["auth"] extends "host" ? { readonly host: HostActor } : unknown) &
  (R["auth"] extends "iam" ? { readonly identity: Identity } : unknown);

export type Run<R extends Route> = (call: Call<R>) => Promise<OutputOf<R>>;
export type Handler = (event: HttpEvent) => Promise<HttpAnswer>;
export type Runs = { readonly [Id in RouteId]?: Run<Routes[Id]> };

interface Caller {
  readonly actor?: Actor;
  readonly host?: HostActor;
  readonly identity?: Identity;
  readonly from?: string;
}

/** @param id tells the route in the log. */
export function serve<R extends Route>(door: Door, id: string, route: R, run: Run<R>): Handler {
  const read = reader(route);
  return async event => {
    try {
      const caller = await admit(door, route, event);
      const text = route.raw === undefined ? bodyText(event) : "";
      const key = keyOf(route, event);
      const input = read(event, text);
      const claimed = key === undefined ? caller : claim(door.digest, caller, key, event, text);
      // `read` has parsed the input by this very route's schemas, and `admit` found the caller that its `auth` names.
      const call = {
        ...input,
        ...claimed,
        ...(route.raw !== undefined && { raw: rawOf(event) }),
      } as unknown as Call<R>;
      const { value, replayed } = await once(door, claimed.actor, () => run(call));
      return answer(route.status, route.output.parse(value), replayed ? { "idempotency-replayed": "true" } : {});
    } catch (error) {
      return fail(door.log, id, route, event, error);
    } finally {
      await door.settled?.();
    }
  };
}

/** Serves the table's routes that have a verb to run; the event's `routeKey` says which. */
export function dispatcher(door: Door, table: Readonly<Record<string, Route>>, runs: Runs): Handler {
  const handlers = new Map<string, Handler>();
  for (const [id, route] of Object.entries(table)) {
    // The table pairs each id with its route, and `Runs` each id with its verb: TypeScript cannot pair them in a loop.
    const run = runs[id as RouteId] as Run<Route> | undefined;
    if (run) handlers.set(`${route.method} ${route.path}`, serve(door, id, route, run));
  }
  return async event =>
    handlers.get(event.routeKey)?.(event) ?? refusal(new MusterError("not_found", "there is nothing at this path"));
}

/** Who calls, and from where. @throws MusterError `unauthenticated`, or `forbidden` when the role does not allow it. */
async function admit(door: Door, route: Route, event: HttpEvent): Promise<Caller> {
  const { authorization } = event.headers;
  const { sourceIp } = event.requestContext.http;
  const from = sourceIp !== undefined && { from: sourceIp };
  if (route.auth === "user") {
    const actor = await door.authenticate(authorization, sourceIp);
    requireRole(actor, route.role);
    return { ...from, actor: { ...actor, via: { ...actor.via, ...from } } };
  }
  if (route.auth === "none") return { ...from };
  if (route.auth === "iam") return { ...from, identity: { ...identityOf(event), ...from } };
  return { ...from, host: await door.authenticateHost(authorization, sourceIp) };
}

function requireRole({ role }: Actor, least: Role): void {
  if (covers(role, least)) return;
  throw new MusterError("forbidden", `the role ${role} may not do that`, {
    hint: `use a token with the role ${least}`,
  });
}

/** What the gateway says of the signature; without a gateway that checks there is nobody to believe. */
function identityOf({ requestContext }: HttpEvent): Identity {
  const iam = requestContext.authorizer?.iam;
  if (iam) return { arn: iam.userArn, account: iam.accountId };
  throw new MusterError("unauthenticated", "this path takes requests signed with AWS credentials", {
    hint: "it is there only where the control plane runs on AWS",
  });
}

function keyOf(route: Route, event: HttpEvent): string | undefined {
  const key = isKeyed(route) ? event.headers["idempotency-key"] : undefined;
  if (key === undefined || /^[!-~]{1,255}$/.test(key)) return key;
  throw invalid([{ path: "headers.idempotency-key", message: "expected 1 to 255 visible ASCII characters" }]);
}

function claim(digest: Door["digest"], caller: Caller, key: string, event: HttpEvent, text: string): Caller {
  if (caller.actor === undefined) return caller;
  const request = [event.requestContext.http.method, event.rawPath, event.rawQueryString, text].join("\n");
  // Keyed: what stands in the table must not tell whether somebody guessed a weak secret in the request.
  const made = { key: digest.hash(`${caller.actor.id}\n${key}`), request: digest.mac("request", request) };
  return { actor: { ...caller.actor, claim: made } };
}

interface Outcome {
  readonly value: unknown;
  readonly replayed: boolean;
}

/** Runs the verb, unless its request was answered before. */
async function once(door: Door, actor: Actor | undefined, run: () => Promise<unknown>): Promise<Outcome> {
  const before = actor?.claim === undefined ? undefined : await door.findClaim(actor);
  if (before) return { value: before.answer, replayed: true };
  try {
    return { value: await run(), replayed: false };
  } catch (error) {
    // The same request was on its way twice, and the other one came first.
    const replay = door.isReplay(error);
    if (replay) return { value: replay.answer, replayed: true };
    // Or the other one has made what this one stumbles over: a name that is taken, a place that was the last.
    const answered = actor?.claim !== undefined && isRefusal(error) && (await door.findClaim(actor));
    if (answered) return { value: answered.answer, replayed: true };
    throw error;
  }
}

/** Whether this says no, and not that nobody knows. */
const isRefusal = (error: unknown): boolean => error instanceof MusterError && errors[error.code].status < 500;

/** The answer that tells a failure; what its reader may not see is logged instead. */
function fail(log: Log, id: string, route: Route, event: HttpEvent, thrown: unknown): HttpAnswer {
  const error = visible(thrown);
  const isListed = error !== undefined && listed(route).includes(error.code);
  if (isListed && isOrdinary(error.code)) return refusal(error);
  const { requestId } = event.requestContext;
  const trace = requestId === undefined ? {} : { requestId };
  const what = error && !isListed ? "unlisted code" : "request failed";
  log.error(what, { route: id, ...(error && { code: error.code }), ...trace, error: describe(thrown) });
  return refusal(isListed ? error : new MusterError("internal", "something went wrong inside Muster", trace));
}

/** Failures that say nothing of the control plane's own health. */
const isOrdinary = (code: ErrorCode): boolean => errors[code].status < 500 || code === "busy";

const listed = (route: Route): readonly ErrorCode[] => [...COMMON_ERRORS, ...route.errors];

function visible(thrown: unknown): MusterError | undefined {
  if (thrown instanceof WriteConflict)
    return new MusterError("busy", "too many changes at once; try again", {}, thrown);
  return thrown instanceof MusterError ? thrown : undefined;
}

/** The stack of a failure and of what caused it. */
function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.stack ?? String(thrown);
  return thrown.cause === undefined ? own : `${own}\ncaused by ${describe(thrown.cause)}`;
}
