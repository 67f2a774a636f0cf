/** What is done for an attempt until its script is over: inputs, packages, setup, run. Each step knows whether it was done before. */
import { existsSync } from "node:fs";
import { container, inContainer, intoContainer, leaveContainer } from "../container/step.ts";
import { portable } from "../container/texts.ts";
import { masterPort } from "../gang/master-port.ts";
import { reach } from "../gang/reach.ts";
import { missing } from "../host/gpus-missing.ts";
import { bringInputs, linkWorkdir } from "../inputs/inputs.ts";
import { InputError } from "../inputs/place.ts";
import { onDisk } from "../logs/quota.ts";
import { type Cluster, clusterOf, gathered, nodeOutcome } from "../ray/ray.ts";
import { end } from "../script/end.ts";
import { type Ending, execute, launch, type Script, Unstarted } from "../script/execute.ts";
import { INSTALLER } from "../script/installer.ts";
import { scriptOf, toolOf } from "../script/texts.ts";
import { startServices } from "../service/services.ts";
import { INSTALLING, keyOf, LISTS } from "../setups.ts";
import type { Assignment, Endpoint } from "../types.ts";
import type { Host } from "./host.ts";
import type { Keeping } from "./keeping.ts";
import { failuresOf } from "./notes.ts";
import { argumentsOf, labelOf, listKey, withGit } from "./packages.ts";
import { placesOf, userEnv } from "./places.ts";
import { nameOf, type Outcome, type Record, type Step } from "./record.ts";

export interface Work {
  readonly record: Record;
  readonly host: Host;
  readonly keeping: Keeping;
  readonly stop: AbortSignal;
  readonly halt: AbortSignal;
  /** Reports, without waiting for the answer. */
  tell(state: "preparing" | "running", endpoints?: readonly Endpoint[]): void;
  /** Nothing more will be written to this part of the log. */
  isOver(phase: "packages" | "setup"): void;
}

/** Rejects when the attempt is halted. */
export async function work(task: Work): Promise<Outcome> {
  const outcome = await workThrough(task);
  await leaveContainer(task);
  // What runs along with run may have begun before it, and no step has waited for that.
  await end(task.record.folder, task.record.assignment.grace);
  return outcome;
}

async function workThrough(task: Work): Promise<Outcome> {
  for (const step of [gpus, masterPort, inputs, checkpoint, reach, makeContainer, packages, setup, run]) {
    task.halt.throwIfAborted();
    if (task.record.isHalted) return halted(task);
    const outcome = task.stop.aborted && !hasBegun(task) ? stopped(task) : await step(task);
    if (outcome !== undefined) return outcome;
  }
  return { cause: "exited", exitCode: 0 };
}

/** What comes after a step; nobody waits for one that has nothing to do. */
function nextOf(assignment: Assignment, step: "inputs" | "container" | "packages"): Step {
  const { packages: list, setup: text, container: wanted } = assignment;
  if (step === "inputs" && wanted !== undefined) return "container";
  if (step !== "packages" && list.length > 0) return "packages";
  return text === undefined ? "run" : "setup";
}

const HALTED: Outcome = { cause: "host_lost", message: "The machine was shut down while the job ran." };

/** Whether a script may be running that has to be ended first. */
const hasBegun = ({ record }: Work): boolean =>
  record.state.step !== "inputs" && record.has(`${record.state.step}.pid`);

/** The signal's reason is the outcome that was asked for. */
const stopped = ({ stop }: Work): Outcome => stop.reason as Outcome;

/** The agent or the power switch that wrote it down may not have come to the end of it. */
async function halted(task: Work): Promise<Outcome> {
  await task.host.containers.end(nameOf(task.record.assignment), task.record.assignment.grace);
  await end(task.record.folder, task.record.assignment.grace);
  return task.stop.aborted ? stopped(task) : HALTED;
}

/** Before anything is brought: on a host without them, all that would be for nothing. */
async function gpus({ record, host, halt, stop }: Work): Promise<Outcome | undefined> {
  if (record.state.step !== "inputs") return undefined;
  const message = await missing(record.assignment, host.machine.smi, AbortSignal.any([halt, stop]));
  return message === undefined || stop.aborted ? undefined : { cause: "gpus_missing", message };
}

