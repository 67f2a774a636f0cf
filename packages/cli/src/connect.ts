/** Talking to the control plane that was chosen: one somewhere else, or the one embedded in this machine. */
import { type Client, client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import { VERSION } from "@muster/core/version.ts";
import * as Config from "./context/config.ts";
import { describe, type Remote, type Target } from "./context/target.ts";
import { ensure } from "./embedded.ts";
import { explained } from "./explained.ts";
import { duration } from "./format.ts";
import { fresh, type Renewable } from "./login/renew.ts";
import type { Output } from "./output.ts";
import { skew } from "./skew.ts";

/** The control plane of a target; this machine's own is started when need be. */
export const connect = async (out: Output, env: NodeJS.ProcessEnv, target: Target): Promise<Client> =>
  target.kind === "remote" ? remote(out, env, target) : embedded(out, target.home);

async function embedded(out: Output, home: string): Promise<Client> {
  const begun = performance.now();
  const place = await ensure(home, VERSION);
  if (place.started)
    out.note(out.style("dim", `started Muster on this machine in ${home}  ${duration(performance.now() - begun)}`));
  // It may be stopped or replaced while a log is followed: what cannot be reached is started, and asked again.
  const reach: typeof fetch = async (input, init) => {
    try {
      return await fetch(input, init);
    } catch (error) {
      if (!init?.signal?.aborted) await ensure(home, VERSION);
      throw error;
    }
  };
  return client({ endpoint: place.endpoint, token: place.token, version: VERSION, fetch: reach });
}

/**
 * Each call with a token that is good: a log may be followed for longer than one lives. What is refused all the same is tried
 * once more with another: somebody has revoked it, or a clock is wrong.
 */
function renewing(where: Renewable): typeof fetch {
  const send = async (token: string | undefined, ...[input, init]: Parameters<typeof fetch>): Promise<Response> => {
    const headers = new Headers(init?.headers);
    if (token !== undefined) headers.set("authorization", `Bearer ${token}`);
    return fetch(input, { ...init, headers });
  };
  return async (...call) => {
    const token = await fresh(where);
    const response = await send(token, ...call);
    if (response.status !== 401 || token === undefined) return response;
    const another = await fresh(where, token);
    return another === token ? response : send(another, ...call);
  };
}

function remote(out: Output, env: NodeJS.ProcessEnv, target: Remote): Client {
  const { endpoint, token, context } = target;
  if (!token)
    throw new MusterError("unauthenticated", `no token for ${endpoint}`, {
      hint: `log in: muster login ${endpoint}; or set MUSTER_TOKEN to a token of that control plane`,
    });
  const path = Config.pathOf(env);
  if (context !== undefined && Config.isExposed(path))
    out.warn(`${out.style("yellow", "warning:")} others on this machine can read your tokens: chmod 600 ${path}`);
  out.aside(out.style("dim", `on ${describe(target)}`));
  const judged = skew(out, env, endpoint);
  // Beside the first call, so that it costs no time of its own.
  const call = context !== undefined && target.renews ? renewing({ env, path, context, endpoint }) : fetch;
  const reach: typeof fetch = async (input, init) => (await Promise.all([call(input, init), judged]))[0];
  return explained(client({ endpoint, token, version: VERSION, fetch: reach }), target);
}
