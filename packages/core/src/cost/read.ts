/**
 * What a month has cost, and by what. Totals and users are known exactly, from an item each; clusters and jobs are read from
 * their records, the newest first, and of many only so many.
 */
import * as z from "zod";
import type { Actor } from "../actor/actor.ts";
import * as JobArray from "../array/array.ts";
import * as Budget from "../budget/budget.ts";
import * as Cluster from "../cluster/cluster.ts";
import { freeFrom, stoppedDeadline } from "../cluster/idle.ts";
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import { readable } from "../page.ts";
import type { Sighting } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { glimpse, read } from "../record.ts";
import { MILLION } from "./amount.ts";
import { costAt, costIn } from "./cost.ts";
import { spentIn } from "./meter.ts";
import { Month, monthOf } from "./month.ts";

export const By = z.enum(["user", "cluster", "job", "label"]);
export const Query = z.object({
  by: By.default("user"),
  month: Month.optional().meta({ description: "Such as 2026-11, in UTC; absent: this one" }),
});
export type Query = z.infer<typeof Query>;

const Item = z.object({
  id: z.string().meta({ description: "Id of a user, a cluster or a job; or a label, such as team=vision" }),
  name: z.string().optional(),
  cost: z.number().meta({ description: "US dollars" }),
  hourly: z.number().optional().meta({ description: "US dollars per hour, now" }),
  stopped: z.boolean().optional().meta({ description: "A cluster that is stopped: its disks are what it costs now" }),
  endsAt: z.number().optional().meta({ description: "Epoch milliseconds at which a stopped cluster's policy ends it" }),
});
type Item = z.infer<typeof Item>;

/** In US dollars. */
export const Costs = z.object({
  month: z.string(),
  by: By,
  total: z.number().meta({ description: "What the workspace has spent in this month" }),
  forecast: z.number().optional().meta({ description: "Of this month: what it will come to as things go on" }),
  items: z.array(Item).meta({ description: "Dearest first; what cost nothing is left out" }),
  complete: z.boolean().meta({
    description:
      "False where there are more records than were read, or a cluster's share of this month is not known any more",
  }),
});
export type Costs = z.infer<typeof Costs>;

/** The most records that one answer is made from. */
export const MOST_READ = 2000;

type Part = Pick<Basics, "table" | "clock">;
interface Found {
  readonly items: readonly Item[];
  readonly complete: boolean;
}

export async function costs(world: Part, actor: Actor, { by, month: asked }: Query): Promise<Costs> {
  const now = world.clock.now();
  const month = asked ?? monthOf(now);
  const whole = await Budget.get(world.table, actor.workspace);
  const total = await spent(world, whole, month);
  const { items, complete } = await finders[by](world, actor.workspace, month);
  return {
    ...{ month, by, total: total / MILLION },
    ...(month === monthOf(now) && { forecast: Budget.info(whole, now).monthly.forecast }),
    items: items.filter(item => item.cost !== 0).toSorted((a, b) => b.cost - a.cost),
    complete,
  };
}

async function spent({ table, clock }: Part, { meter, workspace }: Budget.Budget, month: string): Promise<number> {
  const open = spentIn(meter, month, clock.now());
  return open ?? Number((await table.get(Keys.closedMonth(workspace, month)))?.data.spent ?? 0);
}

type Finder = (world: Part, workspace: string, month: string) => Promise<Found>;

const ofUsers: Finder = async ({ table, clock }, workspace, month) => {
  const { pk } = Keys.budget(workspace);
  const [users, closed] = await Promise.all([
    table.query({ pk, prefix: Keys.USER_BUDGET, limit: 1000 }),
    table.query({ pk, prefix: Keys.closedMonths(month), limit: 1000 }),
  ]);
  const past = new Map(closed.items.map(({ data }) => [data.user, Number(data.spent)]));
  const now = clock.now();
  const items = users.items.flatMap(item => {
    const budget = readable(() => read(Budget.noun, item));
    if (budget?.user === undefined) return [];
    const cost = (spentIn(budget.meter, month, now) ?? past.get(budget.user) ?? 0) / MILLION;
    return [{ id: budget.user, cost, ...rate(budget.meter?.hourly) }];
  });
  return { items, complete: users.cursor === undefined && closed.cursor === undefined };
};