async function inputs(task: Work): Promise<Outcome | undefined> {
  const { record, halt, stop } = task;
  if (record.state.step !== "inputs") return undefined;
  task.tell("preparing");
  // A former agent's tar may still be at it.
  if (record.adopted) await end(record.folder, 0);
  try {
    const brought = await bringInputs(record.assignment, placesOf(task), AbortSignal.any([halt, stop]));
    return advance(task, nextOf(record.assignment, "inputs"), brought);
  } catch (error) {
    halt.throwIfAborted();
    // Nobody else looks for what such a job has left behind.
    await end(record.folder, 0);
    if (stop.aborted) return stopped(task);
    if (error instanceof InputError) return { cause: "inputs_failed", message: error.message };
    throw error;
  }
}

/** As the try before has left it; also where a script runs already, it is watched from here. */
async function checkpoint(task: Work): Promise<Outcome | undefined> {
  const { halt, stop } = task;
  try {
    await task.keeping.bring(placesOf(task).workdir, AbortSignal.any([halt, stop]));
    return undefined;
  } catch (error) {
    halt.throwIfAborted();
    if (stop.aborted) return stopped(task);
    if (error instanceof InputError) return { cause: "inputs_failed", message: error.message };
    throw error;
  }
}

/** Before all that runs in it. */
async function makeContainer(task: Work): Promise<Outcome | undefined> {
  if (task.record.state.step !== "container") return undefined;
  const outcome = await container(task, placesOf(task));
  if (outcome === "stopped") return stopped(task);
  return outcome ?? advance(task, nextOf(task.record.assignment, "container"));
}

/** Before setup, which may use them. */
async function packages(task: Work): Promise<Outcome | undefined> {
  const { record } = task;
  if (record.state.step !== "packages") return undefined;
  const places = placesOf(task);
  try {
    const args = argumentsOf(record.assignment.packages, places);
    const key = listKey(record.assignment, places, record.state.commit);
    const install = async (): Promise<Outcome | undefined> =>
      isDone(task, key) ? undefined : runInstaller(task, args, key);
    const outcome = await claimed(task, INSTALLING, install);
    return outcome ?? advance(task, nextOf(record.assignment, "packages"));
  } catch (error) {
    if (error instanceof InputError) return { cause: "setup_failed", message: error.message };
    throw error;
  }
}

async function runInstaller(task: Work, args: readonly string[], key: string): Promise<Outcome | undefined> {
  const places = placesOf(task);
  const env = withGit(task.record.assignment, places, places.env);
  task.host.setups.forget(LISTS);
  const ending = await script(task, { phase: "packages", text: toolOf(INSTALLER), args, env });
  if (ending.kind !== "exited") return badEnding(task, ending);
  if (ending.code !== 0) return failedPackage(task, ending.code);
  finish(task, key);
  return undefined;
}

/** What is done in a container is gone with it. */
const isDone = ({ record, host }: Work, key: string): boolean =>
  record.assignment.container === undefined && host.setups.isDone(key);

function finish({ record, host }: Work, key: string): void {
  if (record.assignment.container === undefined) host.setups.finish(key);
}

/** The installer leaves the package's number behind. */
function failedPackage({ record }: Work, exitCode: number): Outcome {
  const number = /^\d+/.exec(record.read(failuresOf(record.assignment, "packages")))?.[0];
  const failed = number === undefined ? undefined : record.assignment.packages[Number(number)];
  const what = failed === undefined ? "The packages" : `The package ${labelOf(failed)}`;
  const message = `${what} could not be installed: the installer exited with ${exitCode}; the log says why.`;
  return { cause: "setup_failed", exitCode, message };
}

async function setup(task: Work): Promise<Outcome | undefined> {
  const { record } = task;
  const { onError, setup: text, beside } = record.assignment;
  task.isOver("packages");
  if (record.state.step !== "setup" || text === undefined) return undefined;
  const key = keyOf(onError, text);
  const runIt = async (): Promise<Outcome | undefined> =>
    !beside?.again && isDone(task, key) ? undefined : runSetup(task, text, key);
  return (await claimed(task, key, runIt)) ?? advance(task, "run");
}

