/** The world of the function that calls others: it reads what the workspace keeps for that, and can make no machine. */
import { forget } from "@muster/aws/secrets/forget.ts";
import { read } from "@muster/aws/secrets/read.ts";
import { Outbox } from "@muster/aws/settings.ts";
import type { Outside } from "@muster/core/ports/world.ts";
import { createOutbound } from "@muster/node/outbound.ts";
import { signer } from "@muster/node/signer.ts";
import { taskFiles } from "../task-files.ts";
import { parameters } from "./base.ts";
import { facing } from "./facing.ts";
import { link } from "./settings.ts";

const { allow, deliveries } = link("Outbox", Outbox);

export const outside: Outside = {
  ...facing(),
  secrets: { read: read(parameters), forget: forget(parameters) },
  outbound: createOutbound({ allow }),
  signer,
  taskFiles,
};
export { deliveries };
