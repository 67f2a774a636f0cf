/** Endpoints: base URLs of control planes. */
import { MusterError } from "@muster/core/error.ts";
import { Name } from "@muster/core/task/task.ts";

const HINT = "give a URL such as https://muster.example.com";
const LONGEST_NAME = 63;

/**
 * The endpoint in one spelling, so that the same one is known again.
 * @throws MusterError `invalid_request` when it is none, or when it would carry a token in the clear.
 */
export function endpointOf(given: string, insecure: boolean): string {
  const text = given.trim();
  if (/^mst_/.test(text))
    throw new MusterError("invalid_request", "that is a token, not an endpoint", {
      hint: "the shell's history has it now: have it revoked. muster login asks for tokens, or reads --token-file FILE",
    });
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.username !== "" || url.password !== ""))
    throw new MusterError("invalid_request", `the endpoint ${url.host} has a name or a password in it`, { hint: HINT });
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.host === "")
    throw new MusterError("invalid_request", `'${text}' is not an endpoint`, {
      hint: `${HINT}, in --endpoint or MUSTER_ENDPOINT`,
    });
  if (url.protocol === "http:" && !isLoopback(url.hostname) && !insecure)
    throw new MusterError("invalid_request", `${url.origin} would carry your token in the clear`, {
      hint: `use https; or say --insecure, where nobody else listens on the way`,
    });
  return `${url.origin}${url.pathname.replace(/\/+$/, "")}`;
}

/** The name of a context that was given none: its endpoint's host. */
export function nameOf(endpoint: string): string {
  const name = new URL(endpoint).host.replaceAll(/[^a-z0-9._-]/gi, "-").slice(0, LONGEST_NAME);
  const trimmed = name.replace(/^[^a-z0-9]+|[^a-z0-9]+$/gi, "");
  return Name.safeParse(trimmed).success ? trimmed : "muster";
}

const isLoopback = (host: string): boolean => /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/i.test(host);

/** The AWS region that an endpoint of API Gateway names. @throws MusterError `invalid_request` for a name of one's own. */
export function regionOf(endpoint: string): string {
  const match = /\.execute-api\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?$/.exec(new URL(endpoint).hostname);
  if (match?.[1] !== undefined) return match[1];
  throw new MusterError("invalid_request", `${endpoint} does not say its AWS region`, {
    hint: "give it: --region eu-central-1",
  });
}
