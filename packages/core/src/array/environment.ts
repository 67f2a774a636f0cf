/** What a run of an array reads of itself: which one it is, of how many, and the values of its parameters. */
import { countOf, type Runs } from "../task/sweep.ts";
import type { Task } from "../task/task.ts";
import { valuesOf } from "./values.ts";

/** The task as this run has it: its values stand over the task's own variables. */
export const withValues = (task: Task, index: number): Task =>
  task.runs?.sweep ? { ...task, envs: { ...task.envs, ...valuesOf(task.runs.sweep, index) } } : task;

/** Which one it is. */
export const variables = (array: { readonly id: string; readonly index: number }, runs: Runs) => ({
  MUSTER_ARRAY_ID: array.id,
  MUSTER_RUN_INDEX: String(array.index),
  MUSTER_NUM_RUNS: String(countOf(runs)),
});
