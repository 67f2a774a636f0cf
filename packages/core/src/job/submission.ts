/** What was submitted: the task, as part of the first event of its job or array, so that it costs no item of its own. */

import * as z from "zod";
import type { By } from "../actor/actor.ts";
import { withValues } from "../array/environment.ts";
import * as Event from "../event/event.ts";
import * as Keys from "../keys.ts";
import type { Key, Table, Write } from "../ports/table.ts";
import { Task } from "../task/task.ts";
import type * as Job from "./job.ts";

const Submission = z.object({ task: Task });

/** The task as it was submitted, without its secrets and secret files; of a run of an array, with the values of that run. */
export async function taskOf(table: Table, job: Pick<Job.Job, "workspace" | "id" | "array">): Promise<Task> {
  const { array, workspace, id } = job;
  if (array === undefined) return stored(table, keyOf(Keys.job(workspace, id), id));
  return withValues(await taskOfArray(table, { workspace, id: array.id }), array.index);
}

/** The task of all runs of an array. */
export const taskOfArray = (
  table: Table,
  { workspace, id }: { readonly workspace: string; readonly id: string },
): Promise<Task> => stored(table, keyOf(Keys.array(workspace, id), id), keyOf(Keys.job(workspace, id), id));

/** An array that has waited was submitted as a job. */
async function stored(table: Table, key: Key, otherwise = key): Promise<Task> {
  const item = (await table.get(key)) ?? (await table.get(otherwise));
  return Submission.parse(item?.data).task;
}

/** The first event of a job, or of an array, with its task but without what is secret. */
export function submission(
  noun: { readonly id: string; readonly createdAt: number; readonly state: string; readonly clusterId: string },
  kind: "job" | "array",
  owner: Key,
  by: By,
  task: Task,
): Write {
  const entry = Event.draft(owner, by, {
    id: idOf(noun.id),
    at: noun.createdAt,
    subject: noun.id,
    kind: `${kind}.${noun.state}`,
    clusterId: noun.clusterId,
  });
  const data = { ...entry.data, task: { ...task, secrets: {}, secretFiles: {} } };
  return { put: { ...entry, data }, expect: "absent" };
}

const keyOf = ({ pk, sk }: Key, id: string): Key => ({ pk, sk: `${Event.PREFIX}${sk}#${idOf(id)}` });

const idOf = (id: string): string => `evt_${id.slice("job_".length)}`;
