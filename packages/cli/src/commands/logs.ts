import * as Job from "@muster/core/job/job.ts";
import type { Command } from "commander";
import { jobBegun, jobOver, queuedFor } from "../attend.ts";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Exit from "../exit.ts";
import * as Find from "../find.ts";
import { interrupt } from "../interrupt.ts";
import { openCopy } from "../log-copy.ts";
import { type Form, stream } from "../stream.ts";

interface Options {
  /** --follow, --no-follow; absent: as long as the job runs. */
  readonly follow?: boolean;
  readonly raw?: boolean;
  readonly outputFilepath?: string;
}

export const logs = (): Command =>
  define("logs", "Show the log of a job, or of a cluster's latest job", "muster logs -f demo")
    .argument("<subject>", "id of a job, or name or id of a cluster")
    .option(
      "-f, --follow",
      "stay until the job has ended, as is the default while it runs; with -f, exit with the job's own code",
    )
    .option("--no-follow", "only what is there now, also while the job runs")
    .option("--raw", "the log's bytes as they are: no control characters taken out, no ranks put in front")
    .option("--output-filepath <file>", "write the log to this file, too")
    .action((subject: string, options: Options, command: Command) => show(cliOf(command), subject, options));

async function show(
  { out, cwd, connect }: Cli,
  subject: string,
  { follow, raw, outputFilepath }: Options,
): Promise<void> {
  using stop = interrupt();
  const client = await connect();
  const job = await Find.latestJob(client, subject);
  if (job.id !== subject) out.note(out.style("dim", `job ${job.id} ${job.name ?? ""}`));
  const following = follow ?? !Job.isOver(job);
  const copy = await openCopy(cwd, outputFilepath);
  const means = { out, client, signal: stop.signal, copy };
  try {
    if (job.state === "queued") await (following ? jobBegun(means, job, 0) : queuedFor(means, job));
    await stream(means, job, following, form(out.json, raw ?? false));
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.exitCode = stop.code();
    return;
  }
  if (!following) return;
  const ended = await client.jobs.get({ params: { job: job.id } });
  jobOver(out, ended);
  if (follow === true) process.exitCode = Exit.ofJob(ended);
}

const form = (json: boolean, raw: boolean): Form => {
  if (json) return "json";
  return raw ? "raw" : "text";
};
