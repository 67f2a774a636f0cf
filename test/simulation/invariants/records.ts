/** What must hold of every commit. */
import * as JobArray from "@muster/core/array/array.ts";
import * as Attempt from "@muster/core/attempt/attempt.ts";
import * as Budget from "@muster/core/budget/budget.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import type { Slots } from "@muster/core/cluster/slots.ts";
import * as Host from "@muster/core/host/host.ts";
import * as Job from "@muster/core/job/job.ts";
import * as Keys from "@muster/core/keys.ts";
import type { Lifecycle } from "@muster/core/lifecycle.ts";
import type { Box } from "../ports/cloud.ts";
import type { Written } from "../ports/table.ts";
import type { Process } from "../process.ts";
import type { Sim } from "../sim.ts";
import { checkGone } from "./arrays.ts";
import { checkRoom } from "./room.ts";

interface Moved {
  readonly id: string;
  readonly state: string;
  /** Of a cluster that is made anew. */
  readonly renew?: boolean;
  /** Of a job that is one run of an array. */
  readonly array?: unknown;
}

const lives: Readonly<Record<string, Lifecycle<string, string>>> = {
  cluster: Cluster.kind.life,
  job: Job.kind.life,
  array: JobArray.kind.life,
  host: Host.kind.life,
  attempt: Attempt.kind.life,
};

/** Where a record may begin besides. */
const begins = (type: string, is: Moved): readonly string[] => {
  if (type !== "job") return [];
  return is.array === undefined ? ["waiting"] : ["cancelled"];
};

export function watchRecords(sim: Sim): void {
  sim.db.observers.push((process, written) => {
    checkWorkspace(sim, process, written);
    for (const one of written) {
      const type = (one.after ?? one.before)?.type ?? "";
      const life = lives[type];
      if (life) checkMove(sim, one, type, life, written);
      if (one.after) checks[type]?.(sim, one);
    }
  });
}

/** I15: whoever works for one tenant writes nothing of another's. */
function checkWorkspace(sim: Sim, process: Process, written: readonly Written[]): void {
  const owned = written.filter(({ key }) => !key.pk.startsWith(Keys.SHARED));
  const workspaces = new Set(owned.map(({ key }) => key.pk.split("#")[1]));
  if (process.workspace !== undefined) workspaces.add(process.workspace);
  if (workspaces.size > 1)
    sim.violate("I15", `${process.name} wrote for ${[...workspaces].join(" and ")}: ${written.map(one => one.key.pk)}`);
}

/** I8: a change of state is a move of the life table, with its event beside it; what is over stays as it is. */
function checkMove(
  sim: Sim,
  { before, after }: Written,
  type: string,
  life: Lifecycle<string, string>,
  written: readonly Written[],
): void {
  const was = before?.data as unknown as Moved | undefined;
  const is = after?.data as unknown as Moved | undefined;
  if (is === undefined) checkGone(sim, type, before, written);
  else if (was?.state === is.state) checkRest(sim, type, life, is);
  else checkStep(sim, type, life, was?.state ?? (isUnwritten(type, is) ? life.initial : undefined), is, written);
  const isEnding = was?.state === "draining" && !was.renew;
  if (isEnding && is && is.state !== was.state && !life.isTerminal(is.state))
    sim.violate("I13", `${type} ${is.id} went back from its removal to ${is.state}`);
}

/**
 * An attempt is assigned by its slot, and written when it first moves. A run of an array waits within that, and is written
 * when it is placed; one that never was, only ends.
 */
const isUnwritten = (type: string, is: Moved): boolean =>
  type === "attempt" || (type === "job" && is.array !== undefined && is.state !== "cancelled");

/** A host that is gone may still learn its machine's name. */
function checkRest(sim: Sim, type: string, life: Lifecycle<string, string>, is: Moved): void {
  if (life.isTerminal(is.state) && type !== "host") sim.violate("I8", `${type} ${is.id} changed after its end`);
}

