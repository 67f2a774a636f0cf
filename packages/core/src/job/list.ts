/** Jobs of a workspace or of a cluster, newest first, from an index: one that was submitted this instant may be missing. */
import { encodeTime } from "ulid";
import type { Actor } from "../actor/actor.ts";
import * as JobArray from "../array/array.ts";
import { requireArray } from "../array/read.ts";
import { withValues } from "../array/shown.ts";
import { find as findCluster } from "../cluster/find.ts";
import * as Keys from "../keys.ts";
import { filtered, type PageRequest } from "../page.ts";
import type { Page, Sighting, Table } from "../ports/table.ts";
import { glimpse } from "../record.ts";
import { type Filter, isPast, matcher } from "./filter.ts";
import * as Job from "./job.ts";

type Part = { readonly table: Table };

export interface ListRequest extends PageRequest, Filter {
  readonly cluster?: string | undefined;
  /** Its runs, those that have begun, in the order of their indices. */
  readonly array?: string | undefined;
}

/**
 * A page looks at a thousand jobs at most, whatever the filter leaves out: it may be short, or empty, and not the last.
 * @throws MusterError `not_found` (the cluster), `invalid_request` (the filter).
 */
export async function list(
  world: Part,
  actor: Actor,
  request: ListRequest,
): Promise<{ items: Job.Info[]; cursor?: string }> {
  const matches = matcher(request, actor.id);
  const index = await indexOf(world, actor, request);
  const order = { order: "descending", ...before(request.until) } as const;
  const range = request.array === undefined ? { ...index, ...order } : index;
  const page = await filtered(
    async (cursor, limit) => within(request, await world.table.query({ ...range, limit, ...(cursor && { cursor }) })),
    request.limit,
    request.cursor,
    sighting => {
      const info = infoOf(sighting);
      return matches(info) ? info : undefined;
    },
  );
  return request.array === undefined
    ? page
    : { ...page, items: await withValues(world.table, actor.workspace, page.items) };
}

/** An array stands among the jobs; its runs, in the order of their indices, are found by it alone. */
const infoOf = (sighting: Sighting): Job.Info =>
  sighting.type === JobArray.noun.type
    ? JobArray.info(glimpse(JobArray.noun, sighting))
    : Job.info(glimpse(Job.noun, sighting));

async function indexOf(world: Part, actor: Actor, { array, cluster }: ListRequest) {
  if (array !== undefined) {
    await requireArray(world, actor, array);
    return { pk: Keys.jobsOf(actor.workspace, array), index: "link" } as const;
  }
  if (cluster === undefined) return { pk: Keys.list(actor.workspace, "job", "").pk, index: "list" } as const;
  const { id } = await findCluster(world, actor, cluster);
  return { pk: Keys.jobsOf(actor.workspace, id), index: "link" } as const;
}

/** The last moment that an id can tell: it has 48 bits for it. */
const END_OF_TIME = 2 ** 48 - 1;

/** Ids begin with their time: what came later is not read at all. */
const before = (until: number | undefined): { upTo?: string } =>
  until === undefined ? {} : { upTo: `job_${encodeTime(Math.min(END_OF_TIME, Math.max(0, Math.floor(until))))}~` };

/** The list ends where what follows is older than was asked for. */
const within = (request: Filter, { items, cursor }: Page<Sighting>): Page<Sighting> => {
  const last = items.at(-1);
  const ends = last !== undefined && isPast(request, String(last.data.id));
  return { items, ...(cursor !== undefined && !ends && { cursor }) };
};
