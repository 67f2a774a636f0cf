/** Makes hosts' agents look at once, by a document that SSM runs on their machines. */
import type { Clock, Log } from "@muster/core/ports/ports.ts";
import type { Kicked } from "@muster/core/ports/provider.ts";
import type { Aws } from "../call/aws.ts";
import { json } from "../call/json.ts";
import { Fault } from "../fault.ts";

/** How long the caller waits, in ms: a kick that comes late is worth nothing. */
const PATIENCE = 3_000;

/** How long SSM may hold the command for a machine that it does not reach, in seconds; the least it takes. */
const DELIVER_WITHIN = 30;

/** The most machines that one command names (SendCommand's InstanceIds). */
const MOST = 50;

export interface Kicking {
  readonly aws: Aws;
  readonly clock: Clock;
  readonly log: Log;
  /** Name of the document. It takes no parameters. */
  readonly kickDocument: string;
  /** Of one call, in ms, when it is shorter than usual. */
  readonly timeout?: number;
}

/** Machines that are kicked one by one at the same time. */
const AT_ONCE = 5;

/** Hosts whose machines are not known are left out. */
export async function kick(world: Kicking, hosts: readonly Kicked[]): Promise<void> {
  const ids = hosts.flatMap(({ machineId }) => machineId ?? []);
  const batches = Array.from({ length: Math.ceil(ids.length / MOST) }, (_, n) => ids.slice(n * MOST, (n + 1) * MOST));
  const ends = await Promise.all(batches.map(async batch => ({ batch, end: await send(world, batch) })));
  await oneByOne(
    world,
    ends.flatMap(({ batch, end }) => (end === "unknown" && batch.length > 1 ? batch : [])),
  );
}

/** For as long as it is of use: until the caller's patience ends, or SSM refuses for another reason. */
async function oneByOne(world: Kicking, machines: readonly string[]): Promise<void> {
  const until = world.clock.now() + PATIENCE;
  const left = [...machines];
  const work = async (): Promise<void> => {
    for (let id = left.shift(); id !== undefined && world.clock.now() < until; id = left.shift())
      if ((await send(world, [id])) === "failed") left.length = 0;
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** @returns `unknown` when SSM refused the whole command for a machine that it does not know. */
async function send(world: Kicking, machines: readonly string[]): Promise<"sent" | "unknown" | "failed"> {
  const command = {
    DocumentName: world.kickDocument,
    InstanceIds: machines,
    TimeoutSeconds: DELIVER_WITHIN,
  };
  const timeout = Math.min(PATIENCE, world.timeout ?? PATIENCE);
  try {
    await json(world.aws, "ssm", "SendCommand", command, { attempts: 1, timeout });
    return "sent";
  } catch (error) {
    // Usual while machines boot: SSM refuses a command that names one which it does not know yet. The agents poll anyway.
    world.log.info("hosts could not be kicked", { machines, reason: String(error) });
    return error instanceof Fault && error.code === "InvalidInstanceId" ? "unknown" : "failed";
  }
}