function checkStep(
  sim: Sim,
  type: string,
  life: Lifecycle<string, string>,
  from: string | undefined,
  is: Moved,
  written: readonly Written[],
): void {
  const targets: readonly unknown[] =
    from === undefined ? [life.initial, ...begins(type, is)] : Object.values(life.moves[from] ?? {});
  if (!targets.includes(is.state)) sim.violate("I8", `${type} ${is.id} went from ${from ?? "nothing"} to ${is.state}`);
  const isSilent = type === "host" && from === undefined;
  if (!isSilent && !hasEvent(written, type, is, from))
    sim.violate("I8", `${type} ${is.id} came to ${is.state} without its event`);
}

const hasEvent = (written: readonly Written[], type: string, is: Moved, from: string | undefined): boolean =>
  written.some(
    ({ before, after }) =>
      before === undefined &&
      after?.type === "event" &&
      after.data.subject === is.id &&
      after.data.kind === `${type}.${is.state}` &&
      (type === "attempt" || after.data.from === from),
  );

/** How many hosts the failure says are gone; all, when it names no number, and none when it is another failure. */
function saidGone({ nodes, failure }: Extract<Cluster.Cluster, { state: "draining" }>): number {
  if (failure?.code !== "machines_lost" && failure?.code !== "hosts_lost") return Number.NEGATIVE_INFINITY;
  const said = /^(\d+) of its/.exec(failure.message);
  return said === null ? nodes : Number(said[1]);
}

function checkCluster(sim: Sim, { before, after }: Written): void {
  const cluster = after?.data as unknown as Cluster.Cluster;
  if (before === undefined) checkName(sim, cluster);
  checkBudget(sim, cluster);
  if (before?.data.state === cluster.state) return;
  const lock = sim.db.get(Keys.clusterName(cluster.workspace, cluster.name));
  if (Cluster.isOver(cluster) && lock?.data.clusterId === cluster.id)
    sim.violate("I7", `cluster ${cluster.id} is ${cluster.state} and still has its name`);
  const mine = sim.cloud.boxes.filter(box => box.clusterId === cluster.id);
  const left = mine.filter(box => box.state !== "terminated");
  if (Cluster.isOver(cluster) && left.length > 0)
    sim.violate("I5", `cluster ${cluster.id} is ${cluster.state}; ${left.map(box => `${box.id} is ${box.state}`)}`);
  checkDisks(sim, cluster, before);
  if (cluster.state === "draining") checkGivenUp(sim, cluster, left, before);
}

/** I20: disks that are snapshots stay that until their cluster has worked again. */
function checkDisks(sim: Sim, cluster: Cluster.Cluster, before: Written["before"]): void {
  const was = before?.data.snapshotOf;
  if (was !== undefined && cluster.snapshotOf === undefined && cluster.state !== "ready")
    sim.violate("I20", `cluster ${cluster.id} is ${cluster.state}, and its snapshots are its disks no more`);
}

function checkGivenUp(
  sim: Sim,
  cluster: Extract<Cluster.Cluster, { state: "draining" }>,
  left: readonly Box[],
  before: Written["before"],
): void {
  // I12: nobody is given up for missing who is there: as many are gone, or can reach nobody, as the failure says.
  const there = left.filter(box => !box.isSick && box.cutUntil <= sim.now);
  if (there.length > cluster.nodes - saidGone(cluster))
    sim.violate("I12", `cluster ${cluster.id} is given up; ${there.map(box => `${box.id} is ${box.state}`)}`);
  if (cluster.failure === undefined) return;
  const why = `cluster ${cluster.id} is given up for ${cluster.failure.code}`;
  // I20: missing machines end no cluster whose disks wait for some, or that works and should grow.
  if (before?.data.snapshotOf !== undefined) sim.violate("I20", `${why}, and its disks with it`);
  if (before?.data.before !== undefined) sim.violate("I20", `${why}, when it was to grow`);
}

/** States in which machines may run. */
const COSTLY: ReadonlySet<string> = new Set(["requested", "launching", "booting", "ready", "stopping", "starting"]);

