import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import { coarseOf } from "@muster/core/job/coarse.ts";
import * as Job from "@muster/core/job/job.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { quoted } from "../exec/words.ts";
import * as Find from "../find.ts";
import { type FilterOptions, label, queryOf } from "../job-filter.ts";
import type { Output } from "../output.ts";
import { EVERY, all as pages } from "../pages.ts";
import { step } from "../progress.ts";
import * as Shown from "../shown.ts";
import * as Watch from "../watch.ts";

interface Options extends Pick<FilterOptions, "name" | "label"> {
  readonly mine?: boolean;
  readonly all?: boolean;
  readonly yes?: boolean;
  readonly detach?: boolean;
}

export const cancel = (): Command =>
  define("cancel", "Cancel jobs, and wait until they have ended", "muster cancel job_01JABCDEFGHJKMNPQRSTVWXYZ0")
    .argument(
      "[subject...]",
      "ids of jobs; clusters, of each all jobs that have not ended; or names of jobs or job groups",
    )
    .option("-n, --name <name>", "all of this name; * stands for any text")
    .option("-l, --label <key[=value]>", "all with this label; may be given more than once", label)
    .option("--mine", "all of your own")
    .option("--all", "all of the workspace")
    .option("-y, --yes", "ask nothing, also when it is about several jobs")
    .option("-d, --detach", "do not wait")
    .action((subjects: string[], options: Options, command: Command) => end(cliOf(command), subjects, options));

async function end({ out, connect }: Cli, subjects: readonly string[], options: Options): Promise<void> {
  const isChoice = [options.name, options.label, options.mine, options.all].some(said => said !== undefined);
  if (subjects.length === 0 && !isChoice) throw unsaid();
  if (subjects.length > 0 && isChoice) throw unclear(subjects);
  const client = await connect();
  const found: Job.Info[][] = [];
  for (const subject of subjects) found.push(await jobsOf(client, subject));
  if (isChoice) found.push(await chosen(client, options));
  await agreed(out, found, options.yes ?? false);
  const jobs = [...new Map(found.flat().map(job => [job.id, job])).values()];
  if (jobs.length === 0) out.note("- no job runs or waits that is like that");
  out.data(await cancelled(out, client, jobs, options.detach ?? false));
}

/** Cancels them all, then waits for each. What waits goes first: it should not begin when what runs makes room. */
async function cancelled(out: Output, client: Client, found: readonly Job.Info[], detach: boolean) {
  const jobs = found.toSorted(waitingFirst);
  const asked: Job.Info[] = [];
  for (const job of jobs) asked.push(Job.isOver(job) ? job : await client.jobs.cancel({ params: { job: job.id } }));
  const ended = [];
  for (const [index, job] of jobs.entries())
    ended.push(told(job, await over(out, client, job, asked[index] ?? job, detach)));
  return ended;
}

const unsaid = (): MusterError =>
  new MusterError("invalid_request", "say which jobs", {
    hint: "name jobs or clusters; or choose with --name, --label, --mine, or --all",
  });

/** Either those on a cluster that are like that, or all of both: too much would be cancelled by a guess. */
const unclear = (subjects: readonly string[]): MusterError =>
  new MusterError("invalid_request", `say ${subjects.join(", ")}, or choose by options: not both`, {
    hint: "see which are meant with the same options: muster queue CLUSTER; then cancel them by their ids",
  });

/** A job after it was cancelled, with what it was before. */
const told = (before: Job.Info, job: Job.Info) => ({
  ...job,
  before: before.state,
  cancelled: !Job.isOver(before) && (job.state === "cancelled" || job.state === "cancelling"),
});

/** All that have not ended and are as the options say. None of them is no mistake: it may have been done before. */
const chosen = async (client: Client, { name, label: labels, mine }: Options): Promise<Job.Info[]> => {
  const query = { active: "true", ...(await queryOf(client, undefined, { name, label: labels, mine })) };
  return pages(cursor => client.jobs.list({ query: { ...query, ...(cursor !== undefined && { cursor }) } }), EVERY);
};

/** The job of this id, or all of this cluster or name that have not ended. @throws MusterError `not_found` where there is none. */
async function jobsOf(client: Client, subject: string): Promise<Job.Info[]> {
  const jobs = await Find.jobs(client, subject).catch(async error => {
    if (!isAbsent(error) || subject.startsWith("job_")) throw error;
    if (subject.includes("*")) throw unnamed(subject, error);
    const called = await calledSo(client, subject);
    if (called.length === 0) throw error;
    return called;
  });
  if (jobs.length > 0) return jobs;
  throw new MusterError("not_found", `no job runs or waits on '${subject}'`, {
    hint: `see those that have ended: muster jobs ${subject}`,
  });
}

/** Those of this name, or else those of the job group of this name. */
async function calledSo(client: Client, name: string): Promise<Job.Info[]> {
  const jobs = await chosen(client, { name });
  if (jobs.length > 0) return jobs;
  const query = { active: "true", jobGroup: name };
  return pages(cursor => client.jobs.list({ query: { ...query, ...(cursor !== undefined && { cursor }) } }));
}

const unnamed = (pattern: string, cause: MusterError): MusterError =>
  new MusterError("not_found", cause.message, {
    hint: `for jobs whose names are like that: --name ${quoted(pattern)}`,
  });

const isAbsent = (error: unknown): error is MusterError => error instanceof MusterError && error.code === "not_found";

/** A name that stands for one job is as clear as its id; for several of them it may be more than was meant. */
async function agreed(out: Output, found: readonly (readonly Job.Info[])[], yes: boolean): Promise<void> {
  const several = found.filter(jobs => jobs.length > 1).flat();
  const cost = several.length === 0 ? undefined : Shown.doomed(several);
  if (cost === undefined) return;
  if (yes) out.note(cost);
  await confirm({ ...out, yes }, `${cost}. Go on?`, cost, "or cancel one of them by its id: muster queue");
}

const isPending = ({ state }: Job.Info): boolean => coarseOf(state) === "pending";

const waitingFirst = (a: Job.Info, b: Job.Info): number => Number(isPending(b)) - Number(isPending(a));

/** Waits for the end of a job that was asked to end. */
async function over(
  out: Output,
  client: Client,
  before: Job.Info,
  asked: Job.Info,
  detach: boolean,
): Promise<Job.Info> {
  const { id } = before;
  if (Job.isOver(before)) {
    out.note(`- job ${id} had ${before.state.replaceAll("_", " ")} already`);
    return before;
  }
  using progress = step(out, `job ${id}`);
  const ended = detach ? asked : await Watch.job({ client }, id, Job.isOver, noun => progress.show(noun.state));
  progress.done(`${before.state} → ${ended.state}`);
  return ended;
}
