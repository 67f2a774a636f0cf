/** Shares work among worker processes. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type Job, merge, NOTHING, type Sum } from "./hunt.ts";

/**
 * @param args of the worker with this index
 * @param take is told whatever a worker sends; once it answers that this is enough, all are ended
 */
export async function share<T>(
  worker: URL,
  workers: number,
  args: (index: number) => string[],
  take: (message: T, index: number) => boolean,
): Promise<void> {
  const children: ChildProcess[] = [];
  const start = (index: number): Promise<void> => {
    const child = fork(worker, args(index), { execArgv: [] });
    children.push(child);
    child.on("message", message => {
      if (take(message as T, index)) for (const one of children) one.kill();
    });
    return ended(child, index);
  };
  await Promise.all(Array.from({ length: workers }, (_, index) => start(index)));
}

/** @param show is told of the sum so far. */
export async function hunt(
  job: Omit<Job, "stride">,
  workers: number,
  bug: string | undefined,
  show: (sum: Sum) => void,
): Promise<Sum> {
  const sums: Sum[] = [];
  const total = () => sums.reduce(merge, NOTHING);
  const args = (index: number) => {
    const mine: Job = { ...job, from: job.from + index, count: job.count - index, stride: workers };
    return ["--job", JSON.stringify(mine), ...(bug === undefined ? [] : ["--bug", bug])];
  };
  await share<Sum>(new URL("./worker.ts", import.meta.url), workers, args, (sum, index) => {
    sums[index] = sum;
    show(total());
    return job.stopsAtFirst && sum.failures.length > 0;
  });
  return total();
}

/** Also its last message has come then: on a busy machine it may be behind the news of its end. */
async function ended(child: ChildProcess, index: number): Promise<void> {
  const [[code]] = await Promise.all([once(child, "exit"), once(child, "disconnect")]);
  // No code: it was ended, because another worker had found what was looked for.
  if (code !== 0 && code !== null) throw new Error(`worker ${index} ended with ${code}`);
}
