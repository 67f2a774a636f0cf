/** Signing in on another device: a code that is typed there, while this machine asks now and then (RFC 8628). */
import { MusterError } from "@muster/core/error.ts";
import * as oidc from "openid-client";
import type { Cli } from "../cli.ts";
import { type Client, codeOf, discovered, type Given, givenOf, reasonOf, scopeOf } from "./oidc.ts";

/** @throws MusterError `unsupported` where the issuer has no such thing; `unauthenticated` when it was denied, or took too long */
export async function viaDevice({ out }: Pick<Cli, "out">, client: Client): Promise<Given> {
  const config = await discovered(client);
  if (config.serverMetadata().device_authorization_endpoint === undefined)
    throw new MusterError("unsupported", `${client.url} does not sign people in on another device`, {
      hint: "sign in with a browser here: muster login --browser prints the URL to open; its answer comes back to --port of this machine",
    });
  try {
    const started = await oidc.initiateDeviceAuthorization(config, { scope: scopeOf(config, client) });
    const {
      verification_uri: page,
      verification_uri_complete: whole,
      user_code: userCode,
      expires_in: seconds,
    } = started;
    out.warn(`On any device, open ${page}\n  and enter the code ${out.style("bold", userCode)}`);
    if (whole !== undefined) out.warn(`  or open ${whole}`);
    out.note(out.style("dim", `  waiting; the code is good for ${Math.ceil(seconds / 60)} minutes`));
    // It waits as long between two calls as the issuer says, and longer once it is told to slow down.
    return givenOf(await oidc.pollDeviceAuthorizationGrant(config, started), client);
  } catch (error) {
    throw error instanceof MusterError ? error : ended(client, error);
  }
}

const TOO_LATE = "the code was not entered in time";

function ended({ url }: Client, error: unknown): MusterError {
  const code = codeOf(error);
  const isLate =
    code === "expired_token" || (error instanceof Error && /timed? ?out|abort/i.test(error.name + error.message));
  if (isLate) return new MusterError("unauthenticated", TOO_LATE, { hint: "try again: muster login --device" }, error);
  if (code === "access_denied")
    return new MusterError("unauthenticated", `${url} let nobody in: it was denied there`, {}, error);
  const message = `${url} let nobody in: ${reasonOf(error)}`;
  return new MusterError("unauthenticated", message, { hint: "try again, or ask whoever looks after it" }, error);
}
