/** Handlers of the function `agent`: for hosts. */
import type { Runs } from "@muster/api/serve.ts";
import type { HostEdge } from "@muster/core/ports/world.ts";
import { checkpoint } from "../agent/checkpoint.ts";
import { enroll } from "../agent/enroll.ts";
import { file } from "../agent/file.ts";
import { poll } from "../agent/poll.ts";
import { register } from "../agent/register.ts";
import { report } from "../agent/report.ts";

export const agent = (world: HostEdge) =>
  ({
    ...checkpoint(world),
    ...enroll(world),
    ...file(world),
    ...poll(world),
    ...register(world),
    ...report(world),
  }) satisfies Runs;
