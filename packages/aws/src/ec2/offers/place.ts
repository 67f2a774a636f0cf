/** Where types can be had, on which market and at what price. */
import { savedOf } from "@muster/core/image/name.ts";
import type { Offer } from "@muster/core/ports/provider.ts";
import type { Resources } from "@muster/core/task/task.ts";
import type { Catalog, MachineType } from "../../catalog/catalog.ts";
import { purposeOf } from "../../catalog/catalog.ts";
import { nameParts } from "../../catalog/families.ts";
import { diskHourly } from "../disk.ts";
import { subnetsFor } from "./network.ts";

type Market = "on_demand" | "spot";

/** Whether the user brings the image: an AMI, or a parameter that names one; or one that was saved of a machine here. */
export const bringsImage = (resources: Pick<Resources, "image" | "saved">): boolean =>
  /^(ami-|ssm:)/.test(resources.image ?? "") || savedOf(resources) !== undefined;

export function hasImage(catalog: Pick<Catalog, "images">, type: MachineType, resources: Resources): boolean {
  const saved = savedOf(resources);
  if (saved !== undefined) return saved.architecture === undefined || saved.architecture === type.arch;
  if (bringsImage(resources)) return true;
  const purpose = purposeOf(type);
  return purpose !== undefined && catalog.images[purpose] !== undefined;
}

/** One offer per zone and market. */
export function place(catalog: Catalog, type: MachineType, resources: Resources): readonly Offer[] {
  const zones = type.zones.filter(
    zone =>
      (resources.zone === undefined || resources.zone === zone) &&
      subnetsFor(catalog, type, zone, resources).length > 0,
  );
  return markets(resources).flatMap(market =>
    zones.flatMap(zone => {
      const hourly = priceOf(catalog, type, zone, market, resources);
      return hourly === undefined
        ? []
        : [{ ...offerOf(catalog, type, zone, market, hourly), disk: diskHourly(resources), ...pooled(resources) }];
    }),
  );
}

/** Where there may be no machines while there are others of the type in the zone, or the other way round. */
function pooled({ reservation, tenancy, placementGroup, subnet }: Resources): Pick<Offer, "pool"> {
  const own = [reservation, tenancy === "dedicated" && tenancy, placementGroup && "placement group", subnet];
  const pool = own.filter(Boolean).join(" ");
  return pool === "" ? {} : { pool };
}

export function markets({ spot, spotFallback }: Pick<Resources, "spot" | "spotFallback">): readonly Market[] {
  if (spot !== true) return ["on_demand"];
  return spotFallback === true ? ["spot", "on_demand"] : ["spot"];
}

function priceOf(
  catalog: Catalog,
  type: MachineType,
  zone: string,
  market: Market,
  resources: Resources,
): number | undefined {
  if (market === "spot") return type.spotMarket === true ? type.spot?.[zone] : undefined;
  return type.onDemand ?? (isPrepaid(catalog, type, resources) ? 0 : undefined);
}

/** What the price list knows nothing of can only be had in a capacity block, and that was paid for in advance. */
const isPrepaid = (catalog: Catalog, type: MachineType, { reservation }: Resources): boolean =>
  reservation !== undefined && type.onDemand === undefined && catalog.types.some(one => one.onDemand !== undefined);

const offerOf = (catalog: Catalog, type: MachineType, zone: string, market: Market, hourly: number): Offer => ({
  provider: "aws",
  instanceType: type.name,
  region: catalog.region,
  zone,
  market,
  cpus: type.cpus,
  memory: type.memory,
  accelerators: { ...type.accelerators },
  hourly,
  ...(type.nvme !== undefined && { localDisk: type.nvme }),
});

/** Spot first where both markets will do; then the cheaper, the newer, and for a total order zone and name. */
export function compare(a: Offer, b: Offer): number {
  return (
    Number(b.market === "spot") - Number(a.market === "spot") ||
    a.hourly - b.hourly ||
    nameParts(b.instanceType).generation - nameParts(a.instanceType).generation ||
    text(a.zone ?? "", b.zone ?? "") ||
    text(a.instanceType, b.instanceType)
  );
}

function text(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
