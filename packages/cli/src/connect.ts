/** Which control plane a command talks to: one that was named, or the one embedded in this machine. */
import { type Client, client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import { VERSION } from "@muster/core/version.ts";
import { ensure, homeOf } from "./embedded.ts";
import { duration } from "./format.ts";
import type { Output } from "./output.ts";

/** The control plane that `--endpoint` or the environment names, or the one of this machine, started when need be. */
export async function connect(out: Output, env: NodeJS.ProcessEnv, endpoint: string | undefined): Promise<Client> {
  const named = endpoint || env.MUSTER_ENDPOINT;
  return named ? remote(named, env.MUSTER_TOKEN) : embedded(out, homeOf(env));
}

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

function remote(endpoint: string, token: string | undefined): Client {
  if (!URL.canParse(endpoint) || !/^https?:$/.test(new URL(endpoint).protocol))
    throw new MusterError("invalid_request", `'${endpoint}' is not an endpoint`, {
      hint: "give a URL such as https://muster.example.com in --endpoint or MUSTER_ENDPOINT",
    });
  if (!token)
    throw new MusterError("unauthenticated", `no token for ${endpoint}`, {
      hint: "set MUSTER_TOKEN to a token of that control plane",
    });
  return client({ endpoint, token, version: VERSION });
}
