/** Why there is no offer, and what would do instead: said in the words of the request. */
import { savedOf } from "@muster/core/image/name.ts";
import type { Barred, Offer } from "@muster/core/ports/provider.ts";
import type { Resources } from "@muster/core/task/task.ts";
import type { Catalog, MachineType } from "../../catalog/catalog.ts";
import { purposeOf } from "../../catalog/catalog.ts";
import { miscount } from "./accelerators.ts";
import { archOf, hasAccelerators, hasSize, isNamed, isPlain, wishes } from "./match.ts";
import { homesFor, isPrivate, needsPrivate } from "./network.ts";
import { asked, cheapest, devices, distinct, dollars, FEW, few, list, loosened, size, sized, wish } from "./say.ts";

export interface Refusal {
  readonly reason: string;
  readonly hint: string;
}

export function misfit(catalog: Catalog, resources: Resources): Refusal {
  const named = catalog.types.find(type => isNamed(type, resources));
  if (named !== undefined) return unlike(named, resources);
  const wanted = wishes(resources);
  const pool = catalog.types.filter(type => isPlain(type, archOf(resources)));
  if (wanted.length > 0 && !pool.some(type => hasAccelerators(type, resources))) return miscount(catalog, wanted);
  if (!pool.some(type => hasAccelerators(type, resources) && hasSize(type, resources)))
    return missize(
      pool.filter(type => hasAccelerators(type, resources)),
      resources,
      catalog.region,
    );
  const [what, key] =
    resources.efa === true ? ["an Elastic Fabric Adapter", "efa"] : ["a place in a placement group", "placementGroup"];
  return {
    reason: `no machine of ${catalog.region} that fits the request takes ${what}`,
    hint: `ask for a larger one, or leave out ${key}`,
  };
}

/** The type that was named is not what else was asked for. */
function unlike(type: MachineType, resources: Resources): Refusal {
  const hint = "leave out what contradicts the machine type, or the type: --resources.instance_type null";
  if (!hasAccelerators(type, resources))
    return { reason: `a ${type.name} has ${devices(type)}, not ${list(wishes(resources).map(wish))}`, hint };
  if (!hasSize(type, resources))
    return { reason: `a ${type.name} has ${size(type)}; ${asked(resources)} was asked for`, hint };
  const what = resources.efa === true && type.efa === undefined ? "Elastic Fabric Adapter" : "placement group";
  return { reason: `a ${type.name} takes no ${what}`, hint };
}

function missize(pool: readonly MachineType[], resources: Resources, region: string): Refusal {
  const beside = wishes(resources).map(wish);
  const reason = `no machine of ${region}${beside.length > 0 ? ` with ${list(beside)}` : ""} has ${asked(resources)}`;
  const larger = pool.filter(
    type => type.cpus >= (resources.cpus?.count ?? 0) && type.memory >= (resources.memory?.gib ?? 0),
  );
  const some = cheapest(larger.length > 0 ? larger : pool.toSorted((a, b) => b.memory - a.memory).slice(0, FEW));
  const near = distinct(some, size).slice(0, FEW).map(sized).join(", ");
  return {
    reason: `${reason}; the nearest ${larger.length > 0 ? "that have more" : "have less"}: ${near}`,
    hint: larger.length > 0 ? `ask for at least as much: ${loosened(resources)}` : "ask for less, or for several hosts",
  };
}

export function unbootable(catalog: Catalog, fit: readonly MachineType[], resources: Resources): Refusal {
  const saved = savedOf(resources);
  if (saved !== undefined)
    return {
      reason: `image '${saved.name}' is for ${saved.architecture} machines, and ${few(cheapest(fit).map(({ name }) => name))} is none`,
      hint: "choose another machine type, or run it on Muster's own image with: --resources.image_id null",
    };
  const hint = "name an image of your own with: --resources.image_id ami-…";
  const [type] = cheapest(fit);
  const problem = catalog.problems.find(({ part }) => part === "images");
  if (type === undefined || purposeOf(type) === undefined)
    return { reason: `Muster has no image that drives ${type === undefined ? "it" : devices(type)}`, hint };
  const why = problem === undefined ? "" : `: ${problem.message}`;
  return { reason: `no image for ${type.name} is known in ${catalog.region}${why}`, hint };
}

