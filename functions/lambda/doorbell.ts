/** The function `doorbell`: what changed in the table is acted on. */
import { Doorbell } from "@muster/aws/settings.ts";
import { createWorkflow } from "@muster/aws/workflow.ts";
import { doorbell } from "../doorbell.ts";
import { aws, world } from "../world/fleet.ts";
import { link } from "../world/settings.ts";

const { rings, ...machines } = link("Doorbell", Doorbell);

export const handler = doorbell({ ...world, workflow: createWorkflow(aws, machines, world.log) }, aws, rings);
