/** In which order the tasks of a file are sent: each after those that it waits for. Pure. */
import type { Draft, Result, Wait } from "@muster/task/read.ts";
import { titleOf } from "./machines.ts";

export interface Step {
  readonly draft: Draft;
  /** As people know it. */
  readonly title: string;
  /** Places of others in this order, all of them before this one. */
  readonly waits: readonly Wait[];
}

/** Those that may begin at the same time keep the file's order. There are no circles: reading has refused them. */
export function stepsOf({ tasks, waits = [] }: Pick<Result, "tasks" | "waits">): Step[] {
  const order: number[] = [];
  while (order.length < tasks.length) {
    const next = tasks.findIndex(
      (_, index) => !order.includes(index) && (waits[index] ?? []).every(wait => order.includes(wait.task)),
    );
    if (next < 0) throw new Error("the tasks of a file wait for each other in a circle");
    order.push(next);
  }
  return order.flatMap(index => {
    const draft = tasks[index];
    if (draft === undefined) return [];
    const mine = (waits[index] ?? []).map(({ task, on }) => ({ task: order.indexOf(task), on }));
    return [{ draft, title: titleOf(draft, index), waits: mine }];
  });
}
