/** Runs all points, or all cells of the grids, shared among workers. */
import { share } from "../parent.ts";
import { type Done, expected, merge, NOTHING, type Part } from "./enumerate.ts";
import { GRIDS, type GridDone, type GridPart, mergeGrids, NO_CELLS } from "./grids.ts";
import { scenarios } from "./scenarios.ts";

const WORKER = new URL("./worker.ts", import.meta.url);

export interface Points extends Done {
  /** Whether every await was hit by every fault. */
  readonly isWhole: boolean;
}

interface Asked {
  /** Absent: all. */
  readonly only?: readonly string[] | undefined;
  /** Only each so manieth. */
  readonly every?: number;
  readonly stopsAtFirst: boolean;
}

const bugArgs = (bug: string | undefined): string[] => (bug === undefined ? [] : ["--bug", bug]);

const progress = process.stderr.isTTY
  ? (runs: number, failures: number) => process.stderr.write(`\r\u001b[K${runs} runs, ${failures} with violations`)
  : () => undefined;

export async function searchPoints(
  { only = Object.keys(scenarios), seeds, every = 1, stopsAtFirst }: Asked & { readonly seeds: number },
  workers: number,
  bug?: string,
): Promise<Points> {
  const sums: Done[] = [];
  const total = () => sums.reduce(merge, NOTHING);
  const args = (offset: number) => {
    const part: Part = { scenarios: only, seeds, every, offset, stride: workers, stopsAtFirst };
    return ["--points", JSON.stringify(part), ...bugArgs(bug)];
  };
  await share<Done>(WORKER, workers, args, (done, index) => {
    sums[index] = done;
    progress(total().runs, total().failures.length);
    return stopsAtFirst && done.failures.length > 0;
  });
  const done = total();
  return { ...done, isWhole: done.hits === expected(done) };
}

export async function searchGrids(
  { only = Object.keys(GRIDS), every = 1, stopsAtFirst }: Asked,
  workers: number,
  bug?: string,
): Promise<GridDone> {
  const sums: GridDone[] = [];
  const total = () => sums.reduce(mergeGrids, NO_CELLS);
  const args = (offset: number) => {
    const part: GridPart = { grids: only, every, offset, stride: workers, stopsAtFirst };
    return ["--grids", JSON.stringify(part), ...bugArgs(bug)];
  };
  await share<GridDone>(WORKER, workers, args, (done, index) => {
    sums[index] = done;
    progress(total().runs, total().failures.length);
    return stopsAtFirst && done.failures.length > 0;
  });
  return total();
}
