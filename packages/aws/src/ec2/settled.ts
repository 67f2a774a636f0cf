/** Whether the machines that a launch made are what was asked for. */
import type { Instance } from "@aws-sdk/client-ec2";
import { type ErrorCode, MusterError } from "@muster/core/error.ts";
import type { Intent, Machine } from "@muster/core/ports/provider.ts";
import type { Fault } from "../fault.ts";
import type { Seeing } from "./observe.ts";
import { terminate } from "./terminate.ts";

interface Made {
  readonly instance: Instance;
  readonly machine: Machine | undefined;
}

/** Ends that another offer, or no other, will not meet. Everything else is taken for missing capacity. */
const ENDS: readonly (readonly [reason: RegExp, code: ErrorCode])[] = [
  [/^Client\.VolumeLimitExceeded/, "quota_exceeded"],
  // Such as a key for its disk that it may not use; or somebody ended it.
  [/^Client\./, "launch_failed"],
];

/**
 * The machines, when all are there and none has ended.
 *
 * A call that is repeated after a while may be answered with machines that ended meanwhile: EC2 took spot capacity back, or
 * could not make their disks. Such a gang is of no use. What is left of it is ended here, so that what the error says holds.
 * @throws MusterError `unavailable` when not all can be seen, which may pass; else by the reason of the end.
 */
export async function settled(world: Seeing, intent: Intent, made: readonly Made[]): Promise<readonly Machine[]> {
  const machines = made.flatMap(({ machine }) => (machine === undefined ? [] : [machine]));
  const ended = made.filter(({ machine }) => machine?.state === "terminating" || machine?.state === "terminated");
  const [first] = ended;
  if (first === undefined) {
    if (machines.length !== intent.hosts.length) throw lost(intent);
    return machines;
  }
  const left = machines.filter(({ state }) => state !== "terminating" && state !== "terminated");
  if (left.length > 0)
    await terminate(
      world,
      left.map(machine => machine.machineId),
    );
  throw over(first.instance);
}

/** Why a machine that has ended is of no use. */
export function over({ InstanceId: id, StateReason: reason, InstanceType: type }: Instance): MusterError {
  const code = ENDS.find(([pattern]) => pattern.test(reason?.Code ?? ""))?.[1] ?? "no_capacity";
  const said = reason?.Message ?? "EC2 does not say why";
  return new MusterError(code, `a machine (${type} ${id}) ended before its cluster was ready: ${said}`);
}

/** Something was made, and not all of it can be seen. */
export const lost = (intent: Intent, cause?: Fault): MusterError =>
  new MusterError(
    "unavailable",
    `EC2 has made machines for try ${intent.try} of this cluster, and not all of them can be seen yet`,
    {},
    cause,
  );
