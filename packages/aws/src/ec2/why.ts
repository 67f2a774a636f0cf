/** Why machines are not what they should be, in EC2's words and in those of their own boot. */
import { GetConsoleOutputCommand, type Instance } from "@aws-sdk/client-ec2";
import type { ClusterRef } from "@muster/core/ports/provider.ts";
import { Fault } from "../fault.ts";
import { answerOf, type Ec2 } from "./client.ts";
import { observeAll, type Seeing } from "./observe.ts";

/** What Muster's part of the boot says begins with this. */
const OURS = "[muster]";

/** Lines that are worth showing, and characters of each. */
const MOST_LINES = 20;
const LONGEST = 300;

/** Machines that are looked at: they mostly fail for the same reason. */
const MOST_MACHINES = 3;

/**
 * What the machine said of its boot, latest last. The console lags by a minute or so on older machine types.
 * @throws Fault
 */
export async function consoleOf({ ec2 }: { readonly ec2: Ec2 }, machineId: string): Promise<readonly string[]> {
  const output = await ask(ec2, machineId, true).catch((error: unknown) => {
    // Only newer machine types can show what they say now.
    if (error instanceof Fault && error.kind === "refused") return ask(ec2, machineId, false);
    throw error;
  });
  const lines = Buffer.from(output, "base64").toString().split(/\r?\n/);
  const ours = lines.flatMap(line => (line.includes(OURS) ? [line.slice(line.indexOf(OURS) + OURS.length)] : []));
  return ours.slice(-MOST_LINES).map(line => plain(line).slice(0, LONGEST));
}

async function ask({ reads }: Ec2, InstanceId: string, Latest: boolean): Promise<string> {
  const command = new GetConsoleOutputCommand({ InstanceId, ...(Latest && { Latest }) });
  return (await answerOf("GetConsoleOutput", reads.send(command))).Output ?? "";
}

/** Without the signs that colour a terminal or move its cursor. */
const plain = (line: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about
  line.replace(/\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u001f\u007f]/g, "").trim();

/** Why the cluster's machines ended, or how far their boot came: sentences for people. @throws Fault */
export async function why(world: Seeing, ref: ClusterRef): Promise<readonly string[]> {
  const seen = await observeAll(world, ref);
  const ended = new Set(seen.flatMap(({ instance }) => reasonOf(instance)));
  if (ended.size > 0) return [...ended].slice(0, MOST_LINES);
  const lines: string[] = [];
  for (const { machine } of seen.slice(0, MOST_MACHINES))
    for (const line of (await consoleOf(world, machine.machineId)).slice(-3))
      lines.push(`${machine.machineId}: ${line}`);
  return lines;
}

function reasonOf({ InstanceId: id, State: state, StateReason: reason }: Instance): string[] {
  const isOver = state?.Name === "terminated" || state?.Name === "shutting-down";
  return isOver && reason?.Message ? [`${id}: ${reason.Message}`] : [];
}
