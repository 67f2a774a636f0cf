/**
 * Addresses that are open to everybody. Everything else is somebody's own network, a cloud's metadata, or no place at all:
 * https://www.iana.org/assignments/iana-ipv4-special-registry and iana-ipv6-special-registry.
 *
 * Gotcha: the lists of the two families are kept apart. A `BlockList` that has both also compares the IPv4 part of a mapped
 * IPv6 address, so that what one family's rules say leaks into the other.
 */
import { BlockList, isIP } from "node:net";

const RESERVED_V4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  // Shared by carriers; Alibaba's metadata is in it.
  "100.64.0.0/10",
  "127.0.0.0/8",
  // Link-local: metadata of EC2, and credentials of ECS.
  "169.254.0.0/16",
  // Azure's wire server.
  "168.63.129.16/32",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  // Multicast, what is reserved, and broadcast.
  "224.0.0.0/3",
];

/** Global unicast: of IPv6 nothing else is open, neither mapped nor compatible nor translated IPv4. */
const GLOBAL_V6 = ["2000::/3"];
const RESERVED_V6 = [
  // Of the protocols themselves, Teredo among them.
  "2001::/23",
  "2001:db8::/32",
  // 6to4: an IPv4 address in another form.
  "2002::/16",
  "3ffe::/16",
  "3fff::/20",
];

/** What leads to a machine's own identity: a listed name may lead to a private network, and never here. */
const METADATA = ["0.0.0.0/8", "169.254.0.0/16", "168.63.129.16/32", "100.100.100.200/32", "224.0.0.0/3"];
const METADATA_V6 = [
  "::/128",
  // Mapped, translated and embedded IPv4: another way to write any of the above.
  "::ffff:0:0/96",
  "64:ff9b::/96",
  "64:ff9b:1::/48",
  "2002::/16",
  "fe80::/10",
  // Metadata of EC2, and of Google's cloud.
  "fd00:ec2::/32",
  "fd20:ce::/32",
  "ff00::/8",
];

/** A set of networks, of both families. */
export interface Networks {
  has(address: string): boolean;
  readonly isEmpty: boolean;
}

/** @param networks in CIDR notation, each valid; an address alone is a network of one */
export function networksOf(networks: readonly string[]): Networks {
  const lists = { v4: new BlockList(), v6: new BlockList() };
  for (const network of networks) {
    const [address = "", bits] = network.split("/");
    const isV4 = isIP(address) === 4;
    const prefix = Number(bits ?? (isV4 ? 32 : 128));
    if (isV4) lists.v4.addSubnet(address, prefix, "ipv4");
    else lists.v6.addSubnet(address, prefix, "ipv6");
  }
  return {
    has: address => {
      const family = isIP(address);
      if (family === 4) return lists.v4.check(address, "ipv4");
      return family === 6 && !hasZone(address) && lists.v6.check(address, "ipv6");
    },
    isEmpty: networks.length === 0,
  };
}

/** A zone is an interface of this machine: what is behind it is near. */
const hasZone = (address: string): boolean => address.includes("%");

const reserved = networksOf([...RESERVED_V4, ...RESERVED_V6]);
const global6 = networksOf(GLOBAL_V6);
const metadata = networksOf([...METADATA, ...METADATA_V6]);

/** Whether it is open to everybody; what is no address is not. */
export function isPublic(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !reserved.has(address);
  return family === 6 && global6.has(address) && !reserved.has(address);
}

/** Whether it may tell a machine's credentials, or is no single machine. */
export const isMetadata = (address: string): boolean => metadata.has(address);
