/** Signed requests to AWS: tried again where that may help and can do no harm, and told to whoever counts them. */
import { Fault, kindOf, type Problem } from "../fault.ts";
import type { Aws } from "./aws.ts";
import { type Answer, Broken, exchange } from "./exchange.ts";
import { type Patience, retrying, type Standing, spend, standingOf } from "./retry.ts";
import { queryOf, sign, type Unsigned } from "./sign.ts";

export type { Answer } from "./exchange.ts";

export interface Outgoing extends Unsigned {
  /** As it is signed. */
  readonly service: string;
  readonly operation: string;
  /** Where it is signed for, when not the region of `aws`. */
  readonly region?: string | undefined;
}

/** How a service's answers are read. */
export interface Protocol<T> {
  /** Of a success. What it throws counts as an answer that did not come. */
  readonly read: (answer: Answer) => T;
  /** Of a failure; never throws. */
  readonly problem: (answer: Answer) => Problem;
  readonly units?: (value: T) => { readonly readUnits?: number; readonly writeUnits?: number };
}

export interface Terms extends Patience {
  /** For each attempt, in ms. */
  readonly timeout: number;
}

/**
 * The answer to a request, from a status below 300.
 * @throws Fault
 */
export async function send<T>(aws: Aws, outgoing: Outgoing, protocol: Protocol<T>, terms: Terms): Promise<T> {
  const standing = standingOf(outgoing.origin);
  return await retrying(terms, standing, async attempt => {
    const once = (pooled: boolean) => attemptOnce({ aws, outgoing, protocol, terms, standing, attempt, pooled });
    try {
      // What may not be repeated goes on a new connection: on an old one, a reset would leave open whether it arrived.
      return await once(terms.repeatable);
    } catch (error) {
      if (isStale(error) && spend(standing)) return await once(false);
      if (error instanceof Skewed && adjust(standing, error)) return await once(terms.repeatable);
      throw error;
    }
  });
}

const isStale = (error: unknown): boolean =>
  error instanceof Fault && error.cause instanceof Broken && error.cause.stale;

interface Attempt<T> {
  readonly aws: Aws;
  readonly outgoing: Outgoing;
  readonly protocol: Protocol<T>;
  readonly terms: Terms;
  readonly standing: Standing;
  readonly attempt: number;
  readonly pooled: boolean;
}

async function attemptOnce<T>(given: Attempt<T>): Promise<T> {
  const { aws, outgoing, protocol, attempt } = given;
  const { service, operation } = outgoing;
  const called = (status: number, units?: object) => aws.onCall?.({ service, operation, status, attempt, ...units });
  const answer = await answered(given).catch((error: unknown) => {
    if (!(error instanceof Broken)) throw error;
    called(0);
    const kind = error.sent ? "unknown" : "throttled";
    throw new Fault({ service, operation, status: 0, kind, code: error.code, message: error.message, body: {} }, error);
  });
  if (answer.status >= 300) {
    called(answer.status);
    throw failureOf(answer, outgoing, protocol.problem(answer));
  }
  const value = read(answer, outgoing, protocol, () => called(answer.status));
  called(answer.status, protocol.units?.(value));
  return value;
}

async function answered({
  aws,
  outgoing,
  terms,
  standing,
  pooled,
}: Omit<Attempt<unknown>, "protocol">): Promise<Answer> {
  const { service, region = aws.region, origin, path, query, body, method } = outgoing;
  const length = body === undefined ? undefined : String(Buffer.byteLength(body));
  const request = { ...outgoing, headers: { ...outgoing.headers, ...(length && { "content-length": length }) } };
  const date = new Date(Date.now() + standing.skew);
  const headers = await sign(request, { service, region, date, credentials: await aws.credentials() });
  const asked = queryOf(Object.entries(query));
  const target = asked === "" ? path : `${path}?${asked}`;
  return await exchange({
    method,
    origin,
    target,
    headers: { ...headers, "user-agent": "muster" },
    body,
    timeout: terms.timeout,
    pooled,
  });
}

function read<T>(answer: Answer, { service, operation }: Outgoing, protocol: Protocol<T>, failed: () => void): T {
  try {
    return protocol.read(answer);
  } catch (error) {
    failed();
    const message = "the answer is not in the form that was expected";
    const { status } = answer;
    throw new Fault(
      { service, operation, status, kind: "unknown", code: "UnreadableAnswer", message, body: {} },
      error,
    );
  }
}

/** A refusal because of the request's date, and the date of who refused it. */
class Skewed extends Fault {
  theirs = 0;
}

const CLOCK = new Set(["RequestTimeTooSkewed", "InvalidSignatureException", "RequestExpired", "RequestInTheFuture"]);
/** AWS takes requests up to five minutes old. */
const TOLERATED_MS = 240_000;

function failureOf({ status, headers }: Answer, { service, operation }: Outgoing, problem: Problem): Fault {
  const facts = { ...problem, status, service, operation, kind: kindOf(problem, status) };
  const theirs = Date.parse(headers.date ?? "");
  if (!CLOCK.has(problem.code) || Number.isNaN(theirs)) return new Fault(facts);
  return Object.assign(new Skewed(facts), { theirs });
}

/** Takes over the other side's time when ours is far from it. */
function adjust(standing: Standing, { theirs }: Skewed): boolean {
  const skew = theirs - Date.now();
  if (Math.abs(skew - standing.skew) < TOLERATED_MS) return false;
  standing.skew = skew;
  return true;
}
