/**
 * Signing in with a browser: the authorization code with PKCE, come back to this machine's loopback (RFC 8252).
 *
 * *Gotcha.* Other programs here, and pages in the browser, can call that port as well: only what has the state that was made
 * for this one sign-in ends the waiting, and the code alone is worth nothing without the verifier, which never leaves here.
 */
import { spawn } from "node:child_process";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { MusterError } from "@muster/core/error.ts";
import * as oidc from "openid-client";
import type { Cli } from "../cli.ts";
import { type Client, discovered, type Given, givenOf, reasonOf, scopeOf } from "./oidc.ts";

const PATIENCE = 600_000;
const HOST = "127.0.0.1";
const PATH = "/callback";

/**
 * @param port of the address that the issuer sends the browser back to; any free one when absent
 * @throws MusterError `unauthenticated` when the issuer says no; `unavailable` when nobody comes back
 */
export async function viaBrowser(
  { out, env }: Pick<Cli, "out" | "env">,
  client: Client,
  port: number | undefined,
): Promise<Given> {
  const config = await discovered(client);
  const [verifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
  await using waiting = await listen(port ?? 0, state);
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: `http://${HOST}:${waiting.port}${PATH}`,
    scope: scopeOf(config, client),
    code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    state,
    nonce,
    ...consent(config, client),
  });
  out.warn(`Sign in with your browser, at\n  ${url.href}`);
  open(env, url.href);
  const back = await waiting.back;
  try {
    const checks = { pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
    return givenOf(await oidc.authorizationCodeGrant(config, back, checks), client);
  } catch (error) {
    if (error instanceof MusterError) throw error;
    const message = `${client.url} let nobody in: ${reasonOf(error)}`;
    throw new MusterError("unauthenticated", message, { hint: "try again, or ask whoever looks after it" }, error);
  }
}

/** What issuers want before they give a token to come back with. */
function consent(config: oidc.Configuration, client: Client): Record<string, string> {
  // (https://developers.google.com/identity/protocols/oauth2/web-server#offline)
  if (new URL(client.url).hostname === "accounts.google.com") return { access_type: "offline", prompt: "consent" };
  // (OpenID Connect Core 1.0, section 11)
  return scopeOf(config, client).split(" ").includes("offline_access") ? { prompt: "consent" } : {};
}

interface Waiting extends AsyncDisposable {
  readonly port: number;
  /** Where the browser came back to. Rejects when nobody does. */
  readonly back: Promise<URL>;
}

async function listen(wanted: number, state: string): Promise<Waiting> {
  const { promise, resolve, reject } = Promise.withResolvers<URL>();
  promise.catch(() => undefined);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
    const isIt = request.method === "GET" && url.pathname === PATH && url.searchParams.get("state") === state;
    reply(response, isIt);
    if (isIt) resolve(backAt(server.address() as AddressInfo, request));
  });
  await new Promise<void>((listening, failed) => {
    server.once("error", (error: NodeJS.ErrnoException) => failed(portTaken(wanted, error)));
    server.listen(wanted, HOST, listening);
  });
  const late = setTimeout(() => reject(nobodyCame()), PATIENCE);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    back: promise,
    [Symbol.asyncDispose]: async () => {
      clearTimeout(late);
      server.closeAllConnections();
      await new Promise(closed => server.close(closed));
    },
  };
}

/** By the address that this program listens on, whatever name the browser knew it by. */
const backAt = ({ port }: AddressInfo, { url }: IncomingMessage): URL => new URL(url ?? "", `http://${HOST}:${port}`);

const PAGE = (text: string): string =>
  `<!doctype html><meta charset="utf-8"><title>Muster</title><p style="font: 1.2em sans-serif; margin: 3em">${text}</p>`;

function reply(response: ServerResponse, isIt: boolean): void {
  const text = isIt ? "Go back to your terminal: this page can be closed." : "This is no answer that Muster waits for.";
  response.writeHead(isIt ? 200 : 404, {
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    connection: "close",
  });
  response.end(PAGE(text));
}

const portTaken = (port: number, error: NodeJS.ErrnoException): MusterError =>
  new MusterError("conflict", `cannot listen on port ${port} of this machine: ${error.code ?? error.message}`, {
    hint: "give another with --port, one that the issuer lets people come back to",
  });

const nobodyCame = (): MusterError =>
  new MusterError("unavailable", `nobody came back from the browser within ${PATIENCE / 60_000} minutes`, {
    hint: "where the browser is on another machine: muster login --device",
  });

/** Best effort: the URL was told as well. */
function open(env: NodeJS.ProcessEnv, url: string): void {
  const [command, ...args] = opener(env);
  const child = spawn(command, [...args, url], { stdio: "ignore", detached: true });
  child.once("error", () => undefined);
  child.unref();
}

function opener(env: NodeJS.ProcessEnv): readonly [string, ...string[]] {
  const [named] = (env.BROWSER ?? "").split(":");
  if (named) return [named];
  if (process.platform === "darwin") return ["open"];
  // `start` is the shell's, which would read the URL's ampersands.
  return process.platform === "win32" ? ["rundll32", "url.dll,FileProtocolHandler"] : ["xdg-open"];
}
