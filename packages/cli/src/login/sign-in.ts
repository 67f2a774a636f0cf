/** The ways to sign in that need no token of Muster's. */
import { MusterError } from "@muster/core/error.ts";
import type { Option } from "@muster/core/login/login.ts";
import type { Cli } from "../cli.ts";
import { regionOf } from "../context/endpoint.ts";
import { load } from "../task-text.ts";
import { canBrowse } from "./browser-env.ts";
import { choose, waysOf } from "./choose.ts";
import type { Given } from "./oidc.ts";
import type { Oidc, Source } from "./source.ts";
import { type Access, exchanged, viaAws, viaGithub } from "./vouch.ts";

export interface How {
  readonly browser?: boolean;
  readonly device?: boolean;
  readonly aws?: boolean;
  readonly github?: boolean;
  readonly idTokenFile?: string;
  readonly issuer?: string;
  readonly workspace?: string;
  readonly region?: string;
  readonly audience?: string;
  readonly port?: number;
}

/** Whether one of the ways was asked for. */
export const isSigningIn = ({ browser, device, aws, github, idTokenFile }: How): boolean =>
  [browser, device, aws, github].includes(true) || idTokenFile !== undefined;

/** Signs in as was asked. @throws MusterError as the issuer or the control plane says */
export function signIn(cli: Cli, endpoint: string, how: How): Promise<Access> {
  requireOne(how);
  if (how.aws) return viaAws(endpoint, { ...whereOf(how), kind: "aws", region: how.region ?? regionOf(endpoint) });
  if (how.github) return github(cli, endpoint, how);
  if (how.idTokenFile !== undefined) return given(cli, endpoint, how, how.idTokenFile);
  return people(cli, endpoint, how);
}

/** Whether people can sign in there; false where that cannot be told. */
export async function hasPeople(endpoint: string, { workspace }: How): Promise<boolean> {
  const ways = await waysOf(endpoint, workspace);
  return ways.some(({ kind }) => kind === "people");
}

function requireOne(how: How): void {
  const ways = (["browser", "device", "aws", "github"] as const).filter(way => how[way]).map(way => `--${way}`);
  const all = how.idTokenFile === undefined ? ways : [...ways, "--id-token-file"];
  if (all.length > 1)
    throw new MusterError("invalid_request", `${all.join(" and ")} are different ways to sign in`, {
      hint: "give one of them",
    });
}

const whereOf = ({ issuer, workspace }: How): { issuer?: string; workspace?: string } => ({
  ...(issuer !== undefined && { issuer }),
  ...(workspace !== undefined && { workspace }),
});

async function people(cli: Cli, endpoint: string, how: How): Promise<Access> {
  const way = await choose(cli, await waysOf(endpoint, how.workspace), "people", how.issuer);
  const { url, clientId, publicClientSecret, scopes } = requireClient(way);
  const client = { url, clientId, publicClientSecret, scopes };
  const tokens = await vouched(cli, client, how);
  const source: Oidc = {
    ...whereOf(how),
    ...{ issuer: way.name, kind: "oidc", url, clientId },
    ...(publicClientSecret !== undefined && { publicClientSecret }),
    ...(tokens.refresh !== undefined && { refresh: tokens.refresh }),
  };
  return exchanged(endpoint, tokens.idToken, source);
}

type Ready = Option & { readonly url: string; readonly clientId: string };

function requireClient(way: Option): Ready {
  const { url, clientId } = way;
  if (url !== undefined && clientId !== undefined) return { ...way, url, clientId };
  throw new MusterError("internal", `the issuer ${way.name} has no client that people could sign in by`);
}

async function vouched(
  cli: Cli,
  client: { readonly url: string; readonly clientId: string },
  { browser, device, port }: How,
): Promise<Given> {
  const isHere = browser || (!device && canBrowse(cli.env));
  if (!isHere && !device)
    cli.out.note("No browser can be shown here: sign in on another device (--browser: here all the same).");
  // What talks to issuers is large, and no other command pays for it.
  if (isHere) return (await import("./browser.ts")).viaBrowser(cli, client, port);
  return (await import("./device.ts")).viaDevice(cli, client);
}

async function github(cli: Cli, endpoint: string, how: How): Promise<Access> {
  return viaGithub(endpoint, cli.env, {
    ...whereOf(how),
    ...{ kind: "github", audience: how.audience ?? (await audienceOf(cli, endpoint, how)) },
  });
}

async function audienceOf(cli: Cli, endpoint: string, how: How): Promise<string> {
  const way = await choose(cli, await waysOf(endpoint, how.workspace), "github", how.issuer);
  if (way.audience !== undefined) return way.audience;
  throw new MusterError("invalid_request", `the issuer ${way.name} does not say for whom its tokens are`, {
    hint: "say it: --audience TEXT",
  });
}

async function given(cli: Cli, endpoint: string, how: How, file: string): Promise<Access> {
  const source: Source = { ...whereOf(how), kind: "given" };
  const token = (await load(cli.cwd, file)).trim();
  if (token === "") throw new MusterError("invalid_request", `${file} holds no token`);
  return exchanged(endpoint, token, source);
}
