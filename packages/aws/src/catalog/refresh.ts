/**
 * Makes a region's catalog anew, part by part.
 *
 * A part that cannot be had keeps what the catalog had of it before, and says so in `problems`: a price list out of reach
 * must not take away the network.
 */
import type { Aws } from "../call/aws.ts";
import type { Ec2 } from "../ec2/client.ts";
import type { Fleet } from "../settings.ts";
import type { Catalog, MachineType, Own, Part, Problem } from "./catalog.ts";
import * as Images from "./images.ts";
import * as Net from "./network.ts";
import { own } from "./own.ts";
import { prices } from "./prices.ts";
import { problemOf } from "./problem.ts";
import { quotas } from "./quotas.ts";
import { spot } from "./spot.ts";
import { type Shape, types } from "./types.ts";
import { zones } from "./zones.ts";

export interface Source {
  readonly aws: Aws;
  readonly ec2: Pick<Ec2, "reads">;
  /** `<app>-<stage>` */
  readonly deployment: string;
}

interface Made<T> {
  readonly value: T;
  readonly problems: readonly Problem[];
}

/**
 * @param now epoch ms
 * @param previous the catalog as it was, if there was one of this region
 * @throws nothing of AWS's: what could not be had stands in `problems`
 */
export async function refresh(
  { aws, ec2, deployment }: Source,
  settings: Pick<Fleet, "network">,
  now: number,
  previous?: Catalog,
): Promise<Catalog> {
  const old = previous?.region === aws.region ? previous : undefined;
  const [shapes, places, onDemand, spots, limits, net, named, found] = await Promise.all([
    make<readonly Shape[]>("types", old?.types ?? [], () => types(ec2)),
    make(
      "zones",
      mapOf(old, type => type.zones),
      () => zones(ec2),
    ),
    make(
      "prices",
      mapOf(old, type => type.onDemand),
      () => prices(aws),
    ),
    make(
      "spot",
      mapOf(old, type => type.spot),
      () => spot(ec2, now),
    ),
    make("quotas", old?.quotas ?? {}, () => quotas(aws)),
    make<Net.Found>("network", kept({ network: old?.network }), () => Net.network(ec2, settings.network)),
    make<Own | undefined>("network", old?.own, () => own(ec2, deployment)),
    make<Images.Found>("images", { images: old?.images ?? {}, problems: [] }, () => Images.images(aws, ec2)),
  ]);
  const merged = shapes.value.map(shape => merge(shape, places.value, onDemand.value, spots.value));
  const parts = [shapes, places, onDemand, spots, limits, net, named, found];
  return {
    format: 1,
    region: aws.region,
    refreshedAt: now,
    types: merged.filter(type => type.zones.length > 0).toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    quotas: limits.value,
    ...(net.value.network !== undefined && { network: net.value.network }),
    ...(named.value !== undefined && { own: named.value }),
    // An image that is no longer published can still be started from, for two years at least.
    images: { ...old?.images, ...found.value.images },
    problems: distinct([
      ...parts.flatMap(part => part.problems),
      ...net.value.problems,
      ...found.value.problems,
      ...holes(onDemand),
    ]),
  };
}

/** The network is read twice: the deployment's, and what tasks may name beside it. */
const distinct = (problems: readonly Problem[]): Problem[] => [
  ...new Map(problems.map(problem => [`${problem.part} ${problem.message}`, problem])).values(),
];

async function make<T>(part: Part, previous: T, run: () => Promise<T>): Promise<Made<T>> {
  try {
    return { value: await run(), problems: [] };
  } catch (error) {
    return { value: previous, problems: [problemOf(part, error)] };
  }
}

const kept = ({ network }: { readonly network: Catalog["network"] }): Net.Found =>
  network === undefined ? { problems: [] } : { network, problems: [] };

function mapOf<T>(old: Catalog | undefined, pick: (type: MachineType) => T | undefined): ReadonlyMap<string, T> {
  const pairs = (old?.types ?? []).flatMap(type => {
    const value = pick(type);
    return value === undefined ? [] : [[type.name, value] as const];
  });
  return new Map(pairs);
}

/** What the old catalog said of prices and zones must not come in by its types. */
function merge(
  shape: Shape,
  places: ReadonlyMap<string, readonly string[]>,
  onDemand: ReadonlyMap<string, number>,
  spots: ReadonlyMap<string, Readonly<Record<string, number>>>,
): MachineType {
  const { zones: _zones, onDemand: _price, spot: _spot, ...rest } = shape as MachineType;
  const price = onDemand.get(shape.name);
  const spot = spots.get(shape.name);
  return {
    ...rest,
    zones: [...(places.get(shape.name) ?? [])],
    ...(price !== undefined && { onDemand: price }),
    ...(spot !== undefined && { spot: { ...spot } }),
  };
}

/** A price list that answers, and holds nothing. */
function holes(onDemand: Made<ReadonlyMap<string, number>>): readonly Problem[] {
  if (onDemand.value.size > 0 || onDemand.problems.length > 0) return [];
  const message = "AWS's price list has no machine of this region";
  return [{ part: "prices", message, fix: "ask again later: machines without a price are not offered" }];
}
