/** What a cluster does, in words, beside its fine state. */
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import type * as Job from "@muster/core/job/job.ts";
import { plural } from "./format.ts";

const ON_ITS_WAY: Partial<Readonly<Record<Cluster.State, string>>> = {
  requested: "its machines are chosen",
  launching: "its machines are asked for, wherever there are some",
  booting: "its hosts start, and their agents report",
  setting_up: "its hosts are set up",
  growing: "more hosts are chosen for it",
  stopping: "its machines stop, and keep their disks",
  starting: "its machines start again",
  moving: "its disks are copied, which takes minutes to an hour",
  draining: "its jobs end, and its machines go",
};

/** Undefined for one that has come to rest, or has ended. */
export function doingOf({ state }: Pick<Cluster.Info, "state">, jobs: readonly Job.Info[]): string | undefined {
  if (state !== "ready") return ON_ITS_WAY[state];
  const running = jobs.filter(job => job.coarse === "running").length;
  const waiting = jobs.length - running;
  if (jobs.length === 0) return "it waits for jobs";
  if (running === 0) return `${plural(waiting, "job")} ${waiting === 1 ? "waits" : "wait"}`;
  return [
    `it runs ${plural(running, "job")}`,
    ...(waiting > 0 ? [`${waiting} more ${waiting === 1 ? "waits" : "wait"}`] : []),
  ].join(", ");
}
