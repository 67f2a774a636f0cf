/** What is done for an attempt until its script is over: inputs, setup, run. Each step knows whether it was done before. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { basics } from "../host/surroundings.ts";
import { bringInputs, linkWorkdir, type Places } from "../inputs/inputs.ts";
import { InputError } from "../inputs/place.ts";
import { end } from "../script/end.ts";
import { type Ending, execute } from "../script/execute.ts";
import { MARKER } from "../script/processes.ts";
import type { ScriptPhase } from "../script/texts.ts";
import { keyOf } from "../setups.ts";
import type { Host } from "./host.ts";
import { nameOf, type Outcome, type Record, type Step } from "./record.ts";

export interface Work {
  readonly record: Record;
  readonly host: Host;
  readonly stop: AbortSignal;
  readonly halt: AbortSignal;
  /** Reports, without waiting for the answer. */
  tell(state: "preparing" | "running"): void;
  setupIsOver(): void;
}

/** Rejects when the attempt is halted. */
export async function work(task: Work): Promise<Outcome> {
  for (const step of [inputs, setup, run]) {
    task.halt.throwIfAborted();
    if (task.record.isHalted) return halted(task);
    const outcome = task.stop.aborted && !hasBegun(task) ? stopped(task) : await step(task);
    if (outcome !== undefined) return outcome;
  }
  return { cause: "exited", exitCode: 0 };
}

const HALTED: Outcome = { cause: "host_lost", message: "The machine was shut down while the job ran." };

/** Whether a script may be running that has to be ended first. */
const hasBegun = ({ record }: Work): boolean =>
  record.state.step !== "inputs" && record.has(`${record.state.step}.pid`);

/** The signal's reason is the outcome that was asked for. */
const stopped = ({ stop }: Work): Outcome => stop.reason as Outcome;

/** The agent or the power switch that wrote it down may not have come to the end of it. */
async function halted(task: Work): Promise<Outcome> {
  await end(task.record.folder, task.record.assignment.grace);
  return task.stop.aborted ? stopped(task) : HALTED;
}

async function inputs(task: Work): Promise<Outcome | undefined> {
  const { record, halt, stop } = task;
  if (record.state.step !== "inputs") return undefined;
  task.tell("preparing");
  // A former agent's tar may still be at it.
  if (record.adopted) await end(record.folder, 0);
  try {
    await bringInputs(record.assignment, placesOf(task), AbortSignal.any([halt, stop]));
  } catch (error) {
    halt.throwIfAborted();
    if (stop.aborted) return stopped(task);
    if (error instanceof InputError) return { cause: "inputs_failed", message: error.message };
    throw error;
  }
  return advance(task, record.assignment.setup === undefined ? "run" : "setup");
}

async function setup(task: Work): Promise<Outcome | undefined> {
  const { record, host, halt, stop } = task;
  const { onError, setup: text } = record.assignment;
  if (record.state.step !== "setup" || text === undefined) return undefined;
  const key = keyOf(onError, text);
  const name = nameOf(record.assignment);
  try {
    await host.setups.claim(key, name, AbortSignal.any([halt, stop]));
    const outcome = host.setups.isDone(key) ? undefined : await runSetup(task, text, key);
    return outcome ?? advance(task, "run");
  } catch (error) {
    halt.throwIfAborted();
    if (stop.aborted) return stopped(task);
    throw error;
  } finally {
    host.setups.release(key, name);
  }
}

async function runSetup(task: Work, text: string, key: string): Promise<Outcome | undefined> {
  const ending = await script(task, "setup", text);
  if (ending.kind !== "exited") return badEnding(task, ending);
  if (ending.code !== 0)
    return { cause: "setup_failed", exitCode: ending.code, message: `The setup exited with ${ending.code}.` };
  task.host.setups.finish(key);
  return undefined;
}

async function run(task: Work): Promise<Outcome | undefined> {
  task.setupIsOver();
  const text = task.record.assignment.run;
  if (text === undefined) return undefined;
  task.tell("running");
  const ending = await script(task, "run", text);
  return ending.kind === "exited" ? { cause: "exited", exitCode: ending.code } : badEnding(task, ending);
}

async function script(task: Work, phase: ScriptPhase, text: string): Promise<Ending> {
  const { record, host } = task;
  const { onError, grace } = record.assignment;
  const places = placesOf(task);
  if (existsSync(places.workdir)) linkWorkdir(places);
  const { bash, account: owner } = host.machine;
  const { folder } = record;
  const given = { folder, phase, onError, text, bash, owner, cwd: places.workdir, env: places.env, grace };
  return execute(given, task.stop, task.halt);
}

function badEnding(task: Work, ending: Exclude<Ending, { kind: "exited" }>): Outcome {
  if (ending.kind === "stopped") return { ...stopped(task), exitCode: ending.code };
  if (ending.kind === "unstarted") return { cause: "start_failed", message: ending.message };
  return task.record.isHalted ? HALTED : { cause: "host_lost", message: "The machine restarted while the job ran." };
}

function advance({ record }: Work, step: Step): undefined {
  record.update({ step });
}

function placesOf({ record, host }: Work): Places {
  const { assignment, folder } = record;
  const env = {
    ...basics(host.machine, host.home.jobs),
    ...assignment.env,
    MUSTER_ATTEMPT: nameOf(assignment),
    [MARKER]: folder,
  };
  const workdir = join(host.home.jobs, "muster", assignment.jobId);
  return { folder, home: host.home.jobs, workdir, env, owner: host.machine.account };
}
