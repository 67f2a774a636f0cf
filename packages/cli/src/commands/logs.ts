import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Id from "@muster/core/id.ts";
import * as Job from "@muster/core/job/job.ts";
import type { Command } from "commander";
import { jobOver } from "../attend.ts";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Exit from "../exit.ts";
import { interrupt } from "../interrupt.ts";
import { stream } from "../stream.ts";

interface Options {
  /** --follow, --no-follow; absent: as long as the job runs. */
  readonly follow?: boolean;
}

export const logs = (): Command =>
  define("logs", "Show the log of a job, or of a cluster's latest job", "muster logs -f demo")
    .argument("<subject>", "id of a job, or name or id of a cluster")
    .option("-f, --follow", "stay until the job has ended, and exit with its own code")
    .option("--no-follow", "only what is there now")
    .action((subject: string, options: Options, command: Command) => show(cliOf(command), subject, options));

async function show({ out, connect }: Cli, subject: string, { follow }: Options): Promise<void> {
  using stop = interrupt();
  const client = await connect();
  const job = await find(client, subject);
  if (job.id !== subject) out.note(out.style("dim", `job ${job.id} ${job.name ?? ""}`));
  const following = follow ?? !Job.isOver(job);
  try {
    await stream({ out, client, signal: stop.signal }, job, following, out.json);
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

/** The job of this id, or the latest of this cluster. */
async function find(client: Client, subject: string): Promise<Job.Info> {
  if (Id.is("job", subject)) return client.jobs.get({ params: { job: subject } });
  const { items } = await client.jobs.list({ query: { cluster: subject, limit: 1 } });
  const [latest] = items;
  if (latest) return latest;
  throw new MusterError("not_found", `no job has run on '${subject}' yet`, {
    hint: `run one: muster run FILE -c ${subject}`,
  });
}
