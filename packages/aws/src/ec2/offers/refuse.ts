/** Requests that no machine of this deployment can meet, told from the words of the request alone. */
import { canonical, isAccelerator } from "@muster/core/accelerator/names.ts";
import type { Resources } from "@muster/core/task/task.ts";
import type { Catalog } from "../../catalog/catalog.ts";
import { wishes } from "./match.ts";
import { nearest } from "./near.ts";
import type { Refusal } from "./reasons.ts";

type Rule = (catalog: Catalog, resources: Resources) => Refusal | undefined;

/** In the order in which to tell them. */
export const refuse: Rule = (catalog, resources) => {
  for (const rule of [empty, region, zone, reservation, instanceType, accelerators]) {
    const refusal = rule(catalog, resources);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
};

const empty: Rule = catalog => {
  const [part, why] =
    catalog.types.length === 0
      ? (["types", "no machine types"] as const)
      : (["network", "no subnet to put machines into"] as const);
  if (catalog.types.length > 0 && (catalog.network?.subnets.length ?? 0) > 0) return undefined;
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

const zone: Rule = (catalog, { zone: wanted }) => {
  if (wanted === undefined) return undefined;
  const zones = [...new Set(catalog.types.flatMap(type => type.zones))].toSorted();
  const usable = [...new Set((catalog.network?.subnets ?? []).map(subnet => subnet.zone))].toSorted();
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

/** Something else will do as long as one of the names is known. */
const accelerators: Rule = (catalog, resources) => {
  const wanted = wishes(resources);
  const known = [...new Set(catalog.types.flatMap(type => Object.keys(type.accelerators ?? {})))].toSorted();
  if (wanted.length === 0 || wanted.some(({ name }) => known.includes(name))) return undefined;
  const [first] = Object.entries(resources.accelerators ?? {});
  const meant = first === undefined ? undefined : meantBy(first[0], known);
  const has = known.length === 0 ? "it has no accelerator" : `it has: ${known.join(", ")}`;
  return {
    reason: `${catalog.region} has no ${wanted.map(({ name }) => name).join(" or ")}; ${has}`,
    hint:
      meant === undefined || first === undefined
        ? "choose one of them, or ask a deployment in another region"
        : `did you mean ${meant}? --resources.accelerators ${meant}:${first[1]}`,
  };
};

/** Another size of the same one, else a slip of the pen; but one accelerator that exists was not meant as another. */
function meantBy(word: string, known: readonly string[]): string | undefined {
  const name = canonical(word);
  const larger = known.find(one => one.startsWith(`${name}-`));
  return larger ?? (isAccelerator(name) ? undefined : nearest(name, known));
}

const leaveOut = (key: string): string => `run it where there is one with: --resources.${key} null`;
