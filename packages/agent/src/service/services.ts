/**
 * Servers beside an attempt's run. They are started before it and end with it, like whatever else it leaves behind; that one
 * of them ends is nobody's concern but its own log's.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import type { Host } from "../attempt/host.ts";
import { nameOf, type Record } from "../attempt/record.ts";
import type { Script } from "../script/execute.ts";
import { serviceOf, toolOf } from "../script/texts.ts";
import type { Assignment, Endpoint } from "../types.ts";
import { KEEP_UP } from "./texts.ts";

export interface Beside {
  readonly record: Record;
  readonly host: Pick<Host, "ports">;
  /** Starts a script, unless it was started before, and waits for nothing. */
  start(part: Pick<Script, "phase" | "text" | "args" | "env">): Promise<void>;
}

/** Starts those that do not run yet. @returns where they listen */
export async function startServices(task: Beside, env: Script["env"]): Promise<readonly Endpoint[]> {
  const { services = [], env: given } = task.record.assignment;
  const ports = await portsOf(task);
  const address = given.MASTER_ADDR || "127.0.0.1";
  for (const { name, run } of services) {
    const PORT = String(ports[name]);
    await task.start({
      phase: serviceOf(name),
      text: KEEP_UP,
      args: [name, toolOf(run)],
      env: { ...env, PORT },
    });
  }
  const endpoints = services.map(({ name }) => ({ name, url: `http://${address}:${ports[name]}` }));
  if (!task.record.has("run.pid")) tell(task.record, endpoints);
  return endpoints;
}

/** On record before any of them is used. */
async function portsOf({ record, host }: Beside): Promise<{ readonly [name: string]: number }> {
  const attempt = nameOf(record.assignment);
  const known = record.state.ports;
  if (known !== undefined) {
    for (const port of Object.values(known)) host.ports.keep(port, attempt);
    return known;
  }
  const ports: { [name: string]: number } = {};
  for (const { name, port } of record.assignment.services ?? []) ports[name] = await host.ports.take(port, attempt);
  if (Object.keys(ports).length > 0) record.update({ ports });
  return ports;
}

/** The first lines of what run prints: whoever looks on sees where to look as well. */
function tell({ folder, assignment }: Pick<Record, "folder" | "assignment">, endpoints: readonly Endpoint[]): void {
  const moved = (name: string, url: string): string => {
    const wished = assignment.services?.find(service => service.name === name)?.port;
    return url.endsWith(`:${wished}`) ? "" : ` (port ${wished} is taken)`;
  };
  for (const { name, url } of endpoints)
    appendFileSync(join(folder, "out", "run.log"), `${name}: ${url}${moved(name, url)}\n`, { mode: 0o600 });
}

/** The parts of the log that an attempt's services write. */
export const servicePhases = ({ services = [] }: Pick<Assignment, "services">) =>
  services.map(({ name }) => serviceOf(name));
