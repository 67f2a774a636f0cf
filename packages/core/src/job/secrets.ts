/** A job's secrets: in an item of their own, which goes in the transaction that ends the job. */
import * as z from "zod";
import * as Keys from "../keys.ts";
import type { Table, Write } from "../ports/table.ts";
import { EnvName } from "../task/task.ts";
import type { Job } from "./job.ts";

const Kept = z.object({ secrets: z.record(EnvName, z.string()) });

type Ref = Pick<Job, "workspace" | "id" | "hasSecrets">;

const keyOf = (job: Ref) => ({ ...Keys.job(job.workspace, job.id), sk: "SECRETS" });

export const keep = (job: Ref, secrets: Readonly<Record<string, string>>): Write[] =>
  job.hasSecrets ? [{ put: { ...keyOf(job), type: "secrets", data: { secrets } }, expect: "absent" }] : [];

export async function read(table: Table, job: Ref): Promise<Record<string, string>> {
  const item = job.hasSecrets ? await table.get(keyOf(job)) : undefined;
  return item === undefined ? {} : Kept.parse(item.data).secrets;
}

/** The write that forgets them. */
export async function forget(table: Table, job: Ref): Promise<Write[]> {
  const item = job.hasSecrets ? await table.get(keyOf(job)) : undefined;
  return item === undefined ? [] : [{ remove: keyOf(job), expect: item.version }];
}
