/** A file of several tasks, made ready to be sent: what they want, and what they bring along. */
import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Result } from "@muster/task/read.ts";
import type { Cli } from "../cli.ts";
import * as Inputs from "../inputs.ts";
import type { Interrupt } from "../interrupt.ts";
import { acceptAll } from "../task-file.ts";
import * as Options from "../task-options.ts";
import * as Secrets from "../task-secrets.ts";
import { type Step, stepsOf } from "./order.ts";
import type { Ready } from "./send.ts";

export type PipelineOptions = Options.TaskOptions & Options.JobOptions & Options.FlowOptions;

/** A step with what it brings from this machine. */
export interface Found extends Step {
  readonly inputs: Inputs.Inputs;
}

export const isPipeline = (result: Result): boolean => result.tasks.length > 1;

/** The tasks in the order in which they are sent, with all that they need; nothing is sent yet. */
export async function find(
  cli: Cli,
  file: string | undefined,
  result: Result,
  options: PipelineOptions,
): Promise<Found[]> {
  acceptAll(cli.out, file, result);
  if (options.name !== undefined)
    throw new MusterError("invalid_request", "--name is for one task, and this file has several", {
      hint: "give each of them its name in the file",
    });
  const found: Found[] = [];
  for (const step of stepsOf(result)) {
    const draft = await Secrets.complete(cli, step.draft, options, file);
    Secrets.warnOfShort(cli.out, draft);
    found.push({ ...step, draft, inputs: Inputs.find(cli.cwd, draft, file) });
  }
  return found;
}

/** Sends what the tasks bring along. */
export async function ready(
  { out }: Cli,
  client: Client,
  { signal }: Interrupt,
  steps: readonly Found[],
  options: PipelineOptions,
): Promise<Ready[]> {
  const ask = { yes: options.yes ?? false, interactive: out.interactive, signal };
  const made: Ready[] = [];
  for (const step of steps) {
    const sent = await Inputs.send({ out, client, ask, signal }, step.inputs);
    const task = { ...Options.taskOf(step.draft.task, options), ...sent };
    made.push({ ...step, task, queueing: Options.queueing(options, step.draft) });
  }
  signal.throwIfAborted();
  return made;
}

/** What runs after what, a line for each. */
export function show({ out }: Cli, steps: readonly Step[]): void {
  for (const [index, { draft, title, waits }] of steps.entries()) {
    const others = waits.map(({ task, on }) => `${task + 1}${on === "end" ? " has ended" : ""}`).join(" and ");
    const when = others === "" ? "" : `, after ${others}`;
    out.note(`  ${out.style("dim", `step ${index + 1}`.padEnd(8))} ${draft.task.name ?? title}${when}`);
  }
}