/** What the groups cost, each by its offer, and by its estimate until it has one. */
function costOf(sim: Sim, cluster: Cluster.Cluster): number {
  const launch = "launch" in cluster ? cluster.launch : undefined;
  const offers = launch === undefined ? [] : [...(launch.made ?? []), launch.offer];
  const spec = sim.db.get(Keys.clusterSpec(cluster.workspace, cluster.id))?.data as unknown as Cluster.Spec;
  const costs = (cluster.groups ?? []).map(({ nodes }, index) => {
    const offer = offers[index];
    return offer === undefined ? (spec.groups[index]?.takes ?? 0) : Budget.amountOf(offer, nodes);
  });
  return costs.reduce((sum, cost) => sum + cost, 0);
}

/** I18: what may run is paid for, what is over takes nothing, and a workspace never takes more than it may. */
function checkBudget(sim: Sim, cluster: Cluster.Cluster): void {
  const due = COSTLY.has(cluster.state) ? costOf(sim, cluster) : 0;
  const takes = cluster.takes ?? 0;
  // One that is made anew keeps the share of its last machines until it has others.
  const isRenewed = cluster.state === "requested" && cluster.generation > 1;
  if (!isRenewed && COSTLY.has(cluster.state) && takes !== due)
    sim.violate("I18", `cluster ${cluster.id} is ${cluster.state} and takes ${takes} of ${due}`);
  if ((Cluster.isOver(cluster) || cluster.state === "stopped") && takes > 0)
    sim.violate("I18", `cluster ${cluster.id} is ${cluster.state} and still takes ${takes}`);
  const item = sim.db.get(Keys.budget(cluster.workspace));
  const { taken, ceiling } = (item?.data ?? { taken: 0, ceiling: Budget.DEFAULT_CEILING }) as Budget.Budget;
  const sum = [...sim.db.all("cluster")]
    .map(one => one.data as unknown as Cluster.Cluster)
    .filter(one => one.workspace === cluster.workspace)
    .reduce((total, one) => total + (one.takes ?? 0), 0);
  if (sum !== taken || taken > (ceiling ?? Infinity))
    sim.violate("I18", `${cluster.workspace} has taken ${taken} of ${ceiling}; its clusters take ${sum}`);
}

/** I6: one cluster that lives per name. */
function checkName(sim: Sim, cluster: Cluster.Cluster): void {
  for (const item of sim.db.all("cluster")) {
    const other = item.data as unknown as Cluster.Cluster;
    const isSame = other.workspace === cluster.workspace && other.name.toLowerCase() === cluster.name.toLowerCase();
    if (isSame && other.id !== cluster.id && !Cluster.isOver(other))
      sim.violate("I6", `${cluster.id} and ${other.id} are both named ${cluster.name}`);
  }
}

function checkJob(sim: Sim, { before, after }: Written): void {
  const job = after?.data as unknown as Job.Job;
  if (Job.isPlaced(job)) checkPlacement(sim, job);
  else checkFreed(sim, job);
  if (before?.data.state === job.state) return;
  if (job.state === "starting") checkHosted(sim, job);
  if (job.state === "succeeded") checkSuccess(sim, job);
}

/** I7: a job that holds hosts stands in their slots. */
function checkPlacement(sim: Sim, job: Job.Placed): void {
  const slots = sim.db.get(Keys.slots(job.workspace, job.clusterId))?.data as unknown as Slots | undefined;
  for (const rank of job.placement) {
    const slot = slots?.hosts.find(one => one.rank === rank);
    if (!slot?.runs.some(run => run.jobId === job.id && run.fence === job.fence))
      sim.violate(
        "I7",
        `job ${job.id} is ${job.state} on rank ${rank}, whose slot holds ${JSON.stringify(slot?.runs)}`,
      );
    if (slot?.schedulable === false)
      sim.violate("I7", `job ${job.id} is on rank ${rank}, which is of a group that takes no jobs`);
  }
}

