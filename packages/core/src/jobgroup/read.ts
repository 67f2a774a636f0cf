/** Reading one job group, and what it is to its jobs. */
import type { Actor } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import type * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { load } from "../record.ts";
import * as JobGroup from "./jobgroup.ts";

/** @throws MusterError `not_found`, the same for another workspace's as for none. */
export async function get(
  { table }: { readonly table: Table },
  { workspace }: Actor,
  id: string,
): Promise<JobGroup.Info> {
  const group = await load(table, JobGroup.noun, Keys.jobGroup(workspace, id));
  if (group) return JobGroup.info(group);
  throw new MusterError("not_found", `there is no job group '${id}'`, { hint: "see its jobs with: muster queue" });
}

/** Of a job that was ended with its group: for whatever ended that. */
export async function groupReasons(
  { table }: { readonly table: Table },
  { workspace, state, jobGroup }: Job.Job,
): Promise<string[]> {
  if (jobGroup === undefined || (state !== "cancelling" && state !== "cancelled")) return [];
  const group = await load(table, JobGroup.noun, Keys.jobGroup(workspace, jobGroup.id));
  return group === undefined ? [] : [JobGroup.sentence(group)];
}
