/**
 * The doorbell: after a commit, what has changed is reconciled at once. A ring may be lost, doubled or late: everything
 * that it starts is also found by a poll or by a deadline.
 */
import * as z from "zod";
import { reconcile as reconcileArray } from "./array/reconcile.ts";
import { Budget } from "./budget/budget.ts";
import { reconcile as reconcileBudget } from "./budget/reconcile.ts";
import * as Cluster from "./cluster/cluster.ts";
import { reconcile as reconcileCluster } from "./cluster/reconcile/reconcile.ts";
import { goOn } from "./deadletter/replay.ts";
import { Event } from "./event/event.ts";
import { moved, warned } from "./host/heard.ts";
import { kick } from "./host/kick.ts";
import { KINDS } from "./host/notice.ts";
import { reconcile as reconcileImage } from "./image/reconcile.ts";
import * as Job from "./job/job.ts";
import { reconcile as reconcileJob } from "./job/reconcile/reconcile.ts";
import { strand, wake } from "./job/waiting.ts";
import { reconcile as reconcileJobGroup } from "./jobgroup/reconcile.ts";
import * as Keys from "./keys.ts";
import { isEntry } from "./outbox/outbox.ts";
import { reconcile as reconcilePool } from "./pool/reconcile.ts";
import type { Change, Item } from "./ports/table.ts";
import type { World } from "./ports/world.ts";
import { load } from "./record.ts";
import { fire } from "./schedule/fire.ts";
import { forgetUnused } from "./secret/forget.ts";
import { run as runSweep } from "./sweep/run.ts";

const Grouped = z.object({ jobGroup: z.object({ id: z.string() }).optional() });
const Ref = z.object({ workspace: z.string(), clusterId: z.string() });

/** What a change asks for; as data, because one that failed is kept. */
export const Ring = z.discriminatedUnion("do", [
  z.object({ do: z.literal("drive"), machine: z.enum(["cluster-up", "cluster-down"]), ref: Ref, run: z.string() }),
  z.object({ do: z.literal("reconcile"), ref: Ref }),
  z.object({ do: z.literal("look"), workspace: z.string(), jobId: z.string() }),
  z.object({ do: z.literal("kick"), ref: Ref, ranks: z.array(z.number().int()) }),
  z.object({
    do: z.literal("over"),
    workspace: z.string(),
    jobId: z.string(),
    hadSecrets: z.boolean().optional(),
    jobGroup: z.string().optional(),
  }),
  z.object({ do: z.literal("strand"), ref: Ref }),
  z.object({ do: z.literal("array"), workspace: z.string(), id: z.string() }),
  z.object({ do: z.literal("pool"), workspace: z.string(), name: z.string() }),
  z.object({ do: z.literal("image"), workspace: z.string(), imageId: z.string() }),
  z.object({ do: z.literal("budget"), workspace: z.string() }),
  z.object({ do: z.literal("sweep"), workspace: z.string(), id: z.string() }),
  z.object({ do: z.literal("replay"), workspace: z.string(), id: z.string() }),
  // Of a dead letter only: these come from the cloud, not from the table.
  z.object({ do: z.literal("moved"), machineId: z.string() }),
  z.object({ do: z.literal("warned"), machineId: z.string(), kind: z.enum(KINDS) }),
]);
export type Ring = z.infer<typeof Ring>;

/** What the ring is about: the same thing is not answered twice at once. */
export function subjectOf(ring: Ring): string {
  if (ring.do === "look") return `job ${ring.workspace} ${ring.jobId}`;
  if (ring.do === "over") return `end of job ${ring.workspace} ${ring.jobId}`;
  if (ring.do === "array") return `array ${ring.workspace} ${ring.id}`;
  if (ring.do === "image") return `image ${ring.workspace} ${ring.imageId}`;
  if (ring.do === "sweep") return `sweep ${ring.workspace} ${ring.id}`;
  if (ring.do === "budget") return `workspace ${ring.workspace}`;
  if (ring.do === "pool") return `pool ${ring.workspace} ${ring.name}`;
  if (ring.do === "replay") return `letter ${ring.workspace} ${ring.id}`;
  if (ring.do === "moved" || ring.do === "warned") return `machine ${ring.machineId}`;
  const cluster = `${ring.ref.workspace} ${ring.ref.clusterId}`;
  if (ring.do === "strand") return `end of cluster ${cluster}`;
  return ring.do === "kick" ? `kick ${cluster} ${ring.ranks.join()}` : `cluster ${cluster}`;
}

