import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Job from "@muster/core/job/job.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Find from "../find.ts";
import type { Output } from "../output.ts";
import { step } from "../progress.ts";
import * as Watch from "../watch.ts";

interface Options {
  readonly detach?: boolean;
}

export const cancel = (): Command =>
  define("cancel", "Cancel jobs, and wait until they have ended", "muster cancel job_01JABCDEFGHJKMNPQRSTVWXYZ0")
    .argument("<subject...>", "ids of jobs, or clusters: of each the latest job that has not ended")
    .option("-d, --detach", "do not wait")
    .action((jobs: string[], options: Options, command: Command) => end(cliOf(command), jobs, options));

async function end({ out, connect }: Cli, ids: readonly string[], options: Options): Promise<void> {
  const client = await connect();
  const jobs: Job.Info[] = [];
  for (const id of ids) jobs.push(await one(out, client, id, options.detach ?? false));
  out.data(jobs);
}

async function one(out: Output, client: Client, subject: string, detach: boolean): Promise<Job.Info> {
  const before = await Find.activeJob(client, subject);
  if (before === undefined)
    throw new MusterError("not_found", `no job runs or waits on '${subject}'`, {
      hint: `see those that have ended: muster queue --all ${subject}`,
    });
  const { id } = before;
  if (Job.isOver(before)) {
    out.note(`- job ${id} had ${before.state.replaceAll("_", " ")} already`);
    return before;
  }
  using progress = step(out, `job ${id}`);
  const asked = await client.jobs.cancel({ params: { job: id } });
  if (detach) {
    progress.done(`${before.state} → ${asked.state}`);
    return asked;
  }
  const ended = await Watch.job({ client }, id, Job.isOver, noun => progress.show(noun.state));
  progress.done(`${before.state} → ${ended.state}`);
  return ended;
}
