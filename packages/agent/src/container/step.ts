/** An attempt's container among its steps: made after its inputs are there, left when its scripts are over. */
import { rmSync } from "node:fs";
import type { Host } from "../attempt/host.ts";
import { nameOf, type Outcome, type Record } from "../attempt/record.ts";
import type { Places } from "../inputs/inputs.ts";
import { InputError } from "../inputs/place.ts";
import { type Ending, execute, type Script } from "../script/execute.ts";
import { beginning, failureOf, registryOf } from "./begin.ts";
import { ContainerError } from "./engine.ts";
import { codeOf, judged, sent } from "./inside.ts";
import { START } from "./texts.ts";

const KILLED = 137;

export interface InContainer {
  readonly record: Record;
  readonly host: Host;
  readonly stop: AbortSignal;
  readonly halt: AbortSignal;
}

/** Makes the container, or goes on where a former agent was at it. Rejects when the attempt is halted. */
export async function container(task: InContainer, places: Places): Promise<Outcome | "stopped" | undefined> {
  const { record, halt, stop } = task;
  try {
    const script = record.has("container.pid") ? following(task) : await made(task, places);
    const ending = await execute(script, stop, halt);
    return outcomeOf(record, ending);
  } catch (error) {
    halt.throwIfAborted();
    if (stop.aborted) return "stopped";
    if (error instanceof ContainerError || error instanceof InputError)
      return { cause: "container_failed", message: error.message };
    throw error;
  } finally {
    // What opens a registry is for this alone.
    if (!halt.aborted) rmSync(registryOf(record.folder), { recursive: true, force: true });
  }
}

function made({ record, host, halt, stop }: InContainer, places: Places): Promise<Script> {
  const { machine, containers } = host;
  return beginning({ assignment: record.assignment, places, machine, containers }, AbortSignal.any([halt, stop]));
}

/** It has begun, with whatever it was told then. */
function following({ record, host }: InContainer): Script {
  const { folder, assignment } = record;
  const { bash } = host.machine;
  return {
    folder,
    phase: "container",
    text: START,
    bash,
    owner: undefined,
    cwd: folder,
    env: {},
    grace: assignment.grace,
  };
}

function outcomeOf(record: Record, ending: Ending): Outcome | "stopped" | undefined {
  if (ending.kind === "stopped") return "stopped";
  if (ending.kind === "vanished")
    return { cause: "host_lost", message: "The machine restarted while the container was made." };
  if (ending.kind === "unstarted") return { cause: "container_failed", message: ending.message };
  if (ending.code === 0) return undefined;
  return { cause: "container_failed", message: failureOf(record.read("container.sh.failed")) };
}

/** Runs the script in the attempt's container, if it has one. */
export async function intoContainer(
  { record, host, stop }: InContainer,
  script: Script,
  run: (script: Script) => Promise<Ending>,
): Promise<Ending> {
  const { assignment } = record;
  if (assignment.container === undefined) return run(script);
  const found = host.containers.get(nameOf(assignment));
  if (found === undefined) return leftEnding(record, script, stop);
  return judged(await run(sent(script, assignment, found, host.containers)), script, found);
}

/** The same script as it runs in the attempt's container, if it has one; undefined when that is gone. */
export function inContainer(
  { record, host }: Pick<InContainer, "record" | "host">,
  script: Script,
): Script | undefined {
  const { assignment } = record;
  if (assignment.container === undefined) return script;
  const found = host.containers.get(nameOf(assignment));
  return found && sent(script, assignment, found, host.containers);
}

/** A former agent had left the container, and had not come to writing down what for. */
function leftEnding({ folder }: Record, { phase }: Script, stop: AbortSignal): Ending {
  const code = codeOf(folder, phase);
  if (stop.aborted) return { kind: "stopped", code: code ?? KILLED };
  if (code !== undefined) return { kind: "exited", code };
  return { kind: "unstarted", cause: "container_failed", message: "The container is gone from the host." };
}

/** Before what the job leaves behind is looked at: that is its user's from here on. */
export async function leaveContainer({ record, host }: InContainer): Promise<void> {
  if (record.assignment.container !== undefined) await host.containers.release(nameOf(record.assignment));
}
