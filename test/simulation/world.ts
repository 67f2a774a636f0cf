/** The ports of one process of the control plane. */
import { ulids } from "@muster/core/id.ts";
import type { Whole } from "@muster/core/ports/world.ts";
import { nobody } from "../support/nobody.ts";
import { nowhere } from "../support/nowhere.ts";
import { digest } from "./digest.ts";
import { blobsPort } from "./ports/blobs.ts";
import { providersOf } from "./ports/provider.ts";
import { secretsPort } from "./ports/secrets.ts";
import { tablePort } from "./ports/table.ts";
import { workflowPort } from "./ports/workflow.ts";
import { checkError, type Process } from "./process.ts";
import type { Sim } from "./sim.ts";

export function worldOf(sim: Sim, process: Process): Whole {
  const now = () => sim.now + process.skew;
  return {
    table: tablePort(sim, process),
    blobs: blobsPort(sim, process),
    workflow: workflowPort(sim, process),
    providers: providersOf(sim, process),
    secrets: secretsPort(sim, process),
    clock: { now },
    random: { ulid: ulids(now, () => sim.rng.next()), secret: () => sim.rng.hex(64) },
    digest,
    issuers: nobody,
    ...nowhere,
    log: {
      info: () => undefined,
      error: (message, fields) => {
        sim.kernel.note(`${message} ${JSON.stringify(fields)}`);
        checkLogged(sim, process, String(fields?.reason ?? ""));
      },
    },
  };
}

/** What core caught and logged must be as understandable as what it throws. */
function checkLogged(sim: Sim, process: Process, reason: string): void {
  if (/^(internal|[A-Za-z]*Error)\b/.test(reason)) checkError(sim, process.name, reason);
}
