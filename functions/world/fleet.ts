/** The whole world, for functions that make, move and end machines. */
import { ec2Provider } from "@muster/aws/ec2/provider.ts";
import { userData } from "@muster/aws/ec2/user-data/user-data.ts";
import { forget } from "@muster/aws/secrets/forget.ts";
import { list } from "@muster/aws/secrets/list.ts";
import { Fleet } from "@muster/aws/settings.ts";
import { noWorkflow } from "@muster/aws/workflow.ts";
import type { World } from "@muster/core/ports/world.ts";
import { aws, base, catalog, muster, parameters } from "./base.ts";
import { link } from "./settings.ts";

/** How long a machine may live before its agent was heard, in seconds. */
const BOOT_GRACE = 1800;

const fleet = link("Fleet", Fleet);

const boot = {
  endpoint: fleet.endpoint,
  region: muster.region,
  agentSha256: fleet.runtime.agent,
  nodeSha256: { x64: fleet.runtime.nodeX64, arm64: fleet.runtime.nodeArm64 },
  bootGraceSeconds: BOOT_GRACE,
};
const script = userData(boot);
const movedScript = userData({ ...boot, moved: true });

export const provider = ec2Provider({
  ...fleet,
  tags: muster.tags,
  kmsKey: muster.kmsKey,
  aws,
  deployment: muster.deployment,
  catalog,
  userData: ({ move }) => (move === undefined ? script : movedScript),
  clock: base.clock,
  log: base.log,
});

export const world: World = {
  ...base,
  providers: new Map([[provider.name, provider]]),
  secrets: { forget: forget(parameters), list: list(parameters) },
  workflow: noWorkflow,
};
export { aws, fleet, muster };
