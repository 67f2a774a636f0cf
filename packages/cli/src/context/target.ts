/** Which control plane a command talks to: one that was named, the current context's, or the one of this machine. */
import { MusterError } from "@muster/core/error.ts";
import { nearest } from "@muster/core/near.ts";
import { homeOf } from "../embedded.ts";
import * as Config from "./config.ts";
import { endpointOf } from "./endpoint.ts";

export interface Embedded {
  readonly kind: "embedded";
  readonly home: string;
}

export interface Remote {
  readonly kind: "remote";
  readonly endpoint: string;
  readonly token: string | undefined;
  /** Name of the context that the token is from; absent: it is from the environment. */
  readonly context?: string;
  /** The token was given just now, and is not stored yet. */
  readonly given?: boolean;
  /** The token was had by signing in, and another can be had before it ends. */
  readonly renews?: boolean;
}

export type Target = Embedded | Remote;

/** What the command line says of it. */
export interface Choice {
  readonly endpoint?: string;
  readonly context?: string;
  readonly insecure?: boolean;
}

/** @throws MusterError `invalid_request` for a choice that makes no sense. */
export function choose(env: NodeJS.ProcessEnv, choice: Choice): Target {
  const { endpoint, context } = choice;
  if (endpoint && context)
    throw new MusterError("invalid_request", "--endpoint and --context both name a control plane", {
      hint: "give one of them",
    });
  if (endpoint) return named(env, endpoint, choice.insecure ?? false);
  if (context) return stored(env, context);
  if (env.MUSTER_ENDPOINT) return named(env, env.MUSTER_ENDPOINT, choice.insecure ?? false);
  const { current } = Config.read(Config.pathOf(env));
  return current === undefined ? embedded(env) : stored(env, current);
}

/** Where it is, as a person knows it. */
export const describe = (target: Target): string => {
  if (target.kind === "embedded") return "this machine";
  return target.context === undefined ? target.endpoint : `${target.endpoint} (context ${target.context})`;
};

const embedded = (env: NodeJS.ProcessEnv): Embedded => ({ kind: "embedded", home: homeOf(env) });

/** A stored token goes to the very endpoint that it was stored for, and the environment's to the environment's. */
function named(env: NodeJS.ProcessEnv, given: string, insecure: boolean): Remote {
  const own = env.MUSTER_ENDPOINT;
  const isOwn = !own || own === given || (URL.canParse(own) && endpointOf(own, true) === endpointOf(given, true));
  const endpoint = (trusted: boolean): string => endpointOf(given, insecure || trusted);
  if (env.MUSTER_TOKEN && isOwn) return { kind: "remote", endpoint: endpoint(false), token: env.MUSTER_TOKEN };
  const { contexts, current } = Config.read(Config.pathOf(env));
  const wanted = endpointOf(given, true);
  const same = Object.keys(contexts).filter(name => contexts[name]?.endpoint === wanted);
  const name = same.find(one => one === current) ?? same[0];
  const found = name === undefined ? undefined : contexts[name];
  return {
    kind: "remote",
    endpoint: endpoint(found?.insecure ?? false),
    token: found?.token,
    ...(name !== undefined && { context: name }),
    ...(found?.source !== undefined && { renews: true }),
  };
}

/** @throws MusterError `invalid_request` with the nearest name. */
function stored(env: NodeJS.ProcessEnv, name: string): Target {
  if (name === Config.LOCAL) return embedded(env);
  const config = Config.read(Config.pathOf(env));
  const found = Config.find(config, name);
  if (found === undefined) throw unknown(config, name);
  return {
    kind: "remote",
    endpoint: endpointOf(found.endpoint, found.insecure ?? false),
    token: found.token,
    context: name,
    ...(found.source !== undefined && { renews: true }),
  };
}

/** The refusal of a name that no context has. */
export function unknown({ contexts }: Config.Config, name: string): MusterError {
  const near = nearest(name, [...Object.keys(contexts), Config.LOCAL]);
  return new MusterError("invalid_request", `there is no context '${name}'`, {
    hint: near === undefined ? "see them with: muster context" : `did you mean '${near}'? All of them: muster context`,
  });
}
