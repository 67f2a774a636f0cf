/**
 * A cluster's slots: what each host offers to jobs, and which run there. One item, so that a placement is one conditional
 * write however wide it is.
 */
import * as z from "zod";
import * as Keys from "../keys.ts";
import type { Table, Write } from "../ports/table.ts";
import { amend, insert, load, type Noun, type Stored } from "../record.ts";
import { isOf, takesJobs } from "./group.ts";

/** The most jobs that run on one host at a time, and the most parts of jobs that run on one cluster: the item has a limit. */
export const MOST_PER_HOST = 64;
export const MOST_RUNS = 2000;
/** The most parts of what runs beside jobs: all hosts of the largest cluster at once. On one host as many as of jobs. */
export const MOST_BESIDE = 1024;

/** The most that the item may come to, in bytes of JSON: DynamoDB takes 400 KB, and the largest clusters are near that. */
export const MOST_BYTES = 390_000;

/** The most jobs that a cluster's hosts may be told to run at a time, each. */
export const MaxConcurrentJobs = z.number().int().min(1).max(MOST_PER_HOST);

/** A job's part on one host. What is absent it does not have. */
const Run = z.object({
  jobId: z.string(),
  fence: z.number().int(),
  /** The host's GPUs that are the job's, by their numbers. */
  gpus: z.array(z.number().int()).optional(),
  cpus: z.number().optional(),
  /** GiB. */
  memory: z.number().optional(),
  /** It has all of the host, alone. */
  whole: z.literal(true).optional(),
  /** It takes nothing of the host, and is in nobody's way. */
  beside: z.literal(true).optional(),
});
export type Run = z.infer<typeof Run>;

const Slot = z.object({
  rank: z.number().int(),
  address: z.string(),
  cpus: z.number(),
  /** GiB. */
  memory: z.number(),
  gpus: z.number().int(),
  /** Canonical name of its GPUs; absent: it has none, or several kinds of them. */
  gpu: z.string().optional(),
  /** The most jobs that run there at a time; absent: as many as there is room for. */
  most: z.number().int().optional(),
  /** Absent until the provider has told the machine's name. */
  machineId: z.string().optional(),
  group: z.string().optional(),
  /** Absent: jobs run there. */
  schedulable: z.boolean().optional(),
  /** False while the host is lost: nothing new is placed there. */
  up: z.boolean(),
  runs: z.array(Run),
});
export type Slot = z.infer<typeof Slot>;

export const Slots = z.object({
  workspace: z.string(),
  clusterId: z.string(),
  /** Grows with each placement; a job's try is known by it. */
  fence: z.number().int(),
  /** Epoch ms since when no host has run a job. */
  idleSince: z.number(),
  hosts: z.array(Slot),
});
export type Slots = z.infer<typeof Slots>;

export const noun: Noun<Slots> = {
  type: "slots",
  schema: Slots,
  fields: new Set(Object.keys(Slots.shape)),
  key: record => Keys.slots(record.workspace, record.clusterId),
  indexes: () => ({}),
};

export const get = (table: Table, workspace: string, clusterId: string): Promise<Stored<Slots> | undefined> =>
  load(table, noun, Keys.slots(workspace, clusterId));

export const create = (slots: Slots): Write => insert(noun, slots);

/** Those that jobs may be placed on, now or when others have ended. */
export const open = (slots: readonly Slot[]): Slot[] => slots.filter(slot => slot.up && takesJobs(slot));

/** The hosts of one group, as a job asks for it; of none: all. */
export const ofGroup = <S extends Pick<Slot, "group">>(slots: readonly S[], group: string | undefined): readonly S[] =>
  group === undefined ? slots : slots.filter(slot => isOf({ name: slot.group }, group));

/** Each job that has a part of a host, once. */
export function busy(slots: Slots): Pick<Run, "jobId" | "fence">[] {
  const jobs = new Map(slots.hosts.flatMap(slot => slot.runs.map(run => [run.jobId, run] as const)));
  return [...jobs.values()];
}

/** Each job that has a part of a host which others would want, once. */
export const taking = (slots: Slots): Pick<Run, "jobId" | "fence">[] =>
  busy({ ...slots, hosts: slots.hosts.map(slot => ({ ...slot, runs: slot.runs.filter(run => !run.beside) })) });

export const holds = (slots: Slots, jobId: string): boolean =>
  slots.hosts.some(slot => slot.runs.some(run => run.jobId === jobId));

/** How many ports there are for jobs to meet at: see job/environment.ts. */
export const PORTS = 10_000;

/** The fence of the next placement. Those of jobs that run at the same time never lead to the same port. */
export function nextFence({ fence, hosts }: Slots): number {
  const taken = new Set(hosts.flatMap(slot => slot.runs.map(run => run.fence % PORTS)));
  let next = fence + 1;
  while (taken.has(next % PORTS)) next++;
  return next;
}

/** A job's parts, by the ranks of the hosts that they are of. */
export type Parts = ReadonlyMap<number, Omit<Run, "jobId" | "fence">>;

export const bytesOf = (slots: readonly Slot[]): number => JSON.stringify(slots).length;

/** What the parts of one more job add to that. */
export const bytesOfParts = (jobId: string, parts: Parts): number =>
  [...parts.values()].reduce((sum, part) => sum + JSON.stringify({ jobId, fence: 99_999_999, ...part }).length + 1, 0);

/** Gives a job its hosts' parts. */
export function occupy(
  slots: Stored<Slots>,
  { jobId, fence, parts }: { readonly jobId: string; readonly fence: number; readonly parts: Parts },
  now: number,
): { next: Stored<Slots>; write: Write } {
  const hosts = slots.hosts.map(slot => {
    const part = parts.get(slot.rank);
    return part === undefined ? slot : { ...slot, runs: [...slot.runs, { jobId, fence, ...part }] };
  });
  return amend(noun, slots, { fence, hosts, idleSince: now });
}

/** Frees a job's hosts. `now` starts the idle time when no other job runs. */
export function release(slots: Stored<Slots>, jobId: string, now: number): { next: Stored<Slots>; write: Write } {
  const hosts = slots.hosts.map(slot => ({ ...slot, runs: slot.runs.filter(run => run.jobId !== jobId) }));
  return amend(noun, slots, { hosts, idleSince: now });
}
