/** Shares a hunt among worker processes. */
import { type ChildProcess, fork } from "node:child_process";
import { type Job, merge, NOTHING, type Sum } from "./hunt.ts";

/** @param show is told of the sum so far. */
export async function hunt(
  job: Omit<Job, "stride">,
  workers: number,
  bug: string | undefined,
  show: (sum: Sum) => void,
): Promise<Sum> {
  const sums: Sum[] = [];
  const children: ChildProcess[] = [];
  const total = () => sums.reduce(merge, NOTHING);
  const take = (index: number, sum: Sum) => {
    sums[index] = sum;
    show(total());
  };
  const endAll = () => {
    for (const child of children) child.kill();
  };
  const share = async (index: number): Promise<void> => {
    const mine: Job = { ...job, from: job.from + index, count: job.count - index, stride: workers };
    const args = ["--job", JSON.stringify(mine), ...(bug === undefined ? [] : ["--bug", bug])];
    const child = fork(new URL("./worker.ts", import.meta.url), args, { execArgv: [] });
    children.push(child);
    child.on("message", message => take(index, message as Sum));
    await ended(child, index);
    if (job.stopsAtFirst && total().failures.length > 0) endAll();
  };
  await Promise.all(Array.from({ length: workers }, (_, index) => share(index)));
  return total();
}

const ended = (child: ChildProcess, index: number): Promise<void> =>
  new Promise((resolve, reject) => {
    child.on("error", reject);
    // No code: it was ended, because another worker had found what was looked for.
    child.on("exit", code => {
      if (code === 0 || code === null) resolve();
      else reject(new Error(`worker ${index} ended with ${code}`));
    });
  });