/** Whose the ring is; nobody's: the deployment's own. */
export function workspaceOf(ring: Ring): string {
  if ("ref" in ring) return ring.ref.workspace;
  return "workspace" in ring ? ring.workspace : "";
}

/** Which states of a noun somebody must act on at once. */
const actions: Readonly<Record<string, "up" | "down" | "reconcile" | "look" | "strand">> = {
  "cluster.requested": "up",
  "cluster.starting": "up",
  "cluster.moving": "up",
  "cluster.growing": "up",
  "cluster.ready": "reconcile",
  "cluster.stopping": "reconcile",
  "cluster.draining": "down",
  "cluster.terminated": "strand",
  "cluster.failed": "strand",
  "job.waiting": "look",
  "job.recovering": "look",
  "job.queued": "reconcile",
  "job.starting": "look",
  "job.cancelling": "look",
  "job.succeeded": "reconcile",
  "job.failed": "reconcile",
  "job.cancelled": "reconcile",
  "job.timed_out": "reconcile",
  "array.queued": "reconcile",
};

/** Those of an image. */
const IMAGES: ReadonlySet<string> = new Set(["image.saving", "image.failed", "image.removing"]);

/** What is done to a pool, other than by what looks after it. */
const POOLS: ReadonlySet<string> = new Set(["pool.set", "pool.sized", "pool.taken", "pool.leaving"]);

/** Pure, so that a stream's filter and a test can ask it too. */
export function ringFor(change: Change): Ring | undefined {
  if ("removed" in change) return undefined;
  const { item } = change;
  if (item.type === "event") return ringForEvent(item);
  if (item.type === "job") return ringForJob(item);
  if (item.type === "array") return ringForArray(item);
  if (item.type === "sweep") return ringForSweep(item);
  if (item.type === "deadletter") return ringForLetter(item);
  if (item.type === "follow")
    return {
      do: "kick",
      ref: { workspace: String(item.data.workspace), clusterId: String(item.data.clusterId) },
      ranks: item.data.ranks as number[],
    };
  return undefined;
}

/** A verdict, before the event of the end; or the end itself, beside its event: others may wait for it. */
function ringForJob({ data }: Item): Ring | undefined {
  const job = { workspace: String(data.workspace), jobId: String(data.id) };
  if (data.verdict !== undefined) return { do: "look", ...job };
  const isOver = Job.kind.life.isTerminal(data.state as Job.State);
  // A run of an array has none of its own.
  const hadSecrets = data.hasSecrets === true && data.array === undefined;
  const { jobGroup } = Grouped.parse(data);
  const more = { ...(hadSecrets && { hadSecrets }), ...(jobGroup && { jobGroup: jobGroup.id }) };
  return isOver ? { do: "over", ...job, ...more } : undefined;
}

/** The end of an array; or a batch of its runs that are to be told of theirs. */
function ringForArray({ data }: Item): Ring | undefined {
  const [workspace, id] = [String(data.workspace), String(data.id)];
  if (data.endedAt !== undefined)
    return { do: "over", workspace, jobId: id, ...(data.hasSecrets === true && { hadSecrets: true }) };
  return data.round === undefined ? undefined : { do: "array", workspace, id };
}

/** Somebody wants it tried anew; what is done outside is another's to do. */
const ringForLetter = ({ data }: Item): Ring | undefined =>
  data.replayedAt === undefined || isEntry(data.ring)
    ? undefined
    : { do: "replay", workspace: String(data.workspace), id: String(data.id) };

/** One that is done has nothing more to ask for. */
const ringForSweep = ({ data }: Item): Ring | undefined =>
  data.state === "asked" ? { do: "sweep", workspace: String(data.workspace), id: String(data.id) } : undefined;

