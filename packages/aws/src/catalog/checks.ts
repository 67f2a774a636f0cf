/** What a catalog tells of an account's readiness, for `muster doctor`. */
import type { Check } from "@muster/core/ports/provider.ts";
import type { Catalog, Part } from "./catalog.ts";
import { linkTo, type Quota, quotaOf } from "./families.ts";

/** It is made every hour; from two missed times on something is wrong. In ms. */
const OLD = 2.5 * 3_600_000;

/** A family of machines by one of its types, and the fewest vCPUs with which a quota lets anything start. */
const FAMILIES = [
  { name: "quota of standard machines", type: "m7i.xlarge", least: 4 },
  { name: "quota of G machines", type: "g6.xlarge", least: 4 },
  { name: "quota of P machines", type: "p5.4xlarge", least: 16 },
] as const;

/** @param now epoch ms */
export function checks(catalog: Catalog, now: number): readonly Check[] {
  return [
    freshness(catalog, now),
    types(catalog),
    network(catalog),
    egress(catalog),
    ...FAMILIES.map(family => quota(catalog, family)),
    images(catalog),
    prices(catalog),
    spot(catalog),
  ];
}

function freshness({ refreshedAt, region }: Catalog, now: number): Check {
  const minutes = Math.max(0, Math.round((now - refreshedAt) / 60_000));
  const message = `the catalog of ${region} is ${minutes} ${minutes === 1 ? "minute" : "minutes"} old`;
  if (now - refreshedAt <= OLD) return { name: "catalog", ok: true, message };
  return {
    name: "catalog",
    ok: false,
    message,
    fix: "look at the logs of the function cron, which makes it every hour",
  };
}

function types(catalog: Catalog): Check {
  const count = catalog.types.length;
  const message = `${count} machine types in ${catalog.region}`;
  return withProblem(catalog, ["types", "zones"], { name: "machine types", ok: count > 0, message });
}

function network(catalog: Catalog): Check {
  const { vpc, subnets } = catalog.network ?? { vpc: undefined, subnets: [] };
  const zones = new Set(subnets.map(({ zone }) => zone)).size;
  const message = vpc === undefined ? "no network" : `${vpc} with ${subnets.length} subnets in ${zones} zones`;
  return withProblem(catalog, ["network"], { name: "network", ok: subnets.length > 0, message });
}

function egress({ network: net }: Catalog): Check {
  const name = "way out";
  const subnets = net?.subnets ?? [];
  const closed = subnets.filter(subnet => !subnet.public && !subnet.egress).map(({ id }) => id);
  if (subnets.length === 0)
    return { name, ok: false, message: "no subnet that machines could reach the internet from" };
  if (closed.length === 0) return { name, ok: true, message: "machines in every subnet reach the internet" };
  return {
    name,
    ok: false,
    message: `no way out to the internet from: ${closed.join(", ")}`,
    fix: "give its route table a route to an internet gateway or a NAT gateway, or endpoints for the control plane",
  };
}

function quota(catalog: Catalog, { name, type, least }: (typeof FAMILIES)[number]): Check {
  const known: Quota | undefined = quotaOf(type, "on_demand");
  const value = known === undefined ? undefined : catalog.quotas[known.code];
  if (known === undefined || value === undefined)
    return withProblem(catalog, ["quotas"], { name, ok: false, message: "its value is not known" });
  const message = `'${known.name}' is ${value} vCPUs`;
  if (value >= least) return { name, ok: true, message };
  return { name, ok: false, message, fix: `ask AWS for ${least} or more: ${linkTo(known, catalog.region)}` };
}

function images(catalog: Catalog): Check {
  const found = Object.keys(catalog.images).toSorted();
  const ok = catalog.images.cpuX64 !== undefined && catalog.images.gpuX64 !== undefined;
  const message = found.length === 0 ? "no image is known" : `images for: ${found.join(", ")}`;
  return withProblem(catalog, ["images"], { name: "images", ok, message });
}

function prices(catalog: Catalog): Check {
  const priced = catalog.types.filter(type => type.onDemand !== undefined).length;
  const message = `${priced} of ${catalog.types.length} machine types have a price`;
  return withProblem(catalog, ["prices"], { name: "prices", ok: priced > 0, message });
}

function spot(catalog: Catalog): Check {
  const priced = catalog.types.filter(type => type.spot !== undefined).length;
  const message = `${priced} machine types have spot prices`;
  return withProblem(catalog, ["spot"], { name: "spot prices", ok: priced > 0, message });
}

/** A part that could not be renewed is not in order, even while the old one serves. */
function withProblem(catalog: Catalog, parts: readonly Part[], check: Check): Check {
  const problem = catalog.problems.find(({ part }) => parts.includes(part));
  if (problem === undefined) return check;
  const { message, fix } = problem;
  return { ...check, ok: false, message: `${check.message}; ${message}`, ...(fix !== undefined && { fix }) };
}
