/** How busy a job's GPUs were, for people. */
import type * as Job from "@muster/core/job/job.ts";

/** In ms: hosts look every quarter of a minute, and a short job may have been missed. */
const LONG_ENOUGH = 60_000;
/** Nodes that are told of one by one. */
const MOST_NODES = 8;

/** Lines about it; none when nobody has seen any. */
export function gpuLines(job: Pick<Job.Info, "gpuPeaks" | "startedAt" | "endedAt">): string[] {
  const { gpuPeaks = [], startedAt, endedAt } = job;
  const nodes = gpuPeaks.map((peaks, rank) => ({ peaks, rank })).filter(({ peaks }) => peaks.length > 0);
  if (nodes.length === 0) return [];
  const shown = nodes.slice(0, MOST_NODES).map(({ peaks, rank }) => `${rankOf(gpuPeaks, rank)}${listOf(peaks)}`);
  const more = nodes.length > shown.length ? [`and ${nodes.length - shown.length} nodes more`] : [];
  const line = `GPU peak: ${[...shown, ...more].join("; ")}`;
  const all = nodes.flatMap(({ peaks }) => peaks);
  const idle = all.filter(peak => peak === 0).length;
  const isLong = startedAt !== undefined && endedAt !== undefined && endedAt - startedAt >= LONG_ENOUGH;
  return idle > 0 && isLong ? [line, hintOf(idle, all.length)] : [line];
}

const rankOf = (all: readonly unknown[], rank: number): string => (all.length > 1 ? `rank ${rank}: ` : "");

const listOf = (peaks: readonly number[]): string =>
  peaks.map((peak, gpu) => `${gpu}: ${Math.round(peak * 100)} %${peak === 0 ? " (idle)" : ""}`).join(", ");

function hintOf(idle: number, all: number): string {
  if (all === 1) return "its GPU was never used: ask for none, or see that the job finds it";
  const which =
    idle === all
      ? `none of its ${all} GPUs was used`
      : `${idle} of its ${all} GPUs ${idle === 1 ? "was" : "were"} never used`;
  return `${which}: ask for fewer, or see that the job finds ${idle === 1 ? "it" : "them"}`;
}
