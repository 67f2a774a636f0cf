/** A fetch that signs what it sends with AWS credentials, as API Gateway's IAM routes want it. */
import { sign } from "@muster/aws/call/sign.ts";
import type { Credentials } from "./credentials.ts";

/** Each try is signed anew: a signature is good for some minutes only. */
export function signedFetch(region: string, credentials: Credentials): typeof fetch {
  return async (input, init = {}) => {
    const { origin, pathname } = new URL(input instanceof Request ? input.url : input);
    const all = Object.fromEntries(new Headers(init.headers));
    const headers = pick(all, ["accept", "content-type"]);
    const body = typeof init.body === "string" ? init.body : "";
    const unsigned = { method: init.method ?? "GET", origin, path: pathname, query: {}, headers, body };
    const { host: _, ...signed } = await sign(unsigned, {
      service: "execute-api",
      region,
      credentials,
      date: new Date(),
    });
    return fetch(input, { ...init, headers: { ...all, ...signed } });
  };
}

/** Others may be changed on the way, and are sent without being signed. */
const pick = (headers: Readonly<Record<string, string>>, names: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name)));
