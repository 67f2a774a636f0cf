/** The values of an array's runs, as the API shows them. They are nowhere stored: each is found from the array's task. */
import type * as Job from "../job/job.ts";
import { taskOfArray } from "../job/submission.ts";
import type { Table } from "../ports/table.ts";
import { valuesOf } from "./values.ts";

/** A page holds a hundred runs of fifty values each: each is cut to so many characters. */
const MOST = 200;

const cut = (text: string): string => (text.length > MOST ? `${text.slice(0, MOST)}…` : text);

/** Tells each of these runs of one array its values. Other jobs stay as they are. */
export async function withValues(table: Table, workspace: string, runs: readonly Job.Info[]): Promise<Job.Info[]> {
  const array = runs[0]?.array;
  if (array === undefined) return [...runs];
  const { sweep } = (await taskOfArray(table, { workspace, id: array.id })).runs ?? {};
  if (sweep === undefined) return [...runs];
  return runs.map(run => {
    const values = Object.entries(valuesOf(sweep, run.array?.index ?? 0)).map(([name, value]) => [name, cut(value)]);
    return { ...run, values: Object.fromEntries(values) };
  });
}
