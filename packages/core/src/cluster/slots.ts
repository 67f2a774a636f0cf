/** A cluster's slots: which host runs which job. One item, so that a placement is one conditional write however wide it is. */
import * as z from "zod";
import * as Keys from "../keys.ts";
import type { Table, Write } from "../ports/table.ts";
import { amend, insert, load, type Noun, type Stored } from "../record.ts";
import { takesJobs } from "./group.ts";

const Slot = z.object({
  rank: z.number().int(),
  hostId: z.string(),
  address: z.string(),
  gpus: z.number().int(),
  /** Absent until the provider has told the machine's name. */
  machineId: z.string().optional(),
  group: z.string().optional(),
  /** Absent: jobs run there. */
  schedulable: z.boolean().optional(),
  /** False while the host is lost: nothing new is placed there. */
  up: z.boolean(),
  job: z.object({ jobId: z.string(), fence: z.number().int() }).optional(),
});
export type Slot = z.infer<typeof Slot>;

export const Slots = z.object({
  workspace: z.string(),
  clusterId: z.string(),
  /** Counts placements; a job's try is known by it. */
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

/** Those that a job may be placed on now. */
export const free = (slots: readonly Slot[]): Slot[] => open(slots).filter(slot => slot.job === undefined);

export const busy = (slots: Slots): { readonly jobId: string; readonly fence: number }[] => {
  const jobs = new Map(slots.hosts.flatMap(slot => (slot.job ? [[slot.job.jobId, slot.job] as const] : [])));
  return [...jobs.values()];
};

/** Frees a job's hosts. `now` starts the idle time when no other job runs. */
export function release(slots: Stored<Slots>, jobId: string, now: number): { next: Stored<Slots>; write: Write } {
  const hosts = slots.hosts.map(({ job, ...slot }) =>
    job === undefined || job.jobId === jobId ? slot : { ...slot, job },
  );
  return amend(noun, slots, { hosts, idleSince: now });
}
