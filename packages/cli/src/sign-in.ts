/** Logging in: where to, with which token, and under which name it is remembered. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import { Name } from "@muster/core/task/task.ts";
import type { Whoami } from "@muster/core/token/token.ts";
import { VERSION } from "@muster/core/version.ts";
import { ask, askHidden } from "./ask.ts";
import type { Cli } from "./cli.ts";
import * as Config from "./context/config.ts";
import { endpointOf, nameOf } from "./context/endpoint.ts";
import { explained } from "./explained.ts";
import type { Source } from "./login/source.ts";

/** The endpoint that was given, in the environment or by whoever is asked. @throws MusterError `invalid_request` */
export async function endpoint({ out, env, choice }: Cli, argument: string | undefined): Promise<string> {
  const given = argument || choice.endpoint || env.MUSTER_ENDPOINT;
  if (!given && !out.interactive)
    throw new MusterError("invalid_request", "which control plane?", {
      hint: "muster login https://muster.example.com",
    });
  return endpointOf(given || (await ask("Endpoint: ")), choice.insecure ?? false);
}

/** The token from a file, the environment, standard input, or whoever is asked. Never an argument: others can see those. */
export async function token({ out, env, cwd }: Cli, file: string | undefined): Promise<string> {
  const text = (await source(out.interactive, env, cwd, file)).trim();
  if (/^mst_[\w-]+$/.test(text)) return text;
  const what = text === "" ? "no token was given" : "what was given is not a token";
  throw new MusterError("invalid_request", what, {
    hint: "tokens begin with mst_; give one by --token-file FILE, MUSTER_TOKEN, or standard input. An admin makes them: muster tokens create NAME",
  });
}

function source(
  interactive: boolean,
  env: NodeJS.ProcessEnv,
  cwd: string,
  file: string | undefined,
): Promise<string> | string {
  if (file !== undefined && file !== "-") return load(resolve(cwd, file));
  if (file === undefined && env.MUSTER_TOKEN) return env.MUSTER_TOKEN;
  return file === undefined && interactive ? askHidden("Token (not shown): ") : textOf(process.stdin);
}

function load(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new MusterError("invalid_request", `cannot read ${path}: ${code ?? message}`, {}, error);
  }
}

/** Checked before anything is asked or sent. @throws MusterError `invalid_request` */
export function requireName(name: string | undefined): void {
  if (name === undefined) return;
  const read = Name.safeParse(name);
  if (!read.success) throw new MusterError("invalid_request", `'${name}' is no name: ${read.error.issues[0]?.message}`);
  if (name === Config.LOCAL)
    throw new MusterError("invalid_request", `'${name}' is this machine's own control plane`, {
      hint: "choose another name",
    });
}

interface Access {
  readonly endpoint: string;
  readonly token: string;
  /** The host's, when absent. */
  readonly name?: string | undefined;
  /** When the token ends, in epoch ms, and where the next is from. */
  readonly expiresAt?: number | undefined;
  readonly source?: Source | undefined;
}

/** What is remembered of a login. */
export interface Entered {
  readonly context: string;
  readonly endpoint: string;
  readonly who: Whoami;
}

/** Checks the token, and remembers it as the current context. @throws MusterError as the control plane says. */
export async function enter({ env, choice }: Cli, access: Access): Promise<Entered> {
  const { endpoint: place, token: secret } = access;
  const api = client({ endpoint: place, token: secret, version: VERSION });
  const who = await explained(api, { kind: "remote", endpoint: place, token: secret, given: true }).tokens.whoami({});
  const context = access.name ?? nameOf(place);
  const path = Config.pathOf(env);
  const config = Config.read(path);
  const { expiresAt, source } = access;
  const entry = {
    ...{ endpoint: place, token: secret },
    ...(choice.insecure && { insecure: true }),
    ...(source !== undefined && { source, ...(expiresAt !== undefined && { expiresAt }) }),
  };
  Config.write(path, { ...config, current: context, contexts: { ...config.contexts, [context]: entry } });
  return { context, endpoint: place, who };
}

/** Says who one is now, and what may stand in the way of the context. */
export function welcome({ out, env, choice }: Cli, { context, endpoint: place, who }: Entered): void {
  out.data({ context, endpoint: place, ...who });
  out.print(`Logged in to ${place} as ${who.id} (${who.role} of workspace ${who.workspace}).`);
  out.note(
    out.style("dim", `  context ${context}, in ${Config.pathOf(env)}; back to this machine: muster context local`),
  );
  if (env.MUSTER_ENDPOINT && choice.endpoint === undefined)
    out.note(
      `${out.style("yellow", "warning:")} MUSTER_ENDPOINT is set, and goes before contexts: unset MUSTER_ENDPOINT`,
    );
}
