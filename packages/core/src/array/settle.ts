/** What the end of a run changes in its array. */
import { type Cost, costAt } from "../cost/cost.ts";
import type * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { load } from "../record.ts";
import * as JobArray from "./array.ts";
import { change } from "./move.ts";

export interface Settled {
  readonly writes: readonly Write[];
  /** Whether it was the last of an array that takes its cluster along. */
  readonly down: boolean;
}

/** The failure that the array keeps is short: its record is read and written with each of its runs. */
const MOST = 300;

/**
 * Part of the transaction in which the run ends.
 * @param job the run as it was; of another job nothing comes
 * @param next the run as it ended
 */
export async function settleRun(
  world: Basics,
  actor: { readonly id: string },
  job: Job.Job,
  next: Job.Job,
): Promise<Settled> {
  const array = job.array && (await load(world.table, JobArray.noun, Keys.array(job.workspace, job.array.id)));
  const end = endOf(next);
  if (array === undefined || end === undefined || JobArray.isOver(array)) return { writes: [], down: false };
  const counts = { running: array.running - 1, [end]: array[end] + 1 };
  const more = { ...firstFailure(array, next), ...costWith(array, next, world.clock.now()) };
  const changed = await change(world, actor, array, { counts, more });
  return { writes: changed.writes, down: array.down && JobArray.isOver(changed.next) };
}

/** An array has cost what those of its runs have that are over: those that go on tell it by themselves. */
function costWith({ cost }: JobArray.JobArray, run: Job.Job, now: number): { readonly cost?: Cost } {
  const more = costAt(run.cost, now);
  return more === 0 ? {} : { cost: { accrued: costAt(cost, now) + more, since: now, hourly: 0 } };
}

function endOf({ state }: Job.Job): "succeeded" | "failed" | "cancelled" | "timedOut" | undefined {
  if (state === "timed_out") return "timedOut";
  return state === "succeeded" || state === "failed" || state === "cancelled" ? state : undefined;
}

function firstFailure(array: JobArray.JobArray, run: Job.Job) {
  if (array.failure !== undefined || (run.state !== "failed" && run.state !== "timed_out")) return {};
  const { exitCode, failure } = run;
  const said = failure ?? { code: run.state, message: `it is ${run.state}` };
  const message = cut(`The first, run ${run.array?.index}: ${said.message}`);
  return {
    failure: { ...said, message, ...(said.hint !== undefined && { hint: cut(said.hint) }) },
    ...(exitCode !== undefined && { exitCode }),
  };
}

const cut = (text: string): string => (text.length > MOST ? `${text.slice(0, MOST)}…` : text);
