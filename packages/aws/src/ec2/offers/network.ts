/** Which subnets and security groups a request may use, and whether those that it names can be used together. */
import type { Choice } from "@muster/core/task/resources.ts";
import type { Catalog, MachineType, Subnet } from "../../catalog/catalog.ts";
import { USE_TAG } from "../../places.ts";
import type { Refusal } from "./reasons.ts";
import { few } from "./say.ts";

type Part = Pick<Catalog, "network" | "own">;

/** A subnet with its VPC. */
export type Home = Subnet & { readonly vpc: string };

/** The one that the request names, else the deployment's. */
export function homesFor({ network, own }: Part, { subnet }: Pick<Choice, "subnet">): readonly Home[] {
  const usual = (network?.subnets ?? []).map(one => ({ ...one, vpc: network?.vpc ?? "" }));
  if (subnet === undefined) return usual;
  const found = [...usual, ...(own?.subnets ?? [])].find(({ id }) => id === subnet);
  return found === undefined ? [] : [found];
}

/** The subnets of a zone that machines of this type can be put into. */
export function subnetsFor(
  catalog: Part,
  type: Pick<MachineType, "efa">,
  zone: string,
  resources: Pick<Choice, "efa" | "subnet">,
): readonly Home[] {
  const all = homesFor(catalog, resources).filter(subnet => subnet.zone === zone);
  return needsPrivate(type, resources) ? all.filter(isPrivate) : all;
}

/** A machine with several network interfaces gets no public address, so it needs another way out. */
export const needsPrivate = (type: Pick<MachineType, "efa">, { efa }: Pick<Choice, "efa">): boolean =>
  efa === true && (type.efa ?? 0) > 1;

export const isPrivate = (subnet: Subnet): boolean => subnet.egress && !subnet.assigns;

/** Why what the request names of a network cannot be used; undefined when it can. */
export function refuseNetwork(catalog: Part, resources: Choice): Refusal | undefined {
  const { subnet, securityGroups = [], zone } = resources;
  const [home] = subnet === undefined ? [] : homesFor(catalog, resources);
  if (subnet !== undefined && home === undefined) return unknown(catalog, `subnet '${subnet}'`, "subnet");
  const known = new Map((catalog.own?.securityGroups ?? []).map(group => [group.id, group.vpc]));
  const strange = securityGroups.find(id => !known.has(id));
  if (strange !== undefined) return unknown(catalog, `security group '${strange}'`, "security_groups");
  if (home !== undefined && zone !== undefined && home.zone !== zone)
    return {
      reason: `subnet ${home.id} is in ${home.zone}, not in ${zone}`,
      hint: "run it there with: --resources.zone null",
    };
  return apart(catalog, home, new Map(securityGroups.map(id => [id, known.get(id) ?? ""])));
}

function unknown({ own }: Part, what: string, key: string): Refusal {
  const there = key === "subnet" ? (own?.subnets ?? []).map(named) : (own?.securityGroups ?? []).map(({ id }) => id);
  const may = there.length === 0 ? "it may use no other than its own" : `it may use: ${few(there)}`;
  const tag = `${USE_TAG}=${own?.deployment ?? "<name of the deployment>"}`;
  return {
    reason: `there is no ${what} that this deployment may use; ${may}`,
    hint: `an administrator gives it the tag ${tag} (read every hour); or run it without: --resources.${key} null`,
  };
}

const named = ({ id, zone }: Subnet): string => `${id} (${zone})`;

/** A machine's security groups are of its subnet's VPC; Muster makes groups in the VPC of its deployment alone. */
function apart({ network }: Part, home: Home | undefined, groups: ReadonlyMap<string, string>): Refusal | undefined {
  const vpc = home?.vpc ?? network?.vpc;
  const other = [...groups].find(([, its]) => its !== vpc);
  const where = home === undefined ? "this deployment" : `subnet ${home.id}`;
  if (other !== undefined)
    return {
      reason: `security group ${other[0]} is of ${other[1]}, and ${where} is in ${vpc}`,
      hint: `name security groups of ${vpc}, or a subnet of ${other[1]}`,
    };
  if (home === undefined || groups.size > 0 || vpc === network?.vpc) return undefined;
  return {
    reason: `subnet ${home.id} is in ${vpc}, where this deployment has no security group`,
    hint: `name some of yours beside it: --resources.security_groups '["sg-…"]'`,
  };
}