const rate = (hourly: number | undefined) => (hourly ? { hourly: hourly / MILLION } : {});

const ofClusters: Finder = async (world, workspace, month) => {
  const found = await newest(world, workspace, "cluster", item => glimpse(Cluster.noun, item));
  const now = world.clock.now();
  const parts = found.items.map(cluster => ({ cluster, in: costIn(cluster.cost, month, now) }));
  return {
    items: parts.map(({ cluster, in: cost = 0 }) => ({
      ...{ id: cluster.id, name: cluster.name, cost: cost / MILLION },
      ...rate(cluster.cost?.hourly),
      ...(cluster.state === "stopped" && resting(cluster)),
    })),
    complete: found.complete && parts.every(part => part.in !== undefined),
  };
};

function resting(cluster: Cluster.Cluster): Pick<Item, "stopped" | "endsAt"> {
  const byPolicy = stoppedDeadline(Cluster.policyOf(cluster), cluster.changedAt);
  const endsAt = byPolicy === undefined ? undefined : freeFrom({ hold: cluster.hold }, byPolicy);
  return { stopped: true, ...(endsAt !== undefined && { endsAt }) };
}

interface Spent {
  readonly job: Job.Job | JobArray.JobArray;
  readonly cost: number;
}

/** Jobs of the month in which they ended; those that go on are of this one. Runs of arrays are in no list: their arrays are. */
async function jobsIn(world: Part, workspace: string, month: string) {
  const found = await newest(world, workspace, "job", item =>
    item.type === JobArray.noun.type ? glimpse(JobArray.noun, item) : glimpse(Job.noun, item),
  );
  const now = world.clock.now();
  const items = found.items.flatMap((job): Spent[] => {
    const at = "endedAt" in job ? job.endedAt : now;
    return monthOf(at) === month ? [{ job, cost: costAt(job.cost, now) / MILLION }] : [];
  });
  return { items, complete: found.complete };
}

const ofJobs: Finder = async (world, workspace, month) => {
  const { items, complete } = await jobsIn(world, workspace, month);
  const shown = ({ job: { id, name, cost: known }, cost }: Spent) => ({
    ...{ id, cost, ...(name !== undefined && { name }) },
    ...rate(known?.hourly),
  });
  return { items: items.map(shown), complete };
};

const ofLabels: Finder = async (world, workspace, month) => {
  const { items, complete } = await jobsIn(world, workspace, month);
  const sums = new Map<string, number>();
  for (const { job, cost } of items)
    for (const [key, value] of Object.entries(job.labels ?? {})) {
      const label = value === "" ? key : `${key}=${value}`;
      sums.set(label, (sums.get(label) ?? 0) + cost);
    }
  return { items: [...sums].map(([id, cost]) => ({ id, cost })), complete };
};

const finders: Readonly<Record<z.infer<typeof By>, Finder>> = {
  user: ofUsers,
  cluster: ofClusters,
  job: ofJobs,
  label: ofLabels,
};

/** The newest records of a kind, from an index. */
async function newest<T>(
  { table }: Part,
  workspace: string,
  noun: string,
  form: (item: Sighting) => T,
): Promise<{ items: T[]; complete: boolean }> {
  const { pk } = Keys.list(workspace, noun, "");
  const items: T[] = [];
  let cursor: string | undefined;
  for (let looked = 0; looked < MOST_READ; ) {
    const page = await table.query({
      ...{ pk, index: "list", order: "descending", limit: 1000 },
      ...(cursor !== undefined && { cursor }),
    });
    for (const item of page.items) {
      const one = readable(() => form(item));
      if (one !== undefined) items.push(one);
    }
    looked += Math.max(1, page.items.length);
    cursor = page.cursor;
    if (cursor === undefined) return { items, complete: true };
  }
  return { items, complete: false };
}
