/** What a person names: jobs by id, clusters by id or name, and what has run on them. */
import type { Client } from "@muster/api/client.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Id from "@muster/core/id.ts";
import type * as Job from "@muster/core/job/job.ts";
import { nearest } from "@muster/core/near.ts";
import { quoted } from "./exec/words.ts";
import { all, EVERY } from "./pages.ts";

/** Of the clusters that have ended, so many are looked through. */
const MOST = 1000;

/** A cluster that has not ended. @throws MusterError with the nearest name, when there is none of this one. */
export async function living(client: Client, reference: string): Promise<Cluster.Info> {
  try {
    return await client.clusters.get({ params: { cluster: reference } });
  } catch (error) {
    throw isAbsent(error) ? unknown(error, reference, await list(client, "false")) : error;
  }
}

/** A cluster, also one that has ended: then the newest of its name. */
export async function cluster(client: Client, reference: string): Promise<Cluster.Info> {
  try {
    return await client.clusters.get({ params: { cluster: reference } });
  } catch (error) {
    if (!isAbsent(error)) throw error;
    // Nobody calls a cluster so, and an id may be cut short or mistyped.
    if (reference.startsWith("job_")) throw noJob(reference, error);
    const clusters = await list(client, "true");
    const newest = clusters.find(one => one.name === reference);
    if (newest === undefined) throw unknown(error, reference, clusters);
    return newest;
  }
}

/** The job of this id, or the latest of this cluster: the latest that has not ended, when there is one. */
export async function job(client: Client, subject: string): Promise<Job.Info> {
  const found = await activeJob(client, subject);
  return found ?? latestJob(client, subject);
}

/** The job of this id, or the latest of this cluster that has not ended. */
async function activeJob(client: Client, subject: string): Promise<Job.Info | undefined> {
  if (Id.is("job", subject)) return byId(client, subject);
  const { id } = await placeOf(client, subject);
  const [first] = await active(client, id, 1);
  return first;
}

/** The job of this id, also one that has ended; or all of this cluster that have not. */
export async function jobs(client: Client, subject: string): Promise<Job.Info[]> {
  if (Id.is("job", subject)) return [await byId(client, subject)];
  return active(client, (await placeOf(client, subject)).id);
}

/** The job of this id, or the latest of this cluster. */
export async function latestJob(client: Client, subject: string): Promise<Job.Info> {
  if (Id.is("job", subject)) return byId(client, subject);
  const { id } = await placeOf(client, subject);
  const { items } = await client.jobs.list({ query: { cluster: id, limit: 1 } });
  if (items[0]) return items[0];
  throw new MusterError("not_found", `no job has run on '${subject}' yet`, {
    hint: `run one: muster run FILE -c ${subject}`,
  });
}

/** Its jobs that have not ended, newest first. A page of them may be empty, and not the last. */
function active(client: Client, cluster: string, most = EVERY): Promise<Job.Info[]> {
  const query = { cluster, active: "true", limit: Math.min(most, 100) };
  return all(cursor => client.jobs.list({ query: { ...query, ...(cursor !== undefined && { cursor }) } }), most);
}

/** The cluster whose jobs are meant. @throws MusterError `not_found` that says how a job is named. */
export const placeOf = (client: Client, subject: string): Promise<Cluster.Info> =>
  cluster(client, subject).catch(error => {
    const isTold = !isAbsent(error) || subject.startsWith("job_") || error.details.hint?.startsWith("did you mean");
    if (isTold) throw error;
    const hint = `jobs go by their ids: muster jobs --name ${quoted(subject)}; clusters by their names: muster status`;
    throw new MusterError(error.code, error.message, { ...error.details, hint }, error);
  });

/** The jobs of these clusters that have not ended. */
export async function activeJobs(client: Client, clusters: readonly Cluster.Info[]): Promise<Job.Info[]> {
  const ids = new Set(clusters.map(({ id }) => id));
  const query = { active: "true" };
  const jobs = await all(cursor => client.jobs.list({ query: { ...query, ...(cursor !== undefined && { cursor }) } }));
  return jobs.filter(one => ids.has(one.clusterId));
}

async function byId(client: Client, id: string): Promise<Job.Info> {
  try {
    return await client.jobs.get({ params: { job: id } });
  } catch (error) {
    if (!isAbsent(error)) throw error;
    throw new MusterError(error.code, error.message, { ...error.details, hint: "see them with: muster jobs" });
  }
}

const noJob = (id: string, cause: MusterError): MusterError =>
  new MusterError("not_found", `there is no job '${id}'`, { hint: "see them with: muster jobs" }, cause);

const list = (client: Client, ended: "true" | "false"): Promise<Cluster.Info[]> =>
  all(cursor => client.clusters.list({ query: { all: ended, ...(cursor !== undefined && { cursor }) } }), MOST);

const isAbsent = (error: unknown): error is MusterError => error instanceof MusterError && error.code === "not_found";

function unknown(error: MusterError, reference: string, clusters: readonly Cluster.Info[]): MusterError {
  const near = nearest(reference, [...new Set(clusters.map(one => one.name))]);
  if (near === undefined) return error;
  return new MusterError(error.code, error.message, { ...error.details, hint: `did you mean '${near}'?` }, error);
}
