/** The end of machines. It is asked for here, and confirmed by whoever observes. */
import { TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { MusterError } from "@muster/core/error.ts";
import type { Log } from "@muster/core/ports/ports.ts";
import { answerOf, type Ec2 } from "./client.ts";
import { sparing } from "./sparing.ts";

const UNKNOWN = new Set(["InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"]);
/** The machine is protected from termination. */
const PROTECTED = "OperationNotPermitted";
const ABOUT_ONE = new Set([...UNKNOWN, PROTECTED]);

/**
 * Machines that EC2 does not know are success here, though that proves nothing: a machine that was just made may not be
 * known yet.
 * @returns those that EC2 does not know.
 * @throws Fault, or MusterError `unavailable` when machines are protected; all others are told to end even so.
 */
export async function terminate(
  { ec2, log }: { readonly ec2: Ec2; readonly log: Log },
  machineIds: readonly string[],
): Promise<readonly string[]> {
  const spared = await sparing(machineIds, ABOUT_ONE, InstanceIds =>
    answerOf("TerminateInstances", ec2.writes.send(new TerminateInstancesCommand({ InstanceIds }))),
  );
  const unknown = [...spared].filter(([, fault]) => UNKNOWN.has(fault.code)).map(([id]) => id);
  if (unknown.length > 0) log.info("machines to be terminated are not known", { machines: unknown });
  const kept = [...spared].filter(([, fault]) => fault.code === PROTECTED).map(([id]) => id);
  if (kept.length === 0) return unknown;
  throw new MusterError("unavailable", `machines are protected from termination: ${kept.join(", ")}`, {
    hint: `they cost money until somebody ends the protection: aws ec2 modify-instance-attribute --no-disable-api-termination --instance-id ${kept[0]}`,
    machines: kept,
  });
}
