/**
 * Quotas: how much of a kind a workspace may have at a time. Budgets guard what machines cost; quotas what no price shows:
 * a runaway loop on machines that cost nothing, and lists that nobody ever clears.
 *
 * Clusters, hosts and GPUs are counted in the workspace's budget, in the transaction that lets them begin. What is set up by
 * name is counted where it is made: see list.ts.
 */
import * as z from "zod";
import { MusterError } from "../error.ts";

/** That are alive: clusters until they have ended, hosts and GPUs while they run or are about to. */
export const ALIVE = ["clusters", "hosts", "gpus"] as const;
/** That are set up, until they are removed. */
export const SET_UP = ["schedules", "secrets", "targets", "pools", "images", "hooks", "webhooks"] as const;
export const QUOTAS = [...ALIVE, ...SET_UP] as const;

export type Alive = (typeof ALIVE)[number];
export type SetUp = (typeof SET_UP)[number];
export type Quota = (typeof QUOTAS)[number];

/** Until an admin says otherwise: far more than most need, and few enough that a loop that runs away is stopped. */
export const DEFAULTS: Readonly<Record<Quota, number>> = {
  clusters: 200,
  hosts: 2000,
  gpus: 1000,
  schedules: 200,
  secrets: 500,
  targets: 200,
  pools: 50,
  images: 200,
  hooks: 200,
  webhooks: 50,
};

/** null: as many as anybody likes. */
export const Limit = z.number().int().min(0).max(1_000_000).nullable().optional();

/** A shape with the same for each of them. */
export const each = <T>(limit: T) =>
  Object.fromEntries(QUOTAS.map(quota => [quota, limit])) as { readonly [quota in Quota]: T };

/** What an admin has set; what is absent is as it is by default. */
export const Limits = z.object(each(Limit));
export type Limits = z.infer<typeof Limits>;

/** So many of each are alive. GPUs may be parts of one. */
export const Counts = z.object({ clusters: z.number(), hosts: z.number(), gpus: z.number() });
export type Counts = z.infer<typeof Counts>;

export const NONE: Counts = { clusters: 0, hosts: 0, gpus: 0 };

/** What one cluster counts for, itself apart. */
export const Held = z.object({ hosts: z.number().int(), gpus: z.number().optional() });
export type Held = z.infer<typeof Held>;

export const held = (hosts: number, gpus: number): Held => ({ hosts, ...(gpus > 0 && { gpus }) });

/** A cluster that stands still. */
export const RESTS: Held = { hosts: 0 };

/** What changes. @param before absent: it was not counted, as none was before there were quotas */
export const difference = (before: Held | undefined, after: Held | undefined): Counts => ({
  clusters: Number(after !== undefined) - Number(before !== undefined),
  hosts: (after?.hosts ?? 0) - (before?.hosts ?? 0),
  gpus: (after?.gpus ?? 0) - (before?.gpus ?? 0),
});

export const isSome = (counts: Counts): boolean => ALIVE.some(quota => counts[quota] !== 0);

/** Never below none, whatever was written before. */
export const plus = (counts: Counts, more: Counts): Counts => ({
  clusters: Math.max(0, counts.clusters + more.clusters),
  hosts: Math.max(0, counts.hosts + more.hosts),
  gpus: Math.max(0, counts.gpus + more.gpus),
});

/** @returns undefined: there is none. */
export function limitOf(set: Limits | undefined, quota: Quota): number | undefined {
  const limit = set?.[quota];
  return limit === undefined ? DEFAULTS[quota] : (limit ?? undefined);
}

/** Nothing is ended where there is more than there may be: nothing more begins. @throws MusterError `quota_exceeded`. */
export function requireAlive(set: Limits | undefined, counts: Counts, more: Counts): void {
  for (const quota of ALIVE) if (more[quota] > 0) requireRoom(set, quota, counts[quota], more[quota]);
}

const WORDS: Partial<Readonly<Record<Quota, string>>> = { gpus: "GPUs" };
export const wordOf = (quota: Quota): string => WORDS[quota] ?? quota;

/** @throws MusterError `quota_exceeded`, with what is used, the limit, and who may raise it. */
export function requireRoom(set: Limits | undefined, quota: Quota, used: number, more: number): void {
  const limit = limitOf(set, quota);
  if (limit === undefined || used + more <= limit) return;
  const word = wordOf(quota);
  const message = `the workspace has ${used} of the ${limit} ${word} that it may have at a time; that would be ${more} more`;
  const see = (ALIVE as readonly Quota[]).includes(quota) ? "muster status" : `muster ${LISTS[quota as SetUp]} list`;
  throw new MusterError("quota_exceeded", message, {
    ...{ quota, used, limit, asked: more },
    hint: `end what is not needed (${see}), or let an admin raise the quota: muster quota --${quota} ${Math.ceil(used + more)}`,
  });
}

/** What their commands are called. */
const LISTS: Readonly<Record<SetUp, string>> = {
  schedules: "schedule",
  secrets: "secrets",
  targets: "targets",
  pools: "pool",
  images: "image",
  hooks: "hooks",
  webhooks: "webhooks",
};
