/** What must hold of idle policies: nothing that they name is stopped under anybody, and what is idle stops. */
import { watchOf } from "@muster/core/agent/watch.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import { Keep, keptUntil } from "@muster/core/cluster/hours.ts";
import { type Idle, type Kept, watched } from "@muster/core/cluster/idle.ts";
import type { Slots } from "@muster/core/cluster/slots.ts";
import * as Keys from "@muster/core/keys.ts";
import { asks, spansOf } from "../host/activity.ts";
import { MINUTE, SECOND } from "../kernel.ts";
import type { Box } from "../ports/cloud.ts";
import type { Written } from "../ports/table.ts";
import type { Process } from "../process.ts";
import type { Sim } from "../sim.ts";

/** How far clocks may be apart, in ms, and what a call takes. */
const SKEW = 10 * SECOND;

/** A host whose last word is older than this, in ms, says nothing of what is now; for so long it still counts as busy. */
const STALE = 3 * MINUTE;
const DOUBTED = 8 * MINUTE;

/** I35: a policy stops or ends nothing that it names, and nobody's hold. */
export function watchIdle(sim: Sim): void {
  sim.db.observers.push((process, written) => {
    const ending = written.find(isStop);
    const isByPolicy = written.some(
      ({ after }) => after?.type === "event" && String(after.data.message ?? "").startsWith("its idle policy"),
    );
    if (!ending || !isByPolicy) return;
    const cluster = ending.before?.data as unknown as Cluster.Cluster;
    for (const why of keepersOf(sim, cluster, process))
      sim.violate("I35", `cluster ${cluster.id} is ended by its policy ${JSON.stringify(cluster.idle)}: ${why}`);
  });
}

const isStop = ({ before, after }: Written): boolean =>
  after?.type === "cluster" && before?.data.state === "ready" && after.data.state !== "ready";

/** All that was known, or could be, when the process began, and still is so. */
function keepersOf(sim: Sim, cluster: Cluster.Cluster, process: Process): string[] {
  const beganAt = process.deadline - sim.climate.limit;
  const policy = Cluster.policyOf(cluster) as Exclude<Kept, "never">;
  const keep = hoursOf(sim, cluster);
  const { until = 0, by = "" } = cluster.hold ?? {};
  const isInHours = keep !== undefined && (keptUntil(keep, beganAt - SKEW) ?? sim.now) > sim.now + SKEW;
  const slots = sim.db.get(Keys.slots(cluster.workspace, cluster.id))?.data as unknown as Slots | undefined;
  const runs = policy.waitFor !== "none" && slots?.hosts.some(host => host.runs.length > 0);
  const isYoung = policy.waitFor === "none" && cluster.changedAt + policy.after * MINUTE > sim.now + SKEW;
  return [
    ...(until > sim.now + SKEW ? [`${by} holds it`] : []),
    ...(isInHours ? ["it is in the hours in which it is kept"] : []),
    ...(runs ? ["jobs run there"] : []),
    ...(isYoung ? ["it has not been ready for so long"] : []),
    ...boxesOf(sim, cluster).flatMap(box => busyOn(sim, cluster, box, beganAt)),
  ];
}

const boxesOf = (sim: Sim, cluster: Cluster.Cluster): Box[] =>
  sim.cloud.boxes.filter(
    box => box.clusterId === cluster.id && box.generation === cluster.generation && box.state === "running",
  );

/** Who works there now, and has since before the process began: it was told of that, or should have doubted it. */
function busyOn(sim: Sim, cluster: Cluster.Cluster, box: Box, beganAt: number): string[] {
  const rank = Number(box.hostId.split("_").at(-1));
  const watch = watchOf(Cluster.policyOf(cluster) as Idle);
  const lastWord = Number(sim.db.get(Keys.pulse(cluster.workspace, cluster.id, rank))?.data.at ?? 0);
  const learntBy = Math.max(cluster.changedAt, cluster.watchFrom ?? 0) + STALE;
  if (watch === undefined || lastWord < beganAt - DOUBTED || lastWord < learntBy) return [];
  const busy = spansOf(box).filter(span => asks(watch, span) && span.from <= beganAt && sim.now < span.to);
  const isStale = lastWord < beganAt - STALE;
  const known = busy.filter(({ toldAt }) => isStale || (toldAt !== undefined && toldAt < beganAt - SKEW));
  return known.map(({ by }) => `${box.id} is busy with ${by}`);
}

/** The hours in which it is kept. */
function hoursOf(sim: Sim, { workspace, id, ...cluster }: Cluster.Cluster): Keep | undefined {
  const policy = cluster.nextIdle ?? cluster.idle;
  if (policy === "never" || policy.keep === undefined) return undefined;
  return Keep.parse(sim.db.get(Keys.clusterWords(workspace, id))?.data.keep);
}

/** How much longer than its policy alone says a cluster may live, whatever it is that keeps it; undefined: for ever. */
export function keptFor(sim: Sim, cluster: Cluster.Cluster, at: number): number | undefined {
  const unheld = Math.max(at, cluster.hold?.until ?? 0);
  const keep = hoursOf(sim, cluster);
  return keep === undefined ? unheld : keptUntil(keep, unheld);
}

/** How long, in ms, until clusters whose policies look at more than jobs, or that are held, must have been stopped. */
export function idlePatience(sim: Sim): number {
  const clusters = [...sim.db.all("cluster")].map(item => item.data as unknown as Cluster.Cluster);
  const asks = ({ state, hold, ...cluster }: Cluster.Cluster): boolean => {
    const policy = cluster.nextIdle ?? cluster.idle;
    const isSpecial = policy !== "never" && (policy.keep !== undefined || watched(policy) !== undefined);
    return state === "ready" && policy !== "never" && (hold !== undefined || isSpecial);
  };
  return clusters.some(asks) ? 45 * MINUTE : 0;
}

/** When anybody was last at work there of whom its policy asks. */
export function lastBusy(sim: Sim, cluster: Cluster.Cluster): number {
  const watch = watchOf(Cluster.policyOf(cluster) as Idle);
  if (watch === undefined) return 0;
  const spans = boxesOf(sim, cluster).flatMap(box => spansOf(box).filter(span => asks(watch, span)));
  return Math.max(cluster.watchFrom ?? 0, ...spans.filter(span => span.from <= sim.now).map(span => span.to));
}
