/** Why an array, or a run of it that has not begun, is where it is, in sentences. */
import * as Job from "../job/job.ts";
import * as JobArray from "./array.ts";
import type { Found } from "./read.ts";

/** As the job that its place in the queue is for: what holds that up holds up its next run. */
export const asQueued = ({ array }: Found): Job.Job => ({ ...JobArray.runOf(array, array.next, 0), id: array.id });

/** @param held what holds up its next run, where that may begin */
export function arrayReasons({ array, index, info }: Found, held: readonly string[]): string[] {
  if (JobArray.isOver(array)) return ended(array);
  if (index !== undefined) return [...waitsFor(array, index, info), ...held];
  const { running, count, started, concurrent } = array;
  if (array.state === "cancelling") return [`it is being cancelled: ${running} of its runs have still to end`];
  const full = concurrent !== undefined && running >= concurrent ? [`no more than ${concurrent} at a time`] : [];
  return [`${started} of its ${count} runs have begun, and ${running} of them go on`, ...full, ...held];
}

function ended({ failure, state }: JobArray.JobArray): string[] {
  if (failure === undefined) return [`it is ${state.replaceAll("_", " ")}`];
  return [failure.message, ...(failure.hint === undefined ? [] : [failure.hint])];
}

function waitsFor(array: JobArray.JobArray, index: number, info: Job.Info): string[] {
  if (Job.isOver(info)) return [`it is ${info.state.replaceAll("_", " ")}: it never began`];
  const before = index - array.next;
  const ahead = before === 0 ? "it is the next of its array" : `${before} of its array are before it`;
  const isFull = array.concurrent !== undefined && array.running >= array.concurrent;
  return [ahead, ...(isFull ? [`no more than ${array.concurrent} of them run at a time`] : [])];
}
