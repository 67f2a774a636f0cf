/** Which moves there are snapshots of. */
import type { MoveRef } from "@muster/core/ports/provider.ts";
import type { Seeing } from "../observe.ts";
import { imagesOf, partsOf } from "./find.ts";

/** The moves of this deployment's clusters of which there are images, or EBS snapshots that images left. @throws Fault */
export async function snapshots(world: Seeing): Promise<readonly MoveRef[]> {
  const found = [...(await imagesOf(world)), ...(await partsOf(world))];
  const refs = found.map(({ of: { workspace, clusterId, move } }) => ({ workspace, clusterId, move }));
  return [...new Map(refs.map(ref => [JSON.stringify(ref), ref])).values()];
}
