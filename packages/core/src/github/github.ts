/**
 * GitHub's REST API, also that of a GitHub Enterprise Server, as somebody whom a stored secret names.
 * https://docs.github.com/en/rest
 */
import * as z from "zod";
import { MusterError } from "../error.ts";
import { type Ask, asked, type Forge, pathOf } from "../forge/call.ts";
import type { Outbound } from "../ports/outbound.ts";
import type { Clock } from "../ports/ports.ts";
import type { Signer } from "../ports/signer.ts";
import { type Credentials, credentialsOf } from "./credentials.ts";

/** Where it is for everybody; a server of one's own has it at `https://HOST/api/v3`. */
export const API = "https://api.github.com";

export interface GitHub extends Forge {
  /** Owner and name. */
  readonly repository: string;
  /** Whether it calls as an App: only those have check runs. */
  readonly isApp: boolean;
}

export type Part = {
  readonly outbound: Pick<Outbound, "send">;
  readonly clock: Clock;
  /** Absent where nobody can sign as an App. */
  readonly signer?: Signer | undefined;
};

const VERSION = { accept: "application/vnd.github+json", "x-github-api-version": "2022-11-28", "user-agent": "muster" };

/** @throws MusterError `invalid_request` for a secret that is neither a token nor an App's key, or a repository that is none. */
export function gitHub(
  world: Part,
  { api, repository, secret }: { readonly api: string; readonly repository: string; readonly secret: string },
): GitHub {
  const credentials = credentialsOf(secret);
  const base = api.replace(/(?<!\/)\/+$/, "");
  pathOf(...partsOf(repository));
  const { outbound, clock } = world;
  const forge = { outbound, clock, name: "GitHub", api: base, repository } as const;
  if (credentials.kind === "token") return { ...forge, isApp: false, headers: async () => bearer(credentials.token) };
  const as = async (isRefused: boolean) => bearer(await installed(world, base, repository, credentials, isRefused));
  return { ...forge, isApp: true, headers: () => as(false), renewed: () => as(true) };
}

/** A path of the repository. */
export const inRepository = ({ repository }: Pick<GitHub, "repository">, ...names: readonly (string | number)[]) =>
  pathOf("repos", ...partsOf(repository), ...names);

function partsOf(repository: string): readonly [string, string] {
  const [owner, name, ...more] = repository.split("/");
  if (owner === undefined || name === undefined || more.length > 0)
    throw new MusterError("invalid_request", `'${repository.slice(0, 100)}' is no repository: it is OWNER/NAME`);
  return [owner, name];
}

const bearer = (token: string) => ({ ...VERSION, authorization: `Bearer ${token}` });

type App = Extract<Credentials, { kind: "app" }>;

interface Kept {
  readonly token: string;
  /** Epoch ms. */
  readonly until: number;
}

/** Tokens of installations are good for an hour, and are kept for that long: with whoever sends them, and nowhere else. */
const kept = new WeakMap<object, Map<string, Kept>>();
/** A call that begins with one must still be heard, in ms. */
const SPARE = 120_000;

/** A token of the App's installation in this repository; it is good for that repository alone. */
async function installed(world: Part, api: string, repository: string, app: App, isRefused: boolean): Promise<string> {
  const tokens = kept.get(world.outbound) ?? new Map<string, Kept>();
  kept.set(world.outbound, tokens);
  const key = JSON.stringify([api, repository, app.appId, app.installation, app.key]);
  const known = isRefused ? undefined : tokens.get(key);
  if (known !== undefined && known.until > world.clock.now() + SPARE) return known.token;
  const fresh = await exchange(world, api, repository, app);
  tokens.set(key, fresh);
  return fresh.token;
}

const Installation = z.object({ id: z.number().int().positive() });
const Access = z.object({ token: z.string().min(1).max(4096), expires_at: z.iso.datetime({ offset: true }) });

async function exchange(world: Part, api: string, repository: string, app: App): Promise<Kept> {
  const forge: Forge = { ...world, name: "GitHub", api, headers: async () => bearer(jwtOf(world, app)) };
  const [owner, name] = partsOf(repository);
  const find: Ask = {
    method: "GET",
    path: pathOf("repos", owner, name, "installation"),
    what: `tell where the App is installed for ${repository}`,
  };
  const id = app.installation ?? String((await asked(forge, find, Installation)).id);
  const ask: Ask = {
    method: "POST",
    path: pathOf("app", "installations", id, "access_tokens"),
    body: { repositories: [name] },
    what: "let the App in",
  };
  const { token, expires_at } = await asked(forge, ask, Access);
  return { token, until: Date.parse(expires_at) };
}

/** Good for ten minutes at most; a minute back, for clocks that differ. */
function jwtOf({ clock, signer }: Part, { appId, key }: App): string {
  if (signer === undefined)
    throw new MusterError("unsupported", "this control plane cannot sign as a GitHub App", {
      hint: "store a token instead",
    });
  const now = Math.floor(clock.now() / 1000);
  const body = [
    { alg: "RS256", typ: "JWT" },
    { iat: now - 60, exp: now + 540, iss: appId },
  ];
  const text = body.map(part => base64url(JSON.stringify(part))).join(".");
  return `${text}.${signer.rs256(key, text)}`;
}

const base64url = (text: string): string => btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
