/** What a URL says of itself, before anybody is asked where it leads. */
import { isIP } from "node:net";
import { MusterError } from "@muster/core/error.ts";
import { type Allowed, mayReach } from "./outbound-allow.ts";

/** Longer ones are no addresses. */
const LONGEST = 2048;
const PORTS: ReadonlySet<string> = new Set(["", "443", "8443"]);

/** Names that nobody outside can have: RFC 6761, RFC 6762, and what clouds call their own. */
const NEAR =
  /(^|\.)(localhost|localdomain|local|internal|intranet|lan|home|corp|home\.arpa|test|invalid|example|onion)$/;

/** Spaces and control characters, which parsers drop, and backslashes, which they turn round. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
const AMBIGUOUS = /[\u0000-\u0020\u007f\\]/;

export interface Destination {
  readonly url: URL;
  /** In lower case, without brackets and without a dot at its end. */
  readonly host: string;
  /** Whether it keeps to `https:` and the ports for it: otherwise the operator must have said so. */
  readonly isStandard: boolean;
}

/** The message never has the address in it: its path may be a secret. */
const refuse = (message: string, hint?: string): MusterError =>
  new MusterError("invalid_request", message, hint === undefined ? {} : { hint });

/** @throws MusterError `invalid_request` for what could never be reached. */
export function destinationOf(text: string, allowed: Allowed): Destination {
  const url = parse(text);
  const host = url.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, "")
    .replace(/\.$/, "");
  const isStandard = url.protocol === "https:" && PORTS.has(url.port);
  const destination = { url, host, isStandard };
  if (isIP(host) !== 0) requireAddress(destination, host, allowed);
  else if (!allowed.hasHost(host) && allowed.networks.isEmpty) requirePublicName(destination);
  return destination;
}

function parse(text: string): URL {
  if (text.length > LONGEST) throw refuse(`the URL is longer than ${LONGEST} characters`);
  if (AMBIGUOUS.test(text)) throw refuse("the URL has a space, a backslash or a control character in it");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw refuse("this is not a URL");
  if (url.protocol !== "https:" && url.protocol !== "http:") throw refuse("the URL must begin with https://");
  if (url.username !== "" || url.password !== "" || /^https?:\/\/[^/?#]*@/i.test(text))
    throw refuse("the URL must have no user and no password in it");
  if (url.hostname === "") throw refuse("the URL names no host");
  return url;
}

function requirePublicName({ host, url, isStandard }: Destination): void {
  if (!isStandard) throw notStandard(url);
  if (!host.includes(".") || NEAR.test(host)) throw near();
}

/** @throws MusterError `invalid_request` unless this may be reached. */
export function requireAddress({ host, url, isStandard }: Destination, address: string, allowed: Allowed): void {
  const reach = mayReach(allowed, host, address);
  if (reach === "no") throw near();
  if (reach === "open" && !isStandard) throw notStandard(url);
}

const LISTED = "whoever runs Muster may list the host, or its network, in MUSTER_OUTBOUND_ALLOW";

const near = (): MusterError => refuse("this address is not open to everybody, and is not reached", LISTED);

const notStandard = (url: URL): MusterError =>
  url.protocol === "https:"
    ? refuse("the port must be 443 or 8443", LISTED)
    : refuse("the URL must begin with https://", LISTED);
