/**
 * Of several choices those that were taken, from when a cluster's disks are snapshots: what is on them was made for those
 * machines, and nobody has agreed to the price of others.
 */
import { type Write, WriteConflict } from "../../ports/table.ts";
import type { World } from "../../ports/world.ts";
import { chosenOf, keyOf } from "../../provider/choices.ts";
import * as Cluster from "../cluster.ts";
import { specItem } from "./plan.ts";
import type { In } from "./step.ts";

/**
 * The specification without the others, and the launch that goes with it; nothing where there was no choice.
 * @throws WriteConflict when somebody else has done it.
 */
export async function keepTaken(
  world: Pick<World, "table">,
  cluster: In<"moving">,
): Promise<{ readonly launch?: Cluster.Launch; readonly writes: readonly Write[] }> {
  const kinds = Cluster.kindsOf(cluster);
  if (kinds.every(({ choice }) => choice === undefined)) return { writes: [] };
  const { item, spec } = await specItem(world, cluster);
  // Whoever stood still before this finds that it was done: there is nothing to choose from any more.
  const isDone = kinds.every(({ choice }, index) => choice === undefined || !hasChoices(spec.groups[index]));
  if (isDone) throw new WriteConflict([{ key: item, expected: item.version, found: item }]);
  // What a growth that came to nothing has left behind them is nobody's.
  const groups = spec.groups
    .slice(0, kinds.length)
    .map((group, index) => ({ ...group, resources: chosenOf(group, kinds[index] ?? {}) }));
  const { launch } = cluster;
  const made = launch.made?.map(unchosen);
  return {
    launch: { ...launch, offer: unchosen(launch.offer), ...(made && { made }) },
    writes: [{ put: { ...item, data: { groups } }, expect: item.version }],
  };
}

const hasChoices = (group: Cluster.Spec["groups"][number] | undefined): boolean =>
  group !== undefined && keyOf(group.resources) !== undefined;

/** An index means nothing where there are no choices left. */
function unchosen<O extends { readonly choice?: number | undefined }>({ choice: _, ...offer }: O): Omit<O, "choice"> {
  return offer;
}
