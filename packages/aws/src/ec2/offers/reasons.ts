/** Why there is no offer, and what would do instead: said in the words of the request. */
import type { Barred, Offer } from "@muster/core/ports/provider.ts";
import type { Resources } from "@muster/core/task/task.ts";
import type { Catalog, MachineType } from "../../catalog/catalog.ts";
import { purposeOf } from "../../catalog/catalog.ts";
import { hasAccelerators, hasSize, isNamed, isPlain, type Wish, wishes } from "./match.ts";
import { isPrivate, needsPrivate } from "./place.ts";

export interface Refusal {
  readonly reason: string;
  readonly hint: string;
}

/** How many other shapes are named. */
const FEW = 4;

export function misfit(catalog: Catalog, resources: Resources): Refusal {
  const named = catalog.types.find(type => isNamed(type, resources));
  if (named !== undefined) return unlike(named, resources);
  const wanted = wishes(resources);
  const pool = catalog.types.filter(isPlain);
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

/** The accelerator is there, in other numbers or in machines that must be named. */
function miscount(catalog: Catalog, wanted: readonly Wish[]): Refusal {
  const names = new Set(wanted.map(({ name }) => name));
  const others = catalog.types.filter(type => Object.keys(type.accelerators ?? {}).some(name => names.has(name)));
  const reason = `no machine of ${catalog.region} has exactly ${list(wanted.map(wish))}`;
  const whole = others.filter(type => isPlain(type) && Object.values(type.accelerators ?? {}).every(Number.isInteger));
  if (whole.length > 0) {
    const shapes = distinct(cheapest(whole), devices).slice(0, FEW);
    const [nearest] = shapes.toSorted((a, b) => gap(a, wanted) - gap(b, wanted));
    return {
      reason: `${reason}; there are ${shapes.map(shape).join(", ")}`,
      hint: `run it on one of these with: --resources.accelerators ${nearest === undefined ? "NAME:COUNT" : spelled(nearest)}`,
    };
  }
  const few = cheapest(others).slice(0, FEW);
  const why = few.some(({ arch }) => arch === "arm64") ? "of ARM machines" : "of machines that share a GPU";
  return {
    reason: `${reason}; it is an accelerator ${why}, which are given by name only: ${few.map(shape).join(", ")}`,
    hint: `name one: --resources.instance_type ${few[0]?.name ?? "TYPE"} --resources.accelerators null`,
  };
}

function gap(type: MachineType, wanted: readonly Wish[]): number {
  return Math.min(
    ...wanted.map(({ name, count }) => {
      const has = type.accelerators?.[name];
      return has === undefined ? Infinity : Math.abs(Math.log(has / count));
    }),
  );
}

function missize(pool: readonly MachineType[], resources: Resources, region: string): Refusal {
  const reason = `no machine of ${region} has ${asked(resources)}`;
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

export function unbootable(catalog: Catalog, fit: readonly MachineType[]): Refusal {
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
  if (inZone.every(type => needsPrivate(type, resources)) && !hasPrivate(catalog, inZone, resources.zone))
    return {
      reason: `${names} has several network adapters with efa, so it gets no public address, and where it is offered this deployment has no private subnet with a way out`,
      hint: "add one with a NAT gateway to the deployment's network, or leave out efa",
    };
  const zones = new Set((catalog.network?.subnets ?? []).map(subnet => subnet.zone));
  if (!inZone.some(type => type.zones.some(zone => zones.has(zone))))
    return {
      reason: `${names} is offered in zones where this deployment has no subnet; it has one in: ${[...zones].toSorted().join(", ")}`,
      hint: "add a subnet there to the deployment's network, or choose another machine",
    };
  return unpriced(catalog, names, resources);
}

function hasPrivate(catalog: Catalog, types: readonly MachineType[], zone: string | undefined): boolean {
  const zones = new Set(zone === undefined ? types.flatMap(type => type.zones) : [zone]);
  return (catalog.network?.subnets ?? []).some(one => zones.has(one.zone) && isPrivate(one));
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

const cheapest = (types: readonly MachineType[]): readonly MachineType[] =>
  types.toSorted((a, b) => (a.onDemand ?? Infinity) - (b.onDemand ?? Infinity) || (a.name < b.name ? -1 : 1));

/** One of each kind. */
function distinct(types: readonly MachineType[], kind: (type: MachineType) => string): readonly MachineType[] {
  const first = new Map<string, MachineType>();
  for (const type of types) if (!first.has(kind(type))) first.set(kind(type), type);
  return [...first.values()];
}

const wish = ({ name, count }: Wish): string => `${count} × ${name}`;
const list = (parts: readonly string[]): string => parts.join(" or ");
const few = (names: readonly string[]): string =>
  names.length <= FEW ? names.join(", ") : `${names.slice(0, FEW).join(", ")} and ${names.length - FEW} more`;
const pairs = (type: MachineType): readonly Wish[] =>
  Object.entries(type.accelerators ?? {}).map(([name, count]) => ({ name, count }));
const devices = (type: MachineType): string => list(pairs(type).map(wish)) || "no accelerator";
const spelled = (type: MachineType): string => pairs(type).map(({ name, count }) => `${name}:${count}`)[0] ?? "";
const size = (type: MachineType): string => `${type.cpus} vCPUs and ${type.memory} GiB`;
const dollars = (amount: number): string =>
  `$${amount < 1 ? amount.toFixed(4).replace(/0{1,2}$/, "") : amount.toFixed(2)}`;

const priceOf = ({ onDemand }: MachineType): string =>
  onDemand === undefined ? "price unknown" : `${dollars(onDemand)}/h`;

/** `8 × A100 (p4d.24xlarge, $21.96/h)`. */
const shape = (type: MachineType): string => `${devices(type)} (${type.name}, ${priceOf(type)})`;

/** `4 vCPUs and 16 GiB (m7i.xlarge, $0.2016/h)`. */
const sized = (type: MachineType): string => `${size(type)} (${type.name}, ${priceOf(type)})`;

function asked({ cpus, memory }: Resources): string {
  const parts = [
    cpus && `${cpus.atLeast ? "at least" : "exactly"} ${cpus.count} vCPUs`,
    memory && `${memory.atLeast ? "at least" : "exactly"} ${memory.gib} GiB`,
  ];
  return parts.filter(part => part !== undefined).join(" and ");
}

function loosened({ cpus, memory }: Resources): string {
  const parts = [cpus && `--resources.cpus ${cpus.count}+`, memory && `--resources.memory ${memory.gib}+`];
  return parts.filter(part => part !== undefined).join(" ");
}