/** I7: a job that holds no hosts stands in no slot. */
function checkFreed(sim: Sim, job: Job.Job): void {
  const slots = sim.db.get(Keys.slots(job.workspace, job.clusterId))?.data as unknown as Slots | undefined;
  if (slots?.hosts.some(slot => slot.runs.some(run => run.jobId === job.id)))
    sim.violate("I7", `job ${job.id} is ${job.state} and still stands in a slot`);
}

/** I7, the other way round: a slot's jobs hold it. */
function checkSlots(sim: Sim, { after }: Written): void {
  const slots = after?.data as unknown as Slots;
  const cluster = sim.db.get(Keys.cluster(slots.workspace, slots.clusterId))?.data as unknown as Cluster.Cluster;
  const groups = (cluster.groups ?? []).flatMap(group => Array.from({ length: group.nodes }, () => group));
  for (const slot of slots.hosts) {
    const group = groups[slot.rank];
    if (slot.group !== group?.name || slot.schedulable !== group?.schedulable)
      sim.violate("I6", `slot ${slot.rank} of ${slots.clusterId} is of ${slot.group}; its host is of ${group?.name}`);
    checkRoom(sim, slots, slot);
    for (const run of slot.runs) {
      const job = sim.db.get(Keys.job(slots.workspace, run.jobId))?.data as unknown as Job.Job | undefined;
      if (!job || !Job.isPlaced(job) || job.fence !== run.fence || !job.placement.includes(slot.rank))
        sim.violate("I7", `slot ${slot.rank} of ${slots.clusterId} holds job ${run.jobId}, which is ${job?.state}`);
    }
  }
}

/** A job starts on a cluster that is ready, or on the hosts that one had before it grew, and on no other. */
function checkHosted(sim: Sim, job: Job.Job): void {
  const cluster = sim.db.get(Keys.cluster(job.workspace, job.clusterId))?.data as unknown as Cluster.Cluster;
  if (cluster.state === "ready") return;
  const before = "before" in cluster ? cluster.before : undefined;
  const known = (cluster.groups ?? []).slice(0, before?.groups ?? 0).reduce((sum, group) => sum + group.nodes, 0);
  const isOnKnown = Job.isPlaced(job) && job.placement.every(rank => rank < known);
  if (!isOnKnown) sim.violate("I7", `job ${job.id} got hosts of a cluster that is ${cluster.state}`);
}

/** I4: a job that succeeded did, on every node, and its log is there from the first chunk to the last. */
function checkSuccess(sim: Sim, job: Extract<Job.Job, { state: "succeeded" }>): void {
  const name = `${job.id}/${job.fence}`;
  const boxes = sim.cloud.boxes.filter(box => box.clusterId === job.clusterId);
  const scripts = boxes.flatMap(box => {
    const script = box.scripts.get(name);
    return script ? [script] : [];
  });
  const done = scripts.filter(
    script =>
      script.endedAt === undefined && script.startedAt + script.task.run <= sim.now && script.task.exitCode === 0,
  );
  if (done.length !== job.nodes)
    sim.violate("I4", `job ${job.id} succeeded; ${done.length} of its ${job.nodes} scripts did`);
  if (!job.logsComplete) return;
  const ranks = Array.from({ length: job.nodes }, (_, rank) => rank);
  const prefixes = ranks.map(rank => Attempt.logPrefix(job.workspace, job.id, job.fence ?? 0, rank));
  const there = prefixes.reduce((sum, prefix) => sum + sim.blobs.list(prefix, "", 10_000).length, 0);
  const emitted = done.reduce((sum, script) => sum + script.task.chunks, 0);
  if (there !== emitted) sim.violate("I4", `job ${job.id} wrote ${emitted} chunks; ${there} of them are there`);
}

const checks: Readonly<Record<string, (sim: Sim, written: Written) => void>> = {
  cluster: checkCluster,
  job: checkJob,
  slots: checkSlots,
};
