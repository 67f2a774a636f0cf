/** Makes a host's agent look at once, by a document that SSM runs on its machine. */
import type { Log } from "@muster/core/ports/ports.ts";
import type { MachineProvider } from "@muster/core/ports/provider.ts";
import type { Aws } from "../call/aws.ts";
import { json } from "../call/json.ts";

/** How long the caller waits, in ms: a kick that comes late is worth nothing. */
const PATIENCE = 3_000;

/** How long SSM may hold the command for a machine that it does not reach, in seconds; the least it takes. */
const DELIVER_WITHIN = 30;

export interface Kicking {
  readonly aws: Aws;
  readonly log: Log;
  /** Name of the document. It takes no parameters. */
  readonly kickDocument: string;
}

export async function kick(world: Kicking, host: Parameters<MachineProvider["kick"]>[0]): Promise<void> {
  if (host.machineId === undefined) return;
  const command = {
    DocumentName: world.kickDocument,
    InstanceIds: [host.machineId],
    TimeoutSeconds: DELIVER_WITHIN,
  };
  try {
    await json(world.aws, "ssm", "SendCommand", command, { attempts: 1, timeout: PATIENCE });
  } catch (error) {
    // Usual while a machine boots, when SSM does not know it yet. The agent polls anyway.
    world.log.info("a host could not be kicked", { host: host.hostId, reason: String(error) });
  }
}
