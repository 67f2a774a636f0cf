/** Every hour: security groups of workspaces in which nothing happens. They cost nothing, but whoever removes the deployment would find them. */
import { deleteUnused, type Unused } from "@muster/aws/ec2/unused.ts";
import type { World } from "@muster/core/ports/world.ts";
import { isQuiet } from "@muster/core/workspace/quiet.ts";

/** In ms. Not at once: each launch in a workspace without a group has to make one first. */
const QUIET = 86_400_000;

export const unused = (world: Pick<World, "table" | "clock" | "log">, of: Pick<Unused, "ec2" | "deployment">) => () =>
  deleteUnused({ ...of, log: world.log, isQuiet: workspace => isQuiet(world, workspace, QUIET) });
