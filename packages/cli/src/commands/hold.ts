import type { Client } from "@muster/api/client.ts";
import type * as Job from "@muster/core/job/job.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Find from "../find.ts";

export const hold = (): Command =>
  define("hold", "Keep jobs that have not begun from beginning, until they are released", "muster hold job_01J…")
    .argument("<job...>", "ids of jobs, or clusters: of each the latest job that has not ended")
    .action((ids: string[], _options: object, command: Command) =>
      each(
        cliOf(command),
        ids,
        (client, job) => client.jobs.hold({ params: { job } }),
        () => "held",
      ),
    );

export const release = (): Command =>
  define("release", "Let jobs go that are held", "muster release job_01J…")
    .argument("<job...>", "ids of jobs, or clusters: of each the latest job that has not ended")
    .action((ids: string[], _options: object, command: Command) =>
      each(cliOf(command), ids, (client, job) => client.jobs.release({ params: { job } }), released),
    );

const released = ({ state }: Job.Info): string => (state === "waiting" ? "released" : "was not held");

async function each(
  { out, connect }: Cli,
  ids: readonly string[],
  act: (client: Client, id: string) => Promise<Job.Info>,
  done: (before: Job.Info) => string,
): Promise<void> {
  const client = await connect();
  // All of them are there before any is touched.
  const found: Job.Info[] = [];
  for (const id of ids) found.push(await Find.job(client, id));
  const jobs: Job.Info[] = [];
  for (const before of found) {
    const job = await act(client, before.id);
    out.print(`${job.id}  ${done(before)}: ${job.state}`);
    jobs.push(job);
  }
  out.data(jobs);
}
