/** Where machines stand in the network, and by which interfaces. */
import type { InstanceNetworkInterfaceSpecification } from "@aws-sdk/client-ec2";
import { MusterError } from "@muster/core/error.ts";
import type { Intent } from "@muster/core/ports/provider.ts";
import type { Catalog, MachineType } from "../catalog/catalog.ts";
import { type Home, isPrivate, needsPrivate, refuseNetwork, subnetsFor } from "./offers/network.ts";

export interface Place {
  readonly vpc: string;
  readonly subnet: Home;
  /** Elastic Fabric Adapters per machine; 0 for an ordinary interface. */
  readonly adapters: number;
  /** Security groups of the account's own; none: the workspace's. */
  readonly groups: readonly string[];
}

type Part = Pick<Catalog, "network" | "own">;

/**
 * A subnet of the offer's zone; the same for every send of a try while the network is the same.
 * @throws MusterError `launch_failed` when the zone has none, or what was named may not be used any more; `unsupported` when
 * the adapters asked for cannot be had there.
 */
export function placeOf(catalog: Part, intent: Intent, type: MachineType): Place {
  const { efa, networkTier, securityGroups: groups = [] } = intent.resources;
  const refusal = refuseNetwork(catalog, intent.resources);
  if (refusal !== undefined) throw new MusterError("launch_failed", refusal.reason, { hint: refusal.hint });
  const wanted = efa === true ? adaptersOf(type) : 0;
  const subnet = subnetIn(catalog, intent, type);
  const adapters = networkTier === "best" && efa === undefined ? mostOf(type, subnet) : wanted;
  return { vpc: subnet.vpc, subnet, adapters, groups };
}

/** As many adapters as there can be: a machine with several gets no public address, and may have no other way out. */
const mostOf = ({ efa = 0 }: MachineType, subnet: Home): number => (isPrivate(subnet) ? efa : Math.min(efa, 1));

const nowhere = (zone: string): MusterError =>
  new MusterError("launch_failed", `there is no subnet to put machines into, in ${zone}`, {
    hint: "deploy again with subnets, or with a default VPC in the account",
  });

function adaptersOf(type: MachineType): number {
  if (type.efa !== undefined && type.efa > 0) return type.efa;
  throw new MusterError("unsupported", `${type.name} takes no Elastic Fabric Adapter`, {
    hint: "leave out efa, or ask for a larger machine type",
  });
}

/** Without a public address where possible: its machines are less in view, and it costs them nothing. */
function subnetIn(catalog: Part, intent: Intent, type: MachineType): Home {
  const { zone } = intent.offer;
  if (zone === undefined) throw nowhere("no zone");
  const open = subnetsFor(catalog, type, zone, intent.resources).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const best = intent.resources.networkTier === "best" ? open.find(isPrivate) : undefined;
  const subnet = best ?? open.find(one => one.egress) ?? open.find(one => one.public) ?? open[0];
  if (subnet !== undefined) return subnet;
  if (!needsPrivate(type, intent.resources)) throw nowhere(zone);
  // EC2 gives no public address to a machine that starts with several interfaces.
  throw new MusterError("unsupported", `machines with ${type.efa} adapters need a private subnet in ${zone}`, {
    hint: "deploy with private subnets that reach the internet through NAT, or leave out efa",
  });
}

/**
 * One adapter per network card, the first of which also carries the machine's address.
 * Docs: ec2/latest/userguide/efa-acc-inst-types.html.
 */
export function interfacesOf(place: Place, securityGroups: readonly string[]): InstanceNetworkInterfaceSpecification[] {
  const common = { SubnetId: place.subnet.id, Groups: [...securityGroups], DeleteOnTermination: true };
  const first: InstanceNetworkInterfaceSpecification = {
    ...common,
    DeviceIndex: 0,
    ...(place.adapters <= 1 && { AssociatePublicIpAddress: place.subnet.public }),
    ...(place.adapters > 0 && { InterfaceType: "efa" }),
  };
  const others = Array.from({ length: Math.max(0, place.adapters - 1) }, (_, index) => ({
    ...common,
    NetworkCardIndex: index + 1,
    DeviceIndex: 1,
    InterfaceType: "efa-only",
  }));
  return [first, ...others];
}
