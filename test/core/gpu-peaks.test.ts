/** How busy a job's GPUs were, from what its nodes report to what people read. Pure. */
import type { Attempt } from "@muster/core/attempt/attempt.ts";
import { peaksOf } from "@muster/core/job/peaks.ts";
import { expect, test } from "vitest";
import { gpuLines } from "../../packages/cli/src/gpu-peaks.ts";

const exited = (rank: number, gpuPeaks?: number[]): Attempt => ({
  ...{
    id: `job_a/1/${rank}`,
    workspace: "w",
    jobId: "job_a",
    clusterId: "clu_a",
    hostId: `hst_${rank}`,
    fence: 1,
    rank,
  },
  ...{ createdAt: 0, changedAt: 0, state: "exited", cause: "exited", exitCode: 0, chunks: 0, logsComplete: true },
  ...(gpuPeaks && { gpuPeaks }),
});
const lines = (gpuPeaks: number[][] | undefined, seconds = 3600): string[] =>
  gpuLines({ gpuPeaks, startedAt: 1000, endedAt: 1000 + seconds * 1000 });

test("peaks stand by rank, whatever order nodes end in, with none where nobody looked", () => {
  expect(peaksOf([exited(2, [0.975, 0]), exited(0, [1, 0.123])])).toEqual([[1, 0.12], [], [0.98, 0]]);
  expect(peaksOf([exited(0), exited(1)])).toBeUndefined();
  expect(peaksOf([exited(0, [])])).toBeUndefined();
});

test("a record has room for them however many nodes there are", () => {
  const all = Array.from({ length: 1024 }, (_, rank) =>
    exited(
      rank,
      Array.from({ length: 8 }, () => 0.5),
    ),
  );
  expect(peaksOf(all)).toHaveLength(64);
});

test("the summary shows the peak of each, and says when one was never used", () => {
  expect(lines([[0.97, 0]])).toEqual([
    "GPU peak: 0: 97 %, 1: 0 % (idle)",
    "1 of its 2 GPUs was never used: ask for fewer, or see that the job finds it",
  ]);
  expect(lines([[0.97, 0.004]])).toEqual(["GPU peak: 0: 97 %, 1: 0 %"]);
  expect(lines([[0]])[1]).toBe("its GPU was never used: ask for none, or see that the job finds it");
  expect(lines([[0, 0]])[1]).toBe("none of its 2 GPUs was used: ask for fewer, or see that the job finds them");
  expect(lines([[1], [], [0.5]])).toEqual(["GPU peak: rank 0: 0: 100 %; rank 2: 0: 50 %"]);
  expect(lines(Array.from({ length: 10 }, () => [1])).join()).toContain("and 2 nodes more");
});

test("of a job that was over before anybody could look twice, idleness says nothing", () => {
  expect(lines([[0]], 59)).toEqual(["GPU peak: 0: 0 % (idle)"]);
  expect(lines(undefined)).toEqual([]);
});
