/** The function `cron`: duties, each at its own interval. The first run after a deployment makes the catalog. */
import { ec2Of } from "@muster/aws/ec2/client.ts";
import { catalog } from "../cron/catalog.ts";
import { due } from "../cron/due.ts";
import { duties } from "../cron/duties.ts";
import { orphans } from "../cron/orphans.ts";
import { secrets } from "../cron/secrets.ts";
import { unused } from "../cron/unused.ts";
import { aws, fleet, muster, world } from "../world/fleet.ts";

const ec2 = ec2Of(aws);

export const handler = duties(world, {
  due: due(world),
  orphans: orphans(world),
  secrets: secrets(world),
  catalog: catalog(world, { aws, ec2, deployment: muster.deployment }, fleet),
  unused: unused(world, { ec2, deployment: muster.deployment }),
});
