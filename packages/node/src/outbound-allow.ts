/**
 * What the operator lets be reached beside what is open to everybody: hosts by name, and networks. There `http:` and any
 * port will do, since whoever runs a forge at home knows what it listens on.
 */
import { isIP } from "node:net";
import { MusterError } from "@muster/core/error.ts";
import { isMetadata, isPublic, type Networks, networksOf } from "./outbound-address.ts";

export interface Allowed {
  /** By its name, as it is written. */
  hasHost(host: string): boolean;
  readonly networks: Networks;
}

const HOST = /^(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*$/;

/**
 * @param entries such as `git.example.com`, `*.corp.example.com`, `10.1.0.0/16`, `::1`
 * @throws MusterError `invalid_request` that names the entry
 */
export function allowedOf(entries: readonly string[]): Allowed {
  const networks = entries.filter(isNetwork);
  const hosts = entries.filter(entry => !isNetwork(entry)).map(entry => entry.toLowerCase());
  const wrong = hosts.find(host => !HOST.test(host));
  if (wrong !== undefined)
    throw new MusterError(
      "invalid_request",
      `'${wrong}' is neither the name of a host nor a network such as 10.1.0.0/16`,
    );
  const exact = new Set(hosts);
  const endings = hosts.filter(host => host.startsWith("*.")).map(host => host.slice(1));
  return {
    hasHost: host => exact.has(host) || endings.some(ending => host.endsWith(ending)),
    networks: networksOf(networks),
  };
}

/** The list as a variable has it: entries between commas. */
export const entriesOf = (text: string | undefined): string[] =>
  (text ?? "")
    .split(",")
    .map(entry => entry.trim())
    .filter(entry => entry !== "");

function isNetwork(entry: string): boolean {
  const [address = "", bits, ...more] = entry.split("/");
  const family = isIP(address);
  if (family === 0 || address.includes("%") || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** How far a host may be trusted: `listed` by the operator's word, or like everybody else. */
export function mayReach(allowed: Allowed, host: string, address: string): "open" | "listed" | "no" {
  if (allowed.networks.has(address)) return "listed";
  if (allowed.hasHost(host) && isIP(address) !== 0 && !isMetadata(address)) return "listed";
  return isPublic(address) ? "open" : "no";
}
