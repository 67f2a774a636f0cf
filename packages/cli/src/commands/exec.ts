import { randomUUID } from "node:crypto";
import type { Client } from "@muster/api/client.ts";
import * as Command from "@muster/core/job/command.ts";
import * as Job from "@muster/core/job/job.ts";
import { isSecretName } from "@muster/task/envs.ts";
import { type Command as Commander, InvalidArgumentError, Option } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { exitCodeOf, type Result, Results } from "../exec/results.ts";
import { commandsOf } from "../exec/words.ts";
import { interrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";
import { step } from "../progress.ts";
import { textSink } from "../sinks.ts";
import { stream } from "../stream.ts";
import { count, envOption } from "../task-command.ts";
import * as Options from "../task-options.ts";
import * as Watch from "../watch.ts";

interface ExecOptions {
  readonly group?: string;
  readonly node?: readonly number[];
  readonly python?: boolean;
  readonly each?: boolean;
  readonly failFast?: boolean;
  readonly once?: boolean;
  readonly force?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeout?: number;
}

export const exec = (): Commander =>
  define("exec", "Run a command on a cluster's hosts at once, beside its jobs", "muster exec demo -- nvidia-smi")
    .argument("<cluster>", "cluster that is up")
    .argument("<command...>", "after --: one word is for the shell; several are a program and its arguments")
    .addOption(new Option("--group <name>", "only the hosts of this group").argParser(Options.named).conflicts("node"))
    .option("--node <ranks...>", "only the hosts of these ranks (default: all that are up)", rank)
    .option("--python", "the command is Python")
    .option("--each", "each word is a command, one after the other")
    .option("--fail-fast", "a host goes no further after a command that failed")
    .option("--once", "only on hosts where just this has not succeeded before")
    .option("--force", "with --once: there as well")
    .option("-e, --env <name=value>", "set a variable; NAME alone passes on your own", envOption(process.env))
    .option("--timeout <time>", "time that all of it may take on a host: seconds, or 90m, 12h, 2d", Options.seconds)
    .option("--no-progress", "no live line, no bars")
    .action((cluster: string, words: string[], options: ExecOptions, command: Commander) =>
      run(cliOf(command), cluster, words, options),
    );

/** Collects ranks. */
function rank(given: string, earlier: readonly number[] = []): number[] {
  return [...earlier, ...given.split(",").map(one => ranked(one))];
}

function ranked(given: string): number {
  try {
    return count(0)(given);
  } catch {
    throw new InvalidArgumentError(
      `'${given}' is no rank of a host: 0, 1, … as muster status tells; the command comes after --.`,
    );
  }
}

function requestOf(words: readonly string[], options: ExecOptions): Command.Create {
  const { group, node, python, each = false, failFast = false, once = false, force = false, env, timeout } = options;
  const language = python ? "python" : "shell";
  const given = {
    commands: commandsOf(words, language, each),
    language,
    ...(group !== undefined && { target: { group } }),
    ...(node !== undefined && { target: { nodes: node } }),
    ...{ failFast, once, force },
    ...(env && { envs: env }),
    ...(timeout !== undefined && { timeout }),
  };
  // What is wrong with it the control plane tells.
  const read = Command.Create.safeParse(given);
  return read.success ? read.data : (given as Command.Create);
}

async function run(cli: Cli, cluster: string, words: readonly string[], options: ExecOptions): Promise<void> {
  const { out } = cli;
  const body = requestOf(words, options);
  for (const name of Object.keys(options.env ?? {}).filter(isSecretName))
    out.note(
      `${out.style("yellow", "warning:")} ${name} is kept with the commands as it is, and shown where they show it`,
    );
  using stop = interrupt();
  const client = await cli.connect();
  const job = await client.clusters.exec({ params: { cluster }, body }, { idempotencyKey: randomUUID() });
  if (job.exec === undefined) return;
  for (const host of job.exec.lost ?? []) out.warn(`host ${host} is down, and was left out`);
  try {
    process.exitCode = await attend(out, client, stop.signal, { ...job, exec: job.exec });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    await client.jobs.cancel({ params: { job: job.id } });
    out.note(`Interrupted: ${job.id} is cancelled.`);
    process.exitCode = stop.code();
  }
}

type Asked = Job.Info & { readonly exec: Command.Exec };

/** Waits for the end on all hosts, and tells it. One host's output is shown as it comes. @returns the exit code. */
async function attend(out: Output, client: Client, signal: AbortSignal, asked: Asked): Promise<number> {
  const { exec: commands } = asked;
  const alone = commands.ranks.length === 1 && !out.json ? textSink(out, 1) : undefined;
  const results = new Results(commands, alone?.write);
  using progress = step(out, `job ${asked.id}`);
  if (!alone) progress.show("running");
  await stream({ out, client, signal }, asked, true, {
    into: { write: (chunk, bytes) => results.write(chunk, bytes), end: () => results.end() },
    phases: [commands.once ? "setup" : "run"],
  });
  await alone?.end();
  const job = await Watch.job({ client, signal }, asked.id, Job.isOver, () => {});
  progress.clear();
  const all = results.all();
  const exitCode = exitCodeOf(all, job);
  const hosts = commands.once && commands.ranks.map(rank => ({ rank, ran: results.hasRun(rank) }));
  out.data({ job, exitCode, results: all, ...(hosts && { hosts }) });
  if (!alone) await shown(out, commands, results);
  if (hosts) for (const host of hosts) out.note(`- host ${host.rank}  ${told(host.ran, job)}`);
  judged(out, job, all, commands);
  return exitCode;
}

function told(ran: boolean, job: Job.Info): string {
  if (ran) return "has run it";
  return job.state === "succeeded" ? "had run it before" : "has not run it now";
}

/** What each host has printed, below a line that says which it is. */
async function shown(out: Output, { ranks }: Command.Exec, results: Results): Promise<void> {
  if (out.json) return;
  for (const rank of ranks) {
    if (ranks.length > 1) out.print(out.paint("bold", `── host ${rank} ──`));
    const bytes = results.outputOf(rank);
    const sink = textSink(out, 1);
    await sink.write({ ...FIRST, rank: 0 }, bytes);
    await sink.end();
    // The next line begins at its beginning.
    if (bytes.length > 0 && bytes.at(-1) !== 0x0a) out.print("");
  }
}

const FIRST = { attempt: 1, fence: 1, sequence: 0, phase: "run", size: 0, at: 0, url: "" };

/** What failed, where the exit code alone does not tell it. */
function judged(out: Output, job: Job.Info, results: readonly Result[], { ranks, commands }: Command.Exec): void {
  const isOne = ranks.length === 1 && commands === 1;
  const failed = results.filter(({ exitCode }) => exitCode !== 0);
  if (!isOne)
    for (const { rank, command, exitCode } of failed) {
      const which = commands === 1 ? "" : `, command ${command}`;
      out.note(`- host ${rank}${which}  ${exitCode === null ? "did not come to its end" : `exit ${exitCode}`}`);
    }
  const isTold = failed.some(({ exitCode }) => exitCode !== null);
  if (job.failure && !isTold) out.warn(`${out.style("red", "muster:")} ${job.failure.message}`);
}
