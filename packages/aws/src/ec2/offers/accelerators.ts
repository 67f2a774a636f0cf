/** Accelerators that there are not, or not so many of one machine: said before anything is made, with what is nearest. */
import { canonical, isAccelerator, isTpu, known, names } from "@muster/core/accelerator/names.ts";
import { nearest } from "@muster/core/near.ts";
import type { Choice } from "@muster/core/task/resources.ts";
import { type Catalog, type MachineType, purposeOf } from "../../catalog/catalog.ts";
import { isPlain, type Wish, wishes } from "./match.ts";
import type { Refusal } from "./reasons.ts";
import { cheapest, distinct, FEW, list, shape, spelled, wish } from "./say.ts";

/** None of the accelerators that were asked for is in this region. Something else will do as long as one of them is. */
export function refuseAccelerators(catalog: Catalog, resources: Choice): Refusal | undefined {
  const wanted = wishes(resources);
  const here = new Set(catalog.types.flatMap(type => Object.keys(type.accelerators ?? {})));
  if (wanted.length === 0 || wanted.some(({ name }) => here.has(name))) return undefined;
  const words = Object.keys(resources.accelerators ?? {});
  const [first] = Object.entries(resources.accelerators ?? {});
  const meant = first === undefined ? undefined : meantBy(first[0], [...here].toSorted());
  const reasons = [...new Set(words.map(word => absent(word, catalog.region)))];
  return {
    reason: `${reasons.join(", and ")}; ${instead(catalog)}`,
    hint:
      meant === undefined || first === undefined
        ? "ask for one of those with: --resources.accelerators NAME:COUNT"
        : `did you mean ${meant}? --resources.accelerators ${meant}:${first[1]}`,
  };
}

/** TPUs are no machine's parts here; a name may be one of EC2's elsewhere, or nobody's. */
function absent(word: string, region: string): string {
  if (isTpu(word)) return `TPUs are Google's, and EC2 has none (${word})`;
  if (known(word) !== undefined) return `${region} has no ${canonical(word)}`;
  return isAccelerator(word) ? `EC2 has no ${word} in any region` : `there is no accelerator '${word}'`;
}

/** One machine for each accelerator that Muster has an image for, from the cheapest on. */
function instead({ types, region }: Catalog): string {
  const whole = types.filter(type => isPlain(type) && type.accelerators !== undefined && purposeOf(type) !== undefined);
  const shapes = distinct(cheapest(whole), type => Object.keys(type.accelerators ?? {}).join());
  if (shapes.length === 0) return `${region} has no machine with accelerators that Muster has an image for`;
  return `${region} has ${shapes.map(shape).join(", ")}`;
}

/** Another size of the same one, else a slip of the pen; but one accelerator that exists was not meant as another. */
function meantBy(word: string, here: readonly string[]): string | undefined {
  const name = canonical(word);
  const larger = here.find(one => isOfOneModel(one, name));
  if (larger !== undefined || isAccelerator(word) || isTpu(word)) return larger;
  const slip = nearest(name, [...here, ...names]);
  return slip === undefined || here.includes(slip) ? slip : undefined;
}

/** `A100` and `A100-80GB`. */
const isOfOneModel = (a: string, b: string): boolean => a === b || a.startsWith(`${b}-`) || b.startsWith(`${a}-`);

/** The accelerator is there, in other numbers or in machines that must be named. Nobody is given more than was asked for. */
export function miscount(catalog: Catalog, wanted: readonly Wish[]): Refusal {
  const isAlike = (name: string) => wanted.some(one => isOfOneModel(one.name, name));
  const others = catalog.types.filter(type => Object.keys(type.accelerators ?? {}).some(isAlike));
  const reason = `EC2 has no machine with ${list(wanted.map(wish))} in ${catalog.region}`;
  const plain = others.filter(type => isPlain(type) && isWhole(type));
  if (plain.length === 0) return byName(others, reason);
  const near = distinct(cheapest(plain), spelled).toSorted((a, b) => gap(a, wanted) - gap(b, wanted));
  const parts = wanted.every(({ count }) => Number.isInteger(count)) ? [] : others.filter(type => !isWhole(type));
  const shared = cheapest(parts).slice(0, FEW).map(shape);
  const named = shared.length === 0 ? "" : `; parts of one are given by machine type only: ${shared.join(", ")}`;
  return {
    reason: `${reason}; the nearest: ${near.slice(0, FEW).map(shape).join(", ")}${named}`,
    hint: `run it on one of these with: --resources.accelerators ${near[0] === undefined ? "NAME:COUNT" : spelled(near[0])}`,
  };
}

const isWhole = ({ accelerators = {} }: MachineType): boolean => Object.values(accelerators).every(Number.isInteger);

function byName(others: readonly MachineType[], reason: string): Refusal {
  const some = cheapest(others).slice(0, FEW);
  const why = some.some(({ arch }) => arch === "arm64") ? "of ARM machines" : "of machines that share a GPU";
  return {
    reason: `${reason}; it is an accelerator ${why}, which are given by name only: ${some.map(shape).join(", ")}`,
    hint: `name one: --resources.instance_type ${some[0]?.name ?? "TYPE"} --resources.accelerators null`,
  };
}

/** How far a machine is from what was asked for: in numbers, and a little when it is another size of the model. */
function gap(type: MachineType, wanted: readonly Wish[]): number {
  const gaps = wanted.flatMap(({ name, count }) =>
    Object.entries(type.accelerators ?? {}).flatMap(([has, there]) =>
      isOfOneModel(has, name) ? [Math.abs(Math.log(there / count)) + (has === name ? 0 : OTHER_SIZE)] : [],
    ),
  );
  return Math.min(...gaps);
}
const OTHER_SIZE = 0.1;