function ringForEvent(item: Item): Ring | undefined {
  const event = Event.parse(item.data);
  const [, workspace = "", , name = ""] = item.pk.split("#");
  if (POOLS.has(event.kind)) return { do: "pool", workspace, name };
  if (IMAGES.has(event.kind)) return { do: "image", workspace, imageId: event.subject };
  if (event.kind === "budget.frozen") return { do: "budget", workspace };
  const action = actions[event.kind];
  if (action === undefined || event.clusterId === undefined) return undefined;
  const ref = { workspace, clusterId: event.clusterId };
  if (action === "look") return { do: "look", workspace, jobId: event.subject };
  if (action === "up") return { do: "drive", machine: "cluster-up", ref, run: event.id };
  if (action === "down") return { do: "drive", machine: "cluster-down", ref, run: event.id };
  return { do: action, ref };
}

export async function answer(world: World, ring: Ring): Promise<void> {
  switch (ring.do) {
    case "drive":
      return drive(world, ring);
    case "reconcile":
      return lookAfter(world, ring.ref);
    case "look":
      return reconcileJob(world, ring);
    case "kick":
      return kick(world, ring.ref, ring.ranks);
    case "over":
      return jobOver(world, ring);
    case "strand":
      await strand(world, ring.ref);
      return tellPool(world, ring.ref);
    case "pool":
      return reconcilePool(world, ring);
    case "array":
      return reconcileArray(world, ring);
    case "budget":
      return reconcileBudget(world, { workspace: ring.workspace });
    case "sweep":
      return runSweep(world, ring);
    case "image":
      await reconcileImage(world, ring);
      return;
    case "replay":
      return goOn(world, ring, again => answer(world, Ring.parse(again)));
    case "moved":
      await moved(world, ring.machineId);
      return;
    case "warned":
      await warned(world, ring.machineId, ring.kind);
  }
}

/** A cluster, and the pool that keeps it: what becomes of it is the pool's to answer. */
async function lookAfter(world: World, ref: z.infer<typeof Ref>): Promise<void> {
  const cluster = await reconcileCluster(world, ref);
  if (cluster?.pool !== undefined) await reconcilePool(world, { workspace: ref.workspace, name: cluster.pool });
}

async function tellPool(world: World, { workspace, clusterId }: z.infer<typeof Ref>): Promise<void> {
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(workspace, clusterId));
  if (cluster?.pool !== undefined) await reconcilePool(world, { workspace, name: cluster.pool });
}

/** A job has ended: its secrets are nobody's, and others may have waited for it, or end with it. */
async function jobOver(world: World, ring: Extract<Ring, { do: "over" }>): Promise<void> {
  const { workspace, jobId, hadSecrets, jobGroup } = ring;
  if (hadSecrets) await forgetUnused(world, { workspace, owner: jobId });
  if (jobGroup !== undefined) await reconcileJobGroup(world, { workspace, id: jobGroup });
  await wake(world, { workspace, jobId });
}

/** A workflow drives the cluster in time, where there is one; where there is none, this call goes as far as it can. */
async function drive(world: World, ring: Extract<Ring, { do: "drive" }>): Promise<void> {
  const name = `${ring.machine}-${ring.ref.clusterId}-${ring.run.slice("evt_".length)}`;
  if (!(await world.workflow.start(ring.machine, name, { ...ring.ref }))) return lookAfter(world, ring.ref);
  // Its place is another's at once, however long its end takes.
  if (ring.machine === "cluster-down") await tellPool(world, ring.ref);
}

/** Reconciles whatever an item that is due belongs to. */
export async function answerDue(
  world: World,
  due: { readonly type: string; readonly data: Readonly<Record<string, unknown>> },
): Promise<void> {
  const workspace = String(due.data.workspace);
  const id = String(due.data.id);
  if (due.type === "cluster") await lookAfter(world, { workspace, clusterId: id });
  if (due.type === "array") await reconcileArray(world, { workspace, id });
  if (due.type === "job") await reconcileJob(world, { workspace, jobId: id });
  if (due.type === "jobgroup") await reconcileJobGroup(world, { workspace, id });
  if (due.type === "image") await reconcileImage(world, { workspace, imageId: id });
  if (due.type === "pool") await reconcilePool(world, { workspace, name: String(due.data.name) });
  if (due.type === "sweep") await runSweep(world, { workspace, id });
  if (due.type === "budget") await reconcileBudget(world, Budget.parse(due.data));
  if (due.type === "schedule") await fire(world, { workspace, name: String(due.data.name) });
}
