/** Requests that no machine of this deployment can meet, told from the words of the request alone. */

import { nameOf, savedOf } from "@muster/core/image/name.ts";
import { nearest } from "@muster/core/near.ts";
import type { Choice } from "@muster/core/task/resources.ts";
import type { Catalog } from "../../catalog/catalog.ts";
import { refuseTier } from "../disk.ts";
import { refuseAccelerators } from "./accelerators.ts";
import { homesFor, refuseNetwork } from "./network.ts";
import { bringsImage } from "./place.ts";
import type { Refusal } from "./reasons.ts";

type Rule = (catalog: Catalog, resources: Choice) => Refusal | undefined;

/** The first that applies. */
export const refuse: Rule = (catalog, resources) => {
  for (const rule of RULES) {
    const refusal = rule(catalog, resources);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
};

const empty: Rule = (catalog, resources) => {
  const [part, why] =
    catalog.types.length === 0
      ? (["types", "no machine types"] as const)
      : (["network", "no subnet to put machines into"] as const);
  if (catalog.types.length > 0 && homesFor(catalog, { subnet: undefined }).length > 0) return undefined;
  // Of a subnet that is named by itself there is more to say.
  if (catalog.types.length > 0 && resources.subnet !== undefined) return undefined;
  const problem = catalog.problems.find(one => one.part === part || (part === "types" && one.part === "zones"));
  return {
    reason: `the catalog of ${catalog.region} has ${why}${problem === undefined ? "" : `: ${problem.message}`}`,
    hint: problem?.fix ?? "an administrator can look with: muster doctor",
  };
};

const region: Rule = (catalog, { region: wanted }) => {
  if (wanted === undefined || wanted.toLowerCase() === catalog.region) return undefined;
  return {
    reason: `this deployment makes machines in ${catalog.region}, not in ${wanted}`,
    hint: `run it there with: --resources.region ${catalog.region}; or ask a deployment in ${wanted}`,
  };
};

const zone: Rule = (catalog, resources) => {
  const { zone: wanted } = resources;
  if (wanted === undefined) return undefined;
  const zones = [...new Set(catalog.types.flatMap(type => type.zones))].toSorted();
  const usable = [...new Set(homesFor(catalog, resources).map(subnet => subnet.zone))].toSorted();
  if (!zones.includes(wanted))
    return { reason: `${catalog.region} has no zone '${wanted}'; it has: ${zones.join(", ")}`, hint: leaveOut("zone") };
  if (usable.includes(wanted)) return undefined;
  return {
    reason: `this deployment has no subnet in ${wanted}; it has one in: ${usable.join(", ")}`,
    hint: leaveOut("zone"),
  };
};

const reservation: Rule = (_catalog, { reservation: id, instanceType: type, spot }) => {
  if (id === undefined) return undefined;
  if (type === undefined)
    return {
      reason: `a reservation is of one machine type, and ${id} was asked for without one`,
      hint: "say which: --resources.instance_type TYPE",
    };
  if (spot !== true) return undefined;
  return { reason: "reserved machines are not spot machines", hint: "run it with: --resources.use_spot false" };
};

const instanceType: Rule = (catalog, { instanceType: wanted }) => {
  const name = wanted?.toLowerCase();
  if (name === undefined || catalog.types.some(type => type.name === name)) return undefined;
  const plain = name.replace(/^ml\./, "");
  const names = catalog.types.map(type => type.name);
  const meant = names.includes(plain) ? plain : nearest(plain, names);
  return {
    reason: `there is no machine type '${wanted}' in ${catalog.region}`,
    hint: meant === undefined ? leaveOut("instance_type") : `did you mean ${meant}? --resources.instance_type ${meant}`,
  };
};

/** Muster's own images serve in place of the stock ones of other launchers. */
export const isStock = (image: string | undefined): boolean => image?.startsWith("skypilot:") ?? false;

/** A saved image is in one region. One that was not looked up stands where it cannot be. */
const saved: Rule = ({ region: here }, wanted) => {
  const stray = Object.values(wanted.images ?? {}).find(one => nameOf(one) !== undefined);
  if (stray !== undefined)
    return {
      reason: `'${stray}' is in one region, whichever is named with it`,
      hint: `name it by itself: image_id: ${stray}`,
    };
  const { name, region: its } = savedOf(wanted) ?? {};
  if (its === undefined || its === here) return undefined;
  return {
    reason: `image '${name}' is in ${its}, and this deployment makes machines in ${here}`,
    hint: `save one here, or run it on Muster's own with: --resources.image_id null`,
  };
};

const image: Rule = (_catalog, resources) => {
  const { image: wanted } = resources;
  if (wanted === undefined || bringsImage(resources) || isStock(wanted)) return undefined;
  if (wanted.startsWith("docker:"))
    return {
      reason: `'${wanted}' is a container's image, and machines boot from AMIs`,
      hint: `name it in the task, beside resources: container: ${wanted.slice("docker:".length)}`,
    };
  return {
    reason: `'${wanted}' is no image of EC2: those are AMIs (ami-…), and parameters that hold one (ssm:/path)`,
    hint: "run it on Muster's own with: --resources.image_id null",
  };
};

/** The one for this region is the one to use; here there is none. */
const images: Rule = ({ region: here }, { image: wanted, images: named }) => {
  if (named === undefined || wanted !== undefined) return undefined;
  const regions = Object.keys(named).toSorted();
  if (regions.some(name => name.toLowerCase() === here)) return undefined;
  const has = regions.length === 0 ? "for no region" : `for ${regions.join(", ")}`;
  return {
    reason: `images are named ${has}, and this deployment makes machines in ${here}`,
    hint: `name one for ${here}, or run it on Muster's own with: --resources.image_id null`,
  };
};

const leaveOut = (key: string): string => `run it where there is one with: --resources.${key} null`;

const diskTier: Rule = (_catalog, resources) => refuseTier(resources);

/** In the order in which to tell them. */
const RULES: readonly Rule[] = [
  empty,
  region,
  refuseNetwork,
  zone,
  saved,
  images,
  image,
  diskTier,
  reservation,
  instanceType,
  refuseAccelerators,
];
