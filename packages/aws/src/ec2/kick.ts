/** Makes hosts' agents look at once, by a document that SSM runs on their machines. */
import type { Log } from "@muster/core/ports/ports.ts";
import type { Kicked } from "@muster/core/ports/provider.ts";
import type { Aws } from "../call/aws.ts";
import { json } from "../call/json.ts";

/** How long the caller waits, in ms: a kick that comes late is worth nothing. */
const PATIENCE = 3_000;

/** How long SSM may hold the command for a machine that it does not reach, in seconds; the least it takes. */
const DELIVER_WITHIN = 30;

/** The most machines that one command names (SendCommand's InstanceIds). */
const MOST = 50;

export interface Kicking {
  readonly aws: Aws;
  readonly log: Log;
  /** Name of the document. It takes no parameters. */
  readonly kickDocument: string;
}

/** Hosts whose machines are not known are left out. */
export async function kick(world: Kicking, hosts: readonly Kicked[]): Promise<void> {
  const ids = hosts.flatMap(({ machineId }) => machineId ?? []);
  const batches = Array.from({ length: Math.ceil(ids.length / MOST) }, (_, n) => ids.slice(n * MOST, (n + 1) * MOST));
  await Promise.all(batches.map(batch => send(world, batch)));
}

async function send(world: Kicking, machines: readonly string[]): Promise<void> {
  const command = {
    DocumentName: world.kickDocument,
    InstanceIds: machines,
    TimeoutSeconds: DELIVER_WITHIN,
  };
  try {
    await json(world.aws, "ssm", "SendCommand", command, { attempts: 1, timeout: PATIENCE });
  } catch (error) {
    // Usual while machines boot: SSM refuses a command that names one which it does not know yet. The agents poll anyway.
    world.log.info("hosts could not be kicked", { machines, reason: String(error) });
  }
}
