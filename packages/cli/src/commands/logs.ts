import * as Job from "@muster/core/job/job.ts";
import { PHASES, Phase } from "@muster/core/log/phases.ts";
import { type Command, InvalidArgumentError } from "commander";
import { jobBegun, jobOver, queuedFor } from "../attend.ts";
import { type Cli, cliOf, define } from "../cli.ts";
import { type Download, download } from "../download.ts";
import * as Exit from "../exit.ts";
import * as Find from "../find.ts";
import { interrupt } from "../interrupt.ts";
import { openCopy } from "../log-copy.ts";
import { type Form, type Means, stream, type View } from "../stream.ts";
import { count } from "../task-command.ts";
import { instant } from "../time-option.ts";

interface Options extends Pick<View, "tail" | "since" | "node" | "attempt"> {
  /** --follow, --no-follow; absent: as long as the job runs. */
  readonly follow?: boolean;
  readonly raw?: boolean;
  readonly outputFilepath?: string;
  readonly output?: string;
  readonly phase?: readonly Phase[];
}

const MOST_LINES = 1_000_000;
const MOST_NODES = 100_000;
const MOST_TRIES = 1_000_000;

export const logs = (): Command =>
  define("logs", "Show the log of a job, or of a cluster's latest job", "muster logs -f demo")
    .argument("<subject>", "id of a job, or name or id of a cluster")
    .option(
      "-f, --follow",
      "stay until the job has ended, as is the default while it runs; with -f, exit with the job's own code",
    )
    .option("--no-follow", "only what is there now, also while the job runs")
    .option("--tail <lines>", "only the last so many lines of each node", count(0, MOST_LINES))
    .option("--since <time>", "only what came home since then: 10m, 2h, or 2026-01-31T12:00", given => instant(given))
    .option("--node <rank>", "only this node's, from 0", count(0, MOST_NODES))
    .option("--phase <names>", `only these, between commas: ${PHASES.join(", ")}`, phases)
    .option(
      "--attempt <number>",
      "only this try's, from 1; without it the latest's, and those that follow",
      count(1, MOST_TRIES),
    )
    .option("--raw", "the log's bytes as they are: no control characters taken out, no ranks put in front")
    .option(
      "-o, --output <path>",
      "download what is there now into this file, or into a folder/ a file per node and phase",
    )
    .option("--output-filepath <file>", "write the log to this file, too")
    .action((subject: string, options: Options, command: Command) => show(cliOf(command), subject, options));

function phases(given: string): Phase[] {
  const read = Phase.array().safeParse(given.split(","));
  if (read.success) return read.data;
  throw new InvalidArgumentError(`Phases are ${PHASES.join(", ")}.`);
}

async function show({ out, cwd, connect }: Cli, subject: string, options: Options): Promise<void> {
  using stop = interrupt();
  const client = await connect();
  const job = await Find.latestJob(client, subject);
  if (job.id !== subject) out.note(out.style("dim", `job ${job.id} ${job.name ?? ""}`));
  const { follow, output, outputFilepath } = options;
  const following = follow ?? (output === undefined && !Job.isOver(job));
  const files = await filesOf(cwd, job, options);
  const copy = await openCopy(cwd, outputFilepath);
  const means = { out, client, signal: stop.signal, copy };
  try {
    await streamed(means, job, following, viewOf(options, out.json, files));
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.exitCode = stop.code();
    return;
  }
  if (files !== undefined) {
    out.note(`wrote ${files.written()}`);
    out.data({ job: job.id, output });
  }
  if (!following) return;
  const ended = await client.jobs.get({ params: { job: job.id } });
  jobOver(out, ended);
  if (follow === true) process.exitCode = Exit.ofJob(ended);
}

async function filesOf(cwd: string, job: Job.Info, { output, node, raw }: Options): Promise<Download | undefined> {
  return output === undefined ? undefined : download(cwd, output, node === undefined ? job.nodes : 1, raw ?? false);
}

const viewOf = ({ phase, raw, ...options }: Options, json: boolean, files: Download | undefined): View => ({
  ...options,
  phases: phase,
  form: form(json, raw ?? false),
  into: files?.into,
});

/** With what the job waits for, while it waits. */
async function streamed(
  means: Means & { readonly signal: AbortSignal },
  job: Job.Info,
  following: boolean,
  view: View,
): Promise<void> {
  if (job.state !== "queued" && job.state !== "waiting") return stream(means, job, following, view);
  if (!following) {
    await queuedFor(means, job);
    return stream(means, job, following, view);
  }
  const over = new AbortController();
  const waiting = jobBegun({ ...means, signal: AbortSignal.any([means.signal, over.signal]) }, job, 0);
  waiting.catch(() => undefined);
  try {
    await stream(means, job, following, view);
  } finally {
    over.abort();
    await waiting.catch(() => undefined);
  }
}

const form = (json: boolean, raw: boolean): Form => {
  if (json) return "json";
  return raw ? "raw" : "text";
};
