/** What a check run and a comment say: as the status, with a table, the end of the log, and how to see more. */
import type { Digest } from "../ports/ports.ts";
import { cell, code, fence } from "./markdown.ts";
import { clip, duration, money } from "./plain.ts";
import { contextOf, markerOf, type Report } from "./report.ts";
import { isOver, type Telling } from "./telling.ts";

/** Of a page: both forges take a little more. */
const MOST_LETTERS = 60_000;
const MOST_CELL = 300;

/** Markdown. @param tail the end of the log */
export function pageOf(report: Report, telling: Telling, { tail, site }: Shown): string {
  const { job } = telling;
  const more = job === undefined ? [] : [`See all of it: ${code(`muster logs ${job.id}`)}${linked(site, job.id)}`];
  const log = tail === undefined ? [] : ["The end of its log:", fence(tail)];
  const hint = job?.failure?.hint === undefined ? [] : [`What to do: ${code(clip(job.failure.hint, 1000))}`];
  const parts = [code(clip(telling.line, 1000)), table(rows(report, telling)), ...hint, ...log, ...more];
  const page = parts.join("\n\n");
  // Only a log can be that long, and its fence must not be cut off.
  return page.length <= MOST_LETTERS ? page : pageOf(report, telling, { tail: tail?.slice(-tail.length / 2), site });
}

interface Shown {
  readonly tail?: string | undefined;
  /** Base of the pages for people. */
  readonly site?: string | undefined;
}

const linked = (site: string | undefined, id: string): string =>
  site === undefined ? "" : ` or [in the browser](${site}/jobs/${id})`;

/** The comment: the same, under a name, behind the marker. */
export const commentOf = (digest: Pick<Digest, "mac">, report: Report, telling: Telling, shown: Shown): string =>
  [markerOf(digest, report), `**Muster**, ${code(contextOf(report))}`, pageOf(report, telling, shown)].join("\n\n");

type Row = readonly [string, string | undefined];

function rows({ origin }: Report, telling: Telling): Row[] {
  const { job, cost } = telling;
  const at = isOver(telling) ? job?.endedAt : undefined;
  const took = job?.startedAt !== undefined && at !== undefined ? duration(at - job.startedAt) : undefined;
  return [
    ["Commit", origin.sha.slice(0, 12)],
    ["Job", job?.id],
    ["Name", job?.name],
    ["Cluster", job?.clusterName],
    ["Hosts", job === undefined || job.nodes === 1 ? undefined : String(job.nodes)],
    ["Tries", job === undefined || job.attempts < 2 ? undefined : String(job.attempts)],
    ["Runs", job?.runs && `${job.runs.succeeded} of ${job.runs.count} succeeded`],
    ["Time", took],
    ["Cost", cost === undefined ? undefined : money(cost)],
  ];
}

function table(all: readonly Row[]): string {
  const lines = all.flatMap(([name, value]) =>
    value === undefined ? [] : [`| ${name} | ${cell(clip(value, MOST_CELL))} |`],
  );
  return ["| | |", "|---|---|", ...lines].join("\n");
}
