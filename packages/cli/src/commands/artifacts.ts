import { MusterError } from "@muster/core/error.ts";
import type * as Job from "@muster/core/job/job.ts";
import type { Artifact, Node } from "@muster/core/output/output.ts";
import { type Command, InvalidArgumentError } from "commander";
import { type Choice, get, type Means, type Plan, pages, plan, targetOf } from "../artifacts/get.ts";
import { matcher } from "../artifacts/pattern.ts";
import { shown } from "../artifacts/place.ts";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { confirm } from "../confirm.ts";
import * as Find from "../find.ts";
import { bytes, moment, plural } from "../format.ts";
import { interrupt } from "../interrupt.ts";
import type { Output } from "../output.ts";

interface Options {
  readonly rank?: number;
  readonly attempt?: number;
  readonly checkpoint?: boolean;
}

interface GetOptions extends Options {
  readonly output?: string;
  readonly yes?: boolean;
}

export const artifacts = (): Command =>
  group("artifacts", "List and fetch what jobs have kept of their outputs", [listing(), getting()]);

const listing = (): Command =>
  choosing(define("list", "List the files that a job has kept", "muster artifacts list job_01J…"))
    .argument("<subject>", "id of a job, or name or id of a cluster: its latest job")
    .argument("[pattern]", "only these, such as '*.json', results or 'results/**/best.pt'")
    .action((subject: string, pattern: string | undefined, options: Options, command: Command) =>
      list(cliOf(command), subject, choiceOf(options, pattern)),
    );

const getting = (): Command =>
  choosing(define("get", "Fetch files that a job has kept", "muster artifacts get job_01J… '*.json' -o results"))
    .argument("<subject>", "id of a job, or name or id of a cluster: its latest job")
    .argument("[pattern]", "only these, such as '*.json', results or 'results/**/best.pt'")
    .option("-o, --output <dir>", "folder to put them into; absent: one that is called as the job's id")
    .option("-y, --yes", "replace files that are there without asking")
    .option("--no-progress", "no live line")
    .action((subject: string, pattern: string | undefined, options: GetOptions, command: Command) =>
      fetchAll(cliOf(command), subject, choiceOf(options, pattern), options),
    );

const choosing = (command: Command): Command =>
  command
    .option("--rank <n>", "only of this node of the job", whole(0))
    .option("--attempt <n>", "of this try of the job, from 1; absent: of the last one", whole(1))
    .option("--checkpoint", "what the job's checkpoint holds, in place of its outputs");

const whole =
  (least: number) =>
  (said: string): number => {
    if (/^\d{1,9}$/.test(said) && Number(said) >= least) return Number(said);
    throw new InvalidArgumentError(`expected a whole number, ${least} or more`);
  };

const choiceOf = ({ rank, attempt, checkpoint = false }: Options, pattern: string | undefined): Choice => ({
  rank,
  attempt,
  checkpoint,
  pattern,
  matches: matcher(pattern),
});

async function list({ out, connect }: Cli, subject: string, choice: Choice): Promise<void> {
  using stop = interrupt();
  const client = await connect();
  const job = await Find.latestJob(client, subject);
  const means = { out, client, signal: stop.signal };
  const sum = { files: 0, bytes: 0 };
  const items: object[] = [];
  const nodes: Node[] = [];
  const line = lineOf(job.nodes > 1);
  for await (const { page } of pages(means, job.id, choice)) {
    nodes.push(...page.nodes);
    for (const artifact of page.items.filter(one => choice.matches(one.path))) {
      sum.files++;
      sum.bytes += artifact.size;
      if (out.json) items.push(artifact);
      out.print(line(artifact));
    }
  }
  out.data({ job: job.id, ...sum, items, nodes });
  if (sum.files === 0) out.print(nothing(job, choice, nodes));
  else out.note(out.style("dim", `${plural(sum.files, "file")}, ${bytes(sum.bytes)}`));
  tell(out, nodes);
}

/** Size, time, rank where there are several, and path: names come last, for they are of any length. */
function lineOf(byRank: boolean): (artifact: Artifact) => string {
  const now = Date.now();
  return artifact => {
    const rank = byRank ? `${String(artifact.rank).padStart(5)}  ` : "";
    const to = artifact.link === undefined ? "" : ` -> ${shown({ path: artifact.link })}`;
    const when = moment(artifact.mtime, now).slice(0, -4).padStart(19);
    return `${bytes(artifact.size).padStart(10)}  ${when}  ${rank}${shown(artifact)}${to}`;
  };
}

const nothing = (job: Job.Info, { checkpoint, pattern }: Choice, nodes: readonly Node[]): string => {
  if (nodes.some(({ state }) => state === "pending")) return `Job ${job.id} keeps its outputs when it has ended.`;
  const such = pattern === undefined ? "" : ` that is like '${pattern}'`;
  return `Job ${job.id} has kept nothing${checkpoint ? " of a checkpoint" : ""}${such}.`;
};

async function fetchAll(
  { out, cwd, connect }: Cli,
  subject: string,
  choice: Choice,
  options: GetOptions,
): Promise<void> {
  using stop = interrupt();
  const client = await connect();
  const job = await Find.latestJob(client, subject);
  const means = { out, client, signal: stop.signal };
  const folder = options.output ?? job.id;
  const target = targetOf(cwd, folder, job.nodes > 1 && choice.rank === undefined);
  try {
    const planned = await plan(means, job.id, choice, target);
    if (planned.files === 0) throw absent(job, choice, planned);
    await allowed(means, planned, folder, options.yes ?? false);
    const got = await get(means, job.id, choice, target, planned);
    out.data({ job: job.id, folder, ...got, here: planned.here.size, nodes: planned.nodes });
    if (planned.here.size > 0) out.note(`  ${plural(planned.here.size, "file")} in ${folder} were there already`);
    for (const path of got.leftOut) out.warn(`  ${path} is a link that leads elsewhere, and was left out`);
    out.print(folder);
    tell(out, planned.nodes);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.exitCode = stop.code();
  }
}

const absent = (job: Job.Info, choice: Choice, planned: Plan): MusterError =>
  new MusterError("not_found", nothing(job, choice, planned.nodes).replace(/^Job/, "job").replace(/\.$/, ""), {
    hint: `see what there is: muster artifacts list ${job.id}`,
  });

async function allowed({ out, signal }: Means, { replaced }: Plan, folder: string, yes: boolean): Promise<void> {
  if (replaced.length === 0) return;
  const some = replaced.slice(0, 5).join(", ");
  const more = replaced.length > 5 ? ` and ${replaced.length - 5} more` : "";
  const matter = `${plural(replaced.length, "file")} in ${folder} would be replaced: ${some}${more}`;
  const asker = { yes, interactive: out.interactive, signal };
  await confirm(asker, `${matter}. Go on?`, matter, "or name another folder with -o");
}

/** What is not all there. */
function tell(out: Output, nodes: readonly Node[]): void {
  for (const { rank, state, failed } of nodes) {
    if (state === "incomplete") out.warn(`what rank ${rank} has kept is not complete: its machine was lost`);
    if (failed > 0) out.warn(`rank ${rank} could not keep ${plural(failed, "file")}: its log says which`);
  }
}
