/** What became of the launch, for the steps that follow and for whoever looks at the workflow. */
import { error, setOutput, summary } from "@actions/core";
import * as z from "zod";

const Job = z.object({
  id: z.string(),
  name: z.string().optional(),
  state: z.string(),
  exitCode: z.number().optional(),
  startedAt: z.number().optional(),
  endedAt: z.number().optional(),
  failure: z.object({ message: z.string(), hint: z.string().optional() }).optional(),
});
type Job = z.infer<typeof Job>;

/** As `muster launch --json` answers; a pipeline has several jobs. */
const Answer = z.object({
  cluster: z.object({ name: z.string() }).optional(),
  job: Job.optional(),
  jobs: z.array(Job).optional(),
});

/** Says it in outputs, annotations and the summary. @param text the answer; empty where there is none */
export async function tell(text: string, exitCode: number): Promise<void> {
  const { cluster, jobs } = read(text);
  setOutput("exit-code", exitCode);
  setOutput("cluster", cluster);
  setOutput("job", jobs.map(job => job.id).join(" "));
  setOutput("state", jobs.find(job => job.state !== "succeeded")?.state ?? jobs[0]?.state ?? "");
  for (const job of jobs) if (job.failure) error(job.failure.message, { title: `${job.name ?? job.id} ${job.state}` });
  if (jobs.length === 0) return;
  const head = ["Job", "State", "Exit code", "Took", "Cluster"].map(data => ({ data, header: true }));
  await summary.addTable([head, ...jobs.map(job => row(job, cluster))]).write();
}

function read(text: string): { readonly cluster: string; readonly jobs: readonly Job[] } {
  const parsed = Answer.safeParse(text === "" ? {} : JSON.parse(text));
  if (!parsed.success) return { cluster: "", jobs: [] };
  const { cluster, job, jobs = job === undefined ? [] : [job] } = parsed.data;
  return { cluster: cluster?.name ?? "", jobs };
}

const row = (job: Job, cluster: string): string[] => [
  escaped(job.name === undefined ? job.id : `${job.name} ${job.id}`),
  job.state.replaceAll("_", " "),
  String(job.exitCode ?? ""),
  job.startedAt === undefined || job.endedAt === undefined ? "" : took(job.endedAt - job.startedAt),
  escaped(cluster),
];

const took = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
};

/** A summary is HTML: a name may hold anything. */
const escaped = (text: string): string =>
  text.replaceAll(/[&<>]/g, sign => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[sign] ?? sign);
