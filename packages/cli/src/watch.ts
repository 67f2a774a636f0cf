/** Watching a noun until it is where one waits for it to be. */
import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "@muster/api/client.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import type * as Job from "@muster/core/job/job.ts";

/** Soon after a change the next one is near; a noun that stays as it is may do so for minutes. */
const FIRST_MS = 40;
const MOST_MS = 1000;
const GROWTH = 1.25;

/** Reads until `isThere`; tells each state that differs from the last. */
export async function until<T extends { readonly state: string }>(
  read: () => Promise<T>,
  isThere: (noun: T) => boolean,
  onChange: (noun: T) => void,
  signal?: AbortSignal,
): Promise<T> {
  let last = "";
  let interval = FIRST_MS;
  for (;;) {
    const noun = await read();
    if (noun.state !== last) {
      onChange(noun);
      interval = FIRST_MS;
    }
    last = noun.state;
    if (isThere(noun)) return noun;
    await pause(interval, undefined, signal && { signal });
    interval = Math.min(interval * GROWTH, MOST_MS);
  }
}

export interface Watch {
  readonly client: Client;
  readonly signal?: AbortSignal;
}

/** A cluster, read until it is there. */
export const cluster = (
  { client, signal }: Watch,
  id: string,
  isThere: (cluster: Cluster.Info) => boolean,
  onChange: (cluster: Cluster.Info) => void,
): Promise<Cluster.Info> => {
  const read = () => client.clusters.get({ params: { cluster: id } }, signal && { signal });
  return until(read, isThere, onChange, signal);
};

/** A job, read until it is there. */
export const job = (
  { client, signal }: Watch,
  id: string,
  isThere: (job: Job.Info) => boolean,
  onChange: (job: Job.Info) => void,
): Promise<Job.Info> => {
  const read = () => client.jobs.get({ params: { job: id } }, signal && { signal });
  return until(read, isThere, onChange, signal);
};

/** Whether a cluster has come as far as it will by itself: up, or not coming up. */
export const isSettled = (noun: Cluster.Info): boolean =>
  noun.state === "ready" || noun.state === "broken" || noun.state === "stopped" || Cluster.isLeaving(noun);
