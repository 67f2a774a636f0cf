/** An event of a job that is reported makes its reports due. Of any other it is one reading, of a run of an array none. */
import * as z from "zod";
import { retrying } from "../commit.ts";
import type { Event } from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Clock } from "../ports/ports.ts";
import type { Table } from "../ports/table.ts";
import { amend } from "../record.ts";
import * as Report from "./report.ts";

type Part = { readonly table: Table; readonly clock: Clock };

const Link = z.object({ reports: z.array(z.string()).max(10) });

/** How long what is not the end of it waits, after something was told, for more to be told with it; in ms. */
const GAP = 10_000;

const ENDS = /^(?:job|array)\.(?:succeeded|failed|cancelled|timed_out)$/;

/** It may come twice, and late: what is told is read when it is told. */
export async function note(world: Part, event: Event, workspace: string): Promise<void> {
  if (!/^(?:job|array)\./.test(event.kind) || Id.partsOfRun(event.subject) !== undefined) return;
  const link = await world.table.get(Keys.reportsOf(workspace, event.subject));
  if (link === undefined) return;
  const { reports } = Link.parse(link.data);
  await Promise.all(reports.map(id => touch(world, { workspace, id }, event)));
}

const touch = (
  world: Part,
  { workspace, id }: { readonly workspace: string; readonly id: string },
  { subject, kind }: Event,
): Promise<void> =>
  retrying(async () => {
    const report = await Report.find(world.table, workspace, id);
    // It tells of another job by now.
    if (report?.subject.kind !== "job" || report.subject.jobId !== subject) return;
    const patch = dueBy(report, world.clock.now(), ENDS.test(kind));
    if (patch !== undefined) await world.table.write([amend(Report.noun, report, patch).write]);
  });

/** @returns undefined where it is told soon enough as it is: whoever does reads what is so then. */
function dueBy(
  report: Report.Report,
  now: number,
  isEnd: boolean,
): { readonly again?: boolean; readonly dueAt?: number } | undefined {
  if ((report.leasedUntil ?? 0) > now) return report.again ? undefined : { again: true };
  // The forge has refused, or has asked for a pause: something new makes that no shorter.
  if (report.failures !== undefined && report.dueAt !== undefined) return undefined;
  // Written even where it is due already: so whoever waits for the end need not wait for a sweep.
  if (isEnd) return { dueAt: now };
  const at = Math.max(now, (report.told?.at ?? 0) + GAP);
  return report.dueAt !== undefined && report.dueAt <= at ? undefined : { dueAt: at };
}
