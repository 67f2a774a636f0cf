/**
 * Renewal: a token of whoever signed in lives for an hour, and another is had before it ends, without a word.
 *
 * Many commands may run at once, and an issuer that turns refresh tokens over takes each only once: whoever renews holds a
 * lock beside the configuration, and the others wait and read what was written.
 */
import { closeSync, openSync, rmSync, statSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { MusterError } from "@muster/core/error.ts";
import * as Config from "../context/config.ts";
import { describe, type Oidc, type Source } from "./source.ts";
import { type Access, exchanged, viaAws, viaGithub } from "./vouch.ts";

/** So long before its end, in ms, a token is renewed. */
const AHEAD = 120_000;
/** A command that died while it renewed holds its lock no longer. */
const STALE = 60_000;
const POLL = 50;
const PATIENCE = 90_000;

/** A context whose token was had by signing in. */
export interface Renewable {
  readonly env: NodeJS.ProcessEnv;
  readonly path: string;
  readonly context: string;
  readonly endpoint: string;
}

/**
 * The context's token, renewed when it ends soon.
 * @param refused one that the control plane does not take any more: another is wanted, however long this one would live
 * @throws MusterError `unauthenticated` when whoever vouched does not any more
 */
export async function fresh(where: Renewable, refused?: string): Promise<string | undefined> {
  const known = read(where);
  if (known?.source === undefined || isGood(known, refused)) return known?.token;
  try {
    return await locked(where, async () => {
      // Somebody else may have renewed it while this command waited.
      const now = read(where);
      if (now?.source === undefined || isGood(now, refused)) return now?.token;
      const access = await renewed(where, now.source, kept => keep(where, kept));
      keep(where, access);
      return access.token;
    });
  } catch (error) {
    // What is good for some moments yet is good enough while the issuer cannot be asked.
    if (known.token !== refused && (known.expiresAt ?? 0) > Date.now()) return known.token;
    throw error;
  }
}

const read = ({ path, context, endpoint }: Renewable): Config.Context | undefined => {
  const found = Config.find(Config.read(path), context);
  return found?.endpoint === endpoint ? found : undefined;
};

const isGood = ({ token, expiresAt }: Config.Context, refused: string | undefined): boolean =>
  token !== refused && (expiresAt === undefined || expiresAt > Date.now() + AHEAD);

/** What is known now, into the file as it stands now; nothing, when the context is gone. */
function keep(where: Renewable, change: Partial<Access>): void {
  const config = Config.read(where.path);
  const found = Config.find(config, where.context);
  if (found?.endpoint !== where.endpoint) return;
  Config.write(where.path, {
    ...config,
    contexts: { ...config.contexts, [where.context]: { ...found, ...change } },
  });
}

type Keep = (change: Partial<Access>) => void;

async function renewed(where: Renewable, source: Source, write: Keep): Promise<Access> {
  try {
    return await another(where, source, write);
  } catch (error) {
    const isOver = error instanceof MusterError && (error.code === "unauthenticated" || error.code === "forbidden");
    throw isOver ? over(where, source, error) : error;
  }
}

function another({ endpoint, env }: Renewable, source: Source, write: Keep): Promise<Access> {
  switch (source.kind) {
    case "oidc":
      return viaRefresh(endpoint, source, write);
    case "aws":
      return viaAws(endpoint, source);
    case "github":
      return viaGithub(endpoint, env, source);
    case "given":
      throw new MusterError("unauthenticated", "the token that was given has ended");
  }
}

async function viaRefresh(endpoint: string, source: Oidc, write: Keep): Promise<Access> {
  if (source.refresh === undefined)
    throw new MusterError("unauthenticated", "the issuer gave nothing to come back with");
  const { codeOf, reasonOf, refreshed } = await import("./oidc.ts");
  const given = await refreshed(source, source.refresh).catch((error: unknown) => {
    if (error instanceof MusterError) throw error;
    const code = codeOf(error) === undefined ? "unavailable" : "unauthenticated";
    throw new MusterError(code, reasonOf(error), { hint: "try again" }, error);
  });
  const next = { ...source, refresh: given.refresh };
  // Before anything else can fail: the one before may be good no more.
  write({ source: next });
  return exchanged(endpoint, given.idToken, next);
}

const over = ({ endpoint, context }: Renewable, source: Source, error: MusterError): MusterError =>
  new MusterError(
    "unauthenticated",
    `your sign-in at ${describe(source)} has ended: ${error.message}`,
    {
      ...error.details,
      signedOut: true,
      hint: `sign in again: muster login ${endpoint} --name ${context}${how(source)}`,
    },
    error,
  );

const how = ({ kind }: Source): string => (kind === "aws" || kind === "github" ? ` --${kind}` : "");

async function locked<T>({ path, context }: Renewable, act: () => Promise<T>): Promise<T> {
  const lock = `${path}.${context}.lock`;
  const begun = Date.now();
  while (!taken(lock)) {
    if (Date.now() - begun > PATIENCE)
      throw new MusterError("unavailable", "another command is renewing this sign-in, and does not end", {
        hint: `end it, and remove ${lock}`,
      });
    await pause(POLL);
  }
  try {
    return await act();
  } finally {
    rmSync(lock, { force: true });
  }
}

/** Whether the lock is this command's from now on. */
function taken(lock: string): boolean {
  try {
    closeSync(openSync(lock, "wx", 0o600));
    return true;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== "EEXIST") throw new MusterError("internal", `cannot write ${lock}: ${code ?? message}`, {}, error);
    if (isStale(lock)) rmSync(lock, { force: true });
    return false;
  }
}

function isStale(lock: string): boolean {
  try {
    return Date.now() - statSync(lock).mtimeMs > STALE;
  } catch {
    // It went meanwhile.
    return false;
  }
}
