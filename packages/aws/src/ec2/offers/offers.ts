/** What AWS can offer for a request, read off the catalog: no cloud is asked. */
import { savedOf } from "@muster/core/image/name.ts";
import type { Barred, Beside, Offer, Offered } from "@muster/core/ports/provider.ts";
import { inRegion } from "@muster/core/provider/choices.ts";
import type { Choice } from "@muster/core/task/resources.ts";
import type { Catalog } from "../../catalog/catalog.ts";
import { linkTo, type Quota, quotaOf } from "../../catalog/families.ts";
import { DEFAULTS, type Defaults, match } from "./match.ts";
import { compare, hasImage, place } from "./place.ts";
import { barredAll, misfit, nowhere, tooDear, unbootable } from "./reasons.ts";
import { isStock, refuse } from "./refuse.ts";

/** On each market. More than anybody tries; a request for nothing in particular fits hundreds of types in six zones. */
const MOST = 100;
const MOST_BARRED = 20;

/**
 * Offers in the order in which to try them; or none, with the reason and what to do about it. Quotas are compared with
 * the vCPUs of all hosts of the cluster; what others of the account use of them is not known before the launch.
 * @param beside what the cluster's other groups are going to have
 * @param defaults what a machine has at least when the request asks for nothing
 */
export function offers(
  catalog: Catalog,
  wanted: Choice,
  nodes = 1,
  beside: readonly Beside[] = [],
  defaults: Defaults = DEFAULTS,
): Offered {
  const refusal = refuse(catalog, wanted);
  if (refusal !== undefined) return { offers: [], ...refusal };
  const resources = inRegion(wanted, catalog.region);
  const fit = match(catalog.types, resources, defaults);
  if (fit.length === 0) return { offers: [], ...misfit(catalog, resources) };
  const bootable = fit.filter(type => hasImage(catalog, type, resources));
  if (bootable.length === 0) return { offers: [], ...unbootable(catalog, fit, resources) };
  const placed = bootable.flatMap(type => place(catalog, type, resources)).toSorted(compare);
  if (placed.length === 0) return { offers: [], ...nowhere(catalog, bootable, resources) };
  const affordable = placed.filter(offer => offer.hourly <= (resources.maxHourly ?? Infinity));
  if (affordable.length === 0) return { offers: [], ...tooDear(placed, resources) };
  const notices = noticesOf(catalog, resources);
  return { ...withoutBarred(catalog, affordable, nodes, beside), ...(notices.length > 0 && { notices }) };
}

function noticesOf({ types }: Catalog, resources: Choice): string[] {
  const { image, tenancy, accelerators } = resources;
  const notices: string[] = [];
  const saved = savedOf(resources);
  const from = types.find(type => type.name === saved?.instanceType);
  if (saved !== undefined && accelerators !== undefined && from !== undefined && from.accelerators === undefined)
    notices.push(
      `image '${saved.name}' was saved on ${from.name}, which has no accelerator: it may lack their drivers`,
    );
  if (isStock(image)) notices.push(`machines start from Muster's own image, in place of '${image}'`);
  if (tenancy === "dedicated")
    notices.push("prices are those of shared hardware: dedicated machines cost more, and AWS adds a fee per hour");
  return notices;
}

function withoutBarred(
  catalog: Catalog,
  affordable: readonly Offer[],
  nodes: number,
  beside: readonly Beside[],
): Offered {
  const seen = new Map<string, Barred>();
  const left = affordable.filter(offer => {
    const barred = barredOf(catalog, offer, nodes, beside);
    if (barred !== undefined) seen.set(`${offer.instanceType} ${offer.market}`, barred);
    return barred === undefined;
  });
  const barred = [...seen.values()].slice(0, MOST_BARRED);
  const most = (market: Offer["market"]) => left.filter(offer => offer.market === market).slice(0, MOST);
  return {
    offers: [...most("spot"), ...most("on_demand")],
    ...(left.length === 0 && barredAll(barred, catalog.region)),
    ...(barred.length > 0 && { barred }),
  };
}

/** Undefined as well where the quota's value is not known: AWS then says so at launch. */
function barredOf(
  catalog: Catalog,
  { instanceType, market, cpus }: Offer,
  nodes: number,
  beside: readonly Beside[],
): Barred | undefined {
  if (market === "none") return undefined;
  const quota = quotaOf(instanceType, market);
  const value = quota === undefined ? undefined : catalog.quotas[quota.code];
  if (quota === undefined || value === undefined) return undefined;
  const taken = beside.reduce((sum, other) => sum + (isOf(quota, other) ? other.offer.cpus * other.nodes : 0), 0);
  if (value >= cpus * nodes + taken) return undefined;
  const others = taken === 0 ? "" : `, and the groups before it have ${taken}`;
  return {
    instanceType,
    market,
    reason: `the quota '${quota.name}' is ${value} vCPUs; ${nodes === 1 ? "one" : nodes} ${instanceType} ${nodes === 1 ? "has" : "have"} ${cpus * nodes}${others}`,
    link: linkTo(quota, catalog.region),
  };
}

const isOf = (quota: Quota, { offer }: Beside): boolean =>
  offer.market !== "none" && quotaOf(offer.instanceType, offer.market)?.code === quota.code;
