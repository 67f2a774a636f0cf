/** The keys of issuers: found by discovery, kept for some minutes, and fetched anew when a token names one that is not known. */
import { MusterError } from "@muster/core/error.ts";
import type { Outbound } from "@muster/core/ports/outbound.ts";
import type { Clock } from "@muster/core/ports/ports.ts";
import type { JSONWebKeySet } from "jose";

export type Keys = JSONWebKeySet;

/** How long keys are believed, in ms. */
export interface Freshness {
  /** Until they are fetched anew. */
  readonly fresh: number;
  /** While they cannot be. */
  readonly stale: number;
  /** Until they are fetched again for the sake of a key that is not among them. */
  readonly cooldown: number;
}

interface Kept {
  keys: Keys;
  /** Epoch ms. */
  at: number;
  /** When they were last asked for, whatever came. */
  asked: number;
}

export interface KnownKeys {
  /** @throws MusterError `unavailable` when they cannot be had, and none are known that would do. */
  get(issuer: string): Promise<Keys>;
  /** Others than these, when there are any; undefined when there are not, or when it was asked not long ago. */
  newer(issuer: string, than: Keys): Promise<Keys | undefined>;
}

/** After a call that failed nobody asks for so long, in ms. */
const FAILED = 5000;
/** More than anybody has; whoever is configured last is as good as the first. */
const MOST_ISSUERS = 200;

export function keysOf(
  outbound: Pick<Outbound, "send">,
  clock: Clock,
  { fresh, stale, cooldown }: Freshness,
): KnownKeys {
  const kept = new Map<string, Kept>();
  const failed = new Map<string, number>();
  const under = new Map<string, Promise<Keys>>();

  const load = async (issuer: string): Promise<Keys> => {
    const before = kept.get(issuer);
    if (before !== undefined) before.asked = clock.now();
    try {
      const keys = await fetchKeys(outbound, issuer);
      if (kept.size >= MOST_ISSUERS) kept.clear();
      kept.set(issuer, { keys, at: clock.now(), asked: clock.now() });
      failed.delete(issuer);
      return keys;
    } catch (error) {
      failed.set(issuer, clock.now());
      throw error;
    }
  };
  /** Many who come at once are one call. */
  const fetching = (issuer: string): Promise<Keys> => {
    const running = under.get(issuer) ?? load(issuer).finally(() => under.delete(issuer));
    under.set(issuer, running);
    return running;
  };
  const isWithin = (since: number | undefined, ms: number): boolean => since !== undefined && clock.now() < since + ms;
  /** An issuer that does not answer is not asked by each who comes. */
  const asking = async (issuer: string): Promise<Keys> => {
    if (isWithin(failed.get(issuer), FAILED)) throw silent(issuer, "it did not answer just now");
    return fetching(issuer);
  };

  return {
    async get(issuer) {
      const known = kept.get(issuer);
      if (known !== undefined && isWithin(known.at, fresh)) return known.keys;
      try {
        return await asking(issuer);
      } catch (error) {
        if (known !== undefined && isWithin(known.at, stale)) return known.keys;
        throw error;
      }
    },
    async newer(issuer, than) {
      const known = kept.get(issuer);
      // Somebody else was here first.
      if (known !== undefined && known.keys !== than) return known.keys;
      return isWithin(known?.asked, cooldown) ? undefined : asking(issuer);
    },
  };
}

const DISCOVERY = "/.well-known/openid-configuration";
const PATIENCE = 5000;
const MOST_BYTES = 512 * 1024;
const MOST_KEYS = 100;
/** Key types whose other half is nobody's but the issuer's. */
const ASYMMETRIC: ReadonlySet<unknown> = new Set(["RSA", "EC", "OKP"]);

async function fetchKeys(outbound: Pick<Outbound, "send">, issuer: string): Promise<Keys> {
  const about = await json(outbound, issuer, `${issuer.replace(/\/$/, "")}${DISCOVERY}`);
  // Or one issuer could speak for another. (OpenID Connect Discovery 1.0, section 4.3)
  if (about.issuer !== issuer) throw silent(issuer, "it calls itself by another name");
  if (typeof about.jwks_uri !== "string") throw silent(issuer, "it does not say where its keys are");
  const { keys } = await json(outbound, issuer, about.jwks_uri);
  if (!Array.isArray(keys) || keys.length > MOST_KEYS) throw silent(issuer, "what it gives are no keys");
  return { keys: keys.filter(key => ASYMMETRIC.has(key?.kty) && key.d === undefined) };
}

async function json(
  outbound: Pick<Outbound, "send">,
  issuer: string,
  url: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { status, body } = await ask(outbound, issuer, url);
  if (status !== 200) throw silent(issuer, `${url} answers ${status}`);
  try {
    const value: unknown = JSON.parse(body);
    if (typeof value === "object" && value !== null) return value as Readonly<Record<string, unknown>>;
  } catch {
    // As wrong as any other answer that is none.
  }
  throw silent(issuer, `what ${url} answers is no JSON`);
}

async function ask(outbound: Pick<Outbound, "send">, issuer: string, url: string) {
  const request = { method: "GET", url, headers: { accept: "application/json" }, timeout: PATIENCE } as const;
  try {
    return await outbound.send({ ...request, maxBytes: MOST_BYTES });
  } catch (error) {
    // Whether its address may not be reached or nobody answers there: nobody comes in by it for now.
    throw silent(issuer, error instanceof Error ? error.message : String(error), error);
  }
}

const silent = (issuer: string, why: string, cause?: unknown): MusterError =>
  new MusterError(
    "unavailable",
    `the keys of ${issuer} cannot be had: ${why}`,
    { hint: "try again; if it stays so, an admin should look at the issuer's URL: muster issuers list" },
    cause,
  );