/** Does this when nobody else on the host does the same. */
async function claimed(
  task: Work,
  key: string,
  work: () => Promise<Outcome | undefined>,
): Promise<Outcome | undefined> {
  const { record, host, halt, stop } = task;
  const name = nameOf(record.assignment);
  try {
    await host.setups.claim(key, name, AbortSignal.any([halt, stop]));
    return await work();
  } catch (error) {
    halt.throwIfAborted();
    if (stop.aborted) return stopped(task);
    throw error;
  } finally {
    // What is halted may still be running: others wait until all of it has ended.
    if (!halt.aborted) host.setups.release(key, name);
  }
}

async function runSetup(task: Work, text: string, key: string): Promise<Outcome | undefined> {
  const ending = await userScript(task, "setup", text);
  if (ending.kind !== "exited") return badEnding(task, ending);
  if (ending.code !== 0)
    return { cause: "setup_failed", exitCode: ending.code, message: `The setup exited with ${ending.code}.` };
  finish(task, key);
  return undefined;
}

async function run(task: Work): Promise<Outcome | undefined> {
  task.isOver("setup");
  const text = task.record.assignment.run;
  if (text === undefined) return undefined;
  try {
    return await runAll(task, text);
  } catch (error) {
    if (error instanceof Unstarted) return { cause: "start_failed", message: error.message };
    throw error;
  }
}

async function runAll(task: Work, text: string): Promise<Outcome> {
  const cluster = clusterOf(task.record.assignment);
  const env = { ...userEnv(task), ...cluster?.env };
  if (cluster?.isHead === false) return rayNode(task, { ...cluster.part, env });
  const failed = cluster && (await rayHead(task, cluster, { ...cluster.part, env }));
  if (failed !== undefined) return failed;
  task.tell("running", await startServices({ ...task, start: part => alongside(task, part) }, env));
  const ending = await userScript(task, "run", text, env);
  return ending.kind === "exited" ? { cause: "exited", exitCode: ending.code } : badEnding(task, ending);
}

/** The head runs along with run, which begins when all hosts have come. */
async function rayHead(task: Work, cluster: Cluster, part: Part): Promise<Outcome | undefined> {
  const { record, host, stop, halt } = task;
  if (record.has("run.pid")) return undefined;
  await alongside(task, part);
  const failed = await gathered(record, cluster, AbortSignal.any([stop, halt]));
  halt.throwIfAborted();
  if (failed === undefined && !stop.aborted) return undefined;
  await host.containers.end(nameOf(record.assignment), record.assignment.grace);
  return failed ?? stopped(task);
}

async function rayNode(task: Work, part: Part): Promise<Outcome> {
  task.tell("running");
  const ending = await script(task, part);
  return ending.kind === "exited" ? nodeOutcome(task.record, ending) : badEnding(task, ending);
}

function userScript(task: Work, phase: "setup" | "run", text: string, env = userEnv(task)): Promise<Ending> {
  const { assignment } = task.record;
  const whole = assignment.container === undefined ? scriptOf : portable;
  return script(task, { phase, text: whole(assignment.onError, text), env });
}

type Part = Pick<Script, "phase" | "text" | "args" | "env">;

const script = (task: Work, part: Part): Promise<Ending> =>
  intoContainer(task, wholeOf(task, part), one => execute(one, task.stop, task.halt));

/** Starts what runs along with run, and ends with it. */
async function alongside(task: Work, part: Part): Promise<void> {
  const one = inContainer(task, wholeOf(task, part));
  if (one !== undefined && !task.stop.aborted) await launch(one);
}

function wholeOf(task: Work, part: Part): Script {
  const { record, host } = task;
  const { grace, logQuota } = record.assignment;
  const places = placesOf(task);
  if (existsSync(places.workdir) && record.assignment.beside === undefined) linkWorkdir(places);
  const { bash, account: owner } = host.machine;
  return { ...part, folder: record.folder, bash, owner, cwd: places.workdir, grace, logLimit: onDisk(logQuota) };
}

function badEnding(task: Work, ending: Exclude<Ending, { kind: "exited" }>): Outcome {
  if (ending.kind === "stopped") return { ...stopped(task), exitCode: ending.code };
  if (ending.kind === "unstarted") return { cause: ending.cause ?? "start_failed", message: ending.message };
  return task.record.isHalted ? HALTED : { cause: "host_lost", message: "The machine restarted while the job ran." };
}

function advance({ record }: Work, step: Step, more: { readonly commit?: string } = {}): undefined {
  record.update({ step, ...more });
}
