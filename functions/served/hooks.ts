/** Handlers of the function `hooks`: for whoever sends events. */
import type { Runs } from "@muster/api/serve.ts";
import { receive } from "@muster/core/hook/receive.ts";
import type { Facing } from "@muster/core/ports/world.ts";

export const hooks = (world: Facing) =>
  ({ "hooks.receive": ({ params, raw }) => receive(world, params.hook, raw) }) satisfies Runs;
