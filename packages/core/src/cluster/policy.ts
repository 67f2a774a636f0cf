/** Which idle policy a cluster gets, and which its machines can follow. */
import { MusterError } from "../error.ts";
import * as Idle from "./idle.ts";

/** The idle policy that a request gets: as asked, else the default for a cluster with a name, or for one without. */
export function policy(
  provider: Stopping,
  request: {
    readonly name?: string | undefined;
    readonly idle?: Idle.Idle | undefined;
    readonly spot?: boolean | undefined;
  },
): Idle.Idle {
  if (request.idle !== undefined) {
    requireStoppable(provider, request, request.idle);
    return request.idle;
  }
  const stops = provider.capabilities.stop && !request.spot;
  return request.name === undefined || !stops ? Idle.DEFAULT_UNNAMED : Idle.DEFAULT;
}

interface Stopping {
  readonly name: string;
  readonly capabilities: { readonly stop: boolean };
}

/** @throws MusterError `unsupported` when the policy stops machines that cannot be stopped. */
export function requireStoppable(
  provider: Stopping,
  cluster: { readonly spot?: boolean | undefined },
  idle: Idle.Kept,
): void {
  if (idle === "never" || idle.action === "terminate") return;
  if (provider.capabilities.stop && !cluster.spot) return;
  const who = cluster.spot ? "spot machines cannot be stopped" : `provider '${provider.name}' cannot stop machines`;
  throw new MusterError("unsupported", who, {
    issues: [{ path: "idle.action", message: "these machines can only be terminated" }],
    hint: "terminate them when they are idle (action: terminate, or --down); or end them now with: muster down",
  });
}
