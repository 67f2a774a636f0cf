/** The function `outbox`: what is done outside the deployment. */
import { outbox } from "../outbox.ts";
import { aws } from "../world/base.ts";
import { deliveries, outside } from "../world/outside.ts";

export const handler = outbox(outside, aws, deliveries);