/** Types fit, and none of them can be had: in that zone, on that market, in that network, or at a known price. */
export function nowhere(catalog: Catalog, fit: readonly MachineType[], resources: Resources): Refusal {
  const names = few(cheapest(fit).map(({ name }) => name));
  const inZone = fit.filter(type => resources.zone === undefined || type.zones.includes(resources.zone));
  if (inZone.length === 0) {
    const zones = [...new Set(fit.flatMap(type => type.zones))].toSorted();
    return {
      reason: `${names} is not to be had in ${resources.zone}, but in: ${zones.join(", ")}`,
      hint: "run it there with: --resources.zone null",
    };
  }
  if (inZone.every(type => needsPrivate(type, resources)) && !hasPrivate(catalog, inZone, resources))
    return {
      reason: `${names} has several network adapters with efa, so it gets no public address, and where it is offered ${resources.subnet ?? "this deployment"} ${resources.subnet === undefined ? "has no private subnet" : "is no private subnet"} with a way out`,
      hint: "add one with a NAT gateway to the deployment's network, or leave out efa",
    };
  const zones = new Set(homesFor(catalog, resources).map(subnet => subnet.zone));
  if (!inZone.some(type => type.zones.some(zone => zones.has(zone)))) return noSubnet(names, inZone, resources, zones);
  return unpriced(catalog, names, resources);
}

function noSubnet(
  names: string,
  types: readonly MachineType[],
  { subnet }: Resources,
  zones: ReadonlySet<string>,
): Refusal {
  const there = [...zones].toSorted().join(", ");
  const offered = [...new Set(types.flatMap(type => type.zones))].toSorted().join(", ");
  if (subnet !== undefined)
    return {
      reason: `${names} is not to be had in ${there}, where ${subnet} is, but in: ${offered}`,
      hint: "name a subnet there, or run it in this deployment's own with: --resources.subnet null",
    };
  return {
    reason: `${names} is offered in zones where this deployment has no subnet; it has one in: ${there}`,
    hint: "add a subnet there to the deployment's network, or choose another machine",
  };
}

function hasPrivate(catalog: Catalog, types: readonly MachineType[], resources: Resources): boolean {
  const zones = new Set(resources.zone === undefined ? types.flatMap(type => type.zones) : [resources.zone]);
  return homesFor(catalog, resources).some(one => zones.has(one.zone) && isPrivate(one));
}

function unpriced(catalog: Catalog, names: string, { spot }: Resources): Refusal {
  if (spot === true)
    return {
      reason: `there is no spot capacity of ${names} in ${catalog.region}`,
      hint: "run it on demand with: --resources.use_spot false",
    };
  const problem = catalog.problems.find(({ part }) => part === "prices");
  const why = problem === undefined ? "AWS sells it in capacity blocks only, or not to everyone" : problem.message;
  return {
    reason: `no price on demand is known for ${names} in ${catalog.region}, so it is not offered: ${why}`,
    hint: problem?.fix ?? "reserve it, and name the reservation with the machine type; or choose another machine",
  };
}

export function tooDear(placed: readonly Offer[], { maxHourly }: Resources): Refusal {
  const best = placed.reduce((least, offer) => (offer.hourly < least.hourly ? offer : least));
  const where = best.market === "spot" ? " on spot" : "";
  return {
    reason: `the cheapest machine that fits is ${best.instanceType} at ${dollars(best.hourly)}/h${where}; the ceiling is ${dollars(maxHourly ?? 0)}/h`,
    hint: `raise the ceiling to ${dollars(best.hourly)} or more, or ask for less`,
  };
}

export function barredAll(barred: readonly Barred[], region: string): Refusal {
  const [first] = barred;
  return {
    reason: `in ${region} ${first?.reason ?? "the quotas are too small"}`,
    hint: `ask AWS for more: ${first?.link ?? ""}`,
  };
}
