/** The power of a cluster's machines, with their disks kept. */
import {
  type Instance,
  ModifyInstanceAttributeCommand,
  StartInstancesCommand,
  StopInstancesCommand,
} from "@aws-sdk/client-ec2";
import { type ErrorCode, MusterError } from "@muster/core/error.ts";
import type { ClusterRef, Machine, MachineState } from "@muster/core/ports/provider.ts";
import { toMusterError } from "../fault/ec2.ts";
import { Fault } from "../fault.ts";
import { answerOf } from "./client.ts";
import { observe, type Seeing, type Seen } from "./observe.ts";
import { sparing } from "./sparing.ts";

/** Somebody else changed the machine's power meanwhile, or it ended. */
const ABOUT_ONE = new Set(["IncorrectInstanceState", "IncorrectState", "InvalidInstanceID.NotFound"]);

/** What may come when some of the machines have been started already. */
const PARTIAL: ReadonlySet<ErrorCode> = new Set(["no_capacity", "quota_exceeded"]);

/** Attributes are changed one machine at a time; so many at once stay below EC2's rate. */
const AT_ONCE = 5;

/**
 * Starts all of the cluster's machines or none. Those that run already are left as they are.
 * @throws Fault, such as of missing capacity; MusterError `busy` while machines are still on their way down.
 */
export async function start(world: Seeing, ref: ClusterRef): Promise<void> {
  const seen = await observe(world, ref);
  if (seen.length === 0) throw new MusterError("unavailable", "the cluster's machines cannot be seen");
  if (seen.some(({ machine }) => machine.state === "stopping"))
    throw new MusterError("busy", "the cluster's machines are still stopping");
  const ids = idsIn(seen, "stopped");
  if (ids.length === 0) return;
  try {
    await answerOf("StartInstances", world.ec2.writes.send(new StartInstancesCommand({ InstanceIds: ids })));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (ABOUT_ONE.has(error.code)) throw new MusterError("busy", "the cluster's machines change just now", {}, error);
    if (PARTIAL.has(toMusterError(error).code)) await stopAgain(world, ids);
    throw error;
  }
}

/** Best effort: what runs of a stopped cluster is stopped by the sweep, too. */
async function stopAgain(world: Seeing, ids: readonly string[]): Promise<void> {
  try {
    await stopMachines(world, ids);
  } catch (error) {
    world.log.error("machines that were started in part could not be stopped", { reason: String(error) });
  }
}

/**
 * Stops the cluster's machines that run; those that only begin to are stopped when this is asked again.
 * @throws Fault, or MusterError `unsupported` for spot machines, which can only end.
 */
export async function stop(world: Seeing, ref: ClusterRef): Promise<void> {
  const seen = await observe(world, ref);
  const spot = seen.find(({ instance }) => isSpot(instance));
  if (spot !== undefined)
    throw new MusterError(
      "unsupported",
      `the machine ${spot.machine.machineId} is spot capacity and cannot be stopped`,
      {
        hint: "end it with: muster down",
      },
    );
  await stopMachines(world, idsIn(seen, "running"));
}

const stopMachines = (world: Seeing, ids: readonly string[]) =>
  sparing(ids, ABOUT_ONE, InstanceIds =>
    answerOf("StopInstances", world.ec2.writes.send(new StopInstancesCommand({ InstanceIds }))),
  );

const idsIn = (seen: readonly Seen[], state: MachineState): string[] =>
  seen
    .map(({ machine }) => machine)
    .filter(machine => machine.state === state)
    .map(idOf);

const idOf = (machine: Machine): string => machine.machineId;

const isSpot = (instance: Instance): boolean => instance.InstanceLifecycle === "spot";

/**
 * What becomes of the cluster's machines when they power themselves off. Spot machines always end.
 * @throws Fault
 */
export async function setPowerOff(world: Seeing, ref: ClusterRef, action: "stop" | "terminate"): Promise<void> {
  const seen = await observe(world, ref);
  const queue = seen.filter(({ instance, machine }) => !isSpot(instance) && machine.state !== "terminating").values();
  const change = async () => {
    for (const { machine } of queue) await setOne(world, machine.machineId, action);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, change));
}

async function setOne({ ec2 }: Seeing, InstanceId: string, Value: "stop" | "terminate"): Promise<void> {
  const command = new ModifyInstanceAttributeCommand({ InstanceId, InstanceInitiatedShutdownBehavior: { Value } });
  await answerOf("ModifyInstanceAttribute", ec2.writes.send(command));
}
