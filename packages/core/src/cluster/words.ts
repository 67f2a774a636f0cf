/**
 * What is written beside a cluster's record, because it may be long: the texts and hours of the idle policy that the control
 * plane keeps, and why somebody holds the cluster. Whoever changes a policy writes both in one transaction.
 */
import * as z from "zod";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Table, Write } from "../ports/table.ts";
import * as Cluster from "./cluster.ts";
import { Keep } from "./hours.ts";
import { type Idle, type Kept, powerOffOf, watched } from "./idle.ts";

const Words = z.object({
  command: z.string().optional(),
  keep: Keep.optional(),
  /** The hook's. */
  run: z.string().optional(),
  /** Of the hold. */
  reason: z.string().optional(),
});
type Words = z.infer<typeof Words>;

type Ref = Pick<Cluster.Cluster, "workspace" | "id">;

async function find(table: Table, { workspace, id }: Ref): Promise<{ words: Words; version: number | undefined }> {
  const item = await table.get(Keys.clusterWords(workspace, id));
  return { words: item === undefined ? {} : Words.parse(item.data), version: item?.version };
}

const put = ({ workspace, id }: Ref, words: Words, version: number | undefined): Write => ({
  put: { ...Keys.clusterWords(workspace, id), type: "words", data: words },
  expect: version ?? "absent",
});

/** The policy as a record has it, and what is written beside. */
function split(idle: Idle): { kept: Kept; words: Words } {
  if (idle === "never") return { kept: idle, words: {} };
  const { command, keep, hook, ...short } = idle;
  const kept: Kept = {
    ...short,
    ...(command !== undefined && { command: true }),
    ...(keep && { keep: true }),
    ...(hook && { hook: { timeout: hook.timeout } }),
  };
  const words = { ...(command !== undefined && { command }), ...(keep && { keep }), ...(hook && { run: hook.run }) };
  return { kept, words };
}

/** The policy with what is beside it. What it says itself stands; what is not there it does not have. */
function join(kept: Kept, words: Words): Idle {
  if (kept === "never") return kept;
  const { command, keep, hook, ...short } = kept;
  const run = hook?.run ?? words.run;
  const own = {
    command: command === true ? words.command : command,
    keep: keep === true ? words.keep : keep,
    hook: hook && run !== undefined ? { ...hook, run } : undefined,
  };
  const said = Object.entries(own).filter(([, value]) => value !== undefined);
  return { ...short, ...Object.fromEntries(said) };
}

const isSplit = (kept: Kept): boolean =>
  kept !== "never" &&
  (kept.command === true || kept.keep === true || (kept.hook && kept.hook.run === undefined) === true);

/** The policy that the control plane keeps, whole. It reads only where something is beside the record. */
export async function policyOf(table: Table, cluster: Cluster.Cluster): Promise<Idle> {
  const kept = Cluster.policyOf(cluster);
  return join(kept, isSplit(kept) ? (await find(table, cluster)).words : {});
}

/** The cluster as the API shows it alone: with all of its policy, and why it is held. */
export async function infoOf(table: Table, cluster: Cluster.Cluster): Promise<Cluster.Info> {
  const info = Cluster.info(cluster);
  const { hold } = cluster;
  if (!isSplit(info.idle) && hold?.reason === undefined) return info;
  const { words } = await find(table, cluster);
  const { reason } = words;
  const held = info.hold && { hold: { ...info.hold, ...(hold?.reason && reason !== undefined && { reason }) } };
  return { ...info, ...held, idle: join(info.idle, words) };
}

/** A policy for a new cluster. */
export function begun(ref: Ref, idle: Idle): { readonly idle: Kept; readonly writes: readonly Write[] } {
  const { kept, words } = split(idle);
  return { idle: kept, writes: Object.keys(words).length === 0 ? [] : [put(ref, words, undefined)] };
}

interface Change {
  /** Fields of the record. */
  readonly patch: Pick<Cluster.Cluster, "nextIdle" | "watchFrom"> & { readonly idle?: Kept };
  readonly writes: readonly Write[];
  readonly idle: Idle;
}

/**
 * Where another policy stands in the record: machines that do something else by themselves, or were perhaps told to, must learn
 * of it first; see reconcile/policy.ts.
 */
export const asTold = (
  { idle, nextIdle }: Cluster.Cluster,
  kept: Kept,
): { readonly idle: Kept } | { readonly nextIdle: Kept } =>
  nextIdle === undefined && powerOffOf(kept) === powerOffOf(idle) ? { idle: kept } : { nextIdle: kept };

/**
 * Another policy for a cluster that is there.
 * @param now epoch ms
 * @throws MusterError `invalid_request` where it says that something stays as it is that is not there.
 */
export async function changed(table: Table, cluster: Cluster.Cluster, asked: Kept, now: number): Promise<Change> {
  const before = Cluster.policyOf(cluster);
  const asIs = { words: {} as Words, version: undefined };
  const mayHave = isSplit(before) || hasMore(asked);
  const { words: old, version } = mayHave ? await find(table, cluster) : asIs;
  const idle = requireWhole(asked, join(asked, wordsOf(before, old)));
  const { kept, words } = split(idle);
  const isSame = JSON.stringify(watched(idle)) === JSON.stringify(watched(join(before, old)));
  const watchFrom = isSame ? cluster.watchFrom : now;
  const { reason } = old;
  const next = { ...words, ...(reason !== undefined && { reason }) };
  return {
    idle,
    patch: { ...asTold(cluster, kept), ...(watchFrom !== undefined && { watchFrom }) },
    writes: mayHave && (version !== undefined || hasMore(idle)) ? [put(cluster, next, version)] : [],
  };
}

const hasMore = (idle: Kept): boolean => idle !== "never" && (idle.command ?? idle.keep ?? idle.hook) !== undefined;

/** What its policy has: what an older one had may still be written there. */
function wordsOf(before: Kept, old: Words): Words {
  const idle = join(before, old);
  return idle === "never" ? {} : split(idle).words;
}

function requireWhole(asked: Kept, idle: Idle): Idle {
  if (asked === "never" || idle === "never") return idle;
  const missing = (["command", "keep", "hook"] as const).filter(part => asked[part] && !idle[part]);
  if (missing.length === 0) return idle;
  throw new MusterError("invalid_request", "the cluster's idle policy has nothing of this to keep", {
    issues: missing.map(part => ({ path: `idle.${part}`, message: "is not there to stay as it is: write it out" })),
    hint: "see its policy with: muster status",
  });
}

/** The write of why it is held; none where nothing was said, now or before. */
export async function reasoned(table: Table, ref: Ref, reason: string | undefined): Promise<readonly Write[]> {
  if (reason === undefined) return [];
  const { words, version } = await find(table, ref);
  return [put(ref, { ...words, reason }, version)];
}
