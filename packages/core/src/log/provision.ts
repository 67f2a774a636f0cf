/**
 * The phase `provision`: what happened to a job and its cluster until a try had its hosts, one line for each event. It can
 * be read while there is no machine yet, and when all of them are gone.
 */
import { Event, PREFIX } from "../event/event.ts";
import type * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Key, Table } from "../ports/table.ts";

export interface Line {
  readonly attempt: number;
  /** Its place among those of this try. */
  readonly sequence: number;
  /** Epoch ms. */
  readonly at: number;
  readonly text: string;
}

type Part = { readonly table: Table };

const READ = 100;
/** A cluster that has come to one of these is a new story from then on. */
const SETTLED = new Set(["cluster.ready", "cluster.stopped", "cluster.terminated", "cluster.failed"]);
/** While there were hosts, the other phases tell what happened. */
const LATER = new Set(["job.running", "job.cancelling", "job.succeeded"]);

/** What led, or will lead, to this try, in order. */
export async function provisioning(world: Part, job: Job.Job, attempt: number): Promise<Line[]> {
  const history = await eventsBack(world, Keys.job(job.workspace, job.id), () => false);
  const starts = history.filter(event => event.kind === "job.starting");
  const from = starts[attempt - 2]?.at;
  const to = starts[attempt - 1]?.at ?? ("endedAt" in job ? job.endedAt : Number.POSITIVE_INFINITY);
  const own = history.filter(({ kind, at }) => !LATER.has(kind) && (from === undefined || at > from) && at <= to);
  // What a cluster that was not ready when the job came had been through before, belongs to the job's story.
  const isBefore = ({ kind, at }: Event) => (from === undefined ? at < job.createdAt && SETTLED.has(kind) : at <= from);
  const cluster = await eventsBack(world, Keys.cluster(job.workspace, job.clusterId), isBefore);
  return [...cluster.filter(({ at }) => at <= to), ...own]
    .toSorted((one, other) => one.at - other.at)
    .map((event, sequence) => ({ attempt, sequence, at: event.at, text: lineOf(event, job) }));
}

/** A noun's history in order, from behind the last event for which `stop` holds. */
async function eventsBack(world: Part, owner: Key, stop: (event: Event) => boolean): Promise<Event[]> {
  const range = { pk: owner.pk, prefix: `${PREFIX}${owner.sk}#`, order: "descending", limit: READ } as const;
  const found: Event[] = [];
  let cursor: string | undefined;
  do {
    const page = await world.table.query({ ...range, ...(cursor !== undefined && { cursor }) });
    for (const item of page.items) {
      const event = Event.parse(item.data);
      if (stop(event)) return found.reverse();
      found.push(event);
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found.reverse();
}

function lineOf(event: Event, job: Job.Job): string {
  const [noun, state = ""] = event.kind.split(".");
  const name = noun === "cluster" ? job.clusterName : job.id;
  const why = event.message === undefined ? "" : `: ${event.message.replaceAll(/\s+/g, " ")}`;
  return `${new Date(event.at).toISOString()} ${noun} ${name} ${state.replaceAll("_", " ")}${why}\n`;
}
