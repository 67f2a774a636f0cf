/** Patience with what a batch asks for, and how a batch's failures are told. */
import type { Failures } from "./batch.ts";

/** It may go on after that, and do what it does late: whatever it does may be done twice. @param patience in ms */
export async function inTime(done: Promise<void>, patience: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`it took longer than ${patience / 1000} s`)), patience);
  try {
    await Promise.race([done, promise]);
  } finally {
    clearTimeout(timer);
  }
}

export const failures = (ids: readonly string[]): Failures => ({
  batchItemFailures: ids.map(itemIdentifier => ({ itemIdentifier })),
});
