/** Idle policies: what `-i` makes of one, and what people are told of one. */
import { isDeepStrictEqual } from "node:util";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { deadline, type Idle, type Kept, stoppedDeadline } from "@muster/core/cluster/idle.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import { age, price } from "./format.ts";

/** The idle policy asked for with `-i`, in the terms of the policy that holds without it. */
export function idleOf(given: number | "never" | undefined, down: boolean, otherwise: Kept): Idle | undefined {
  if (given === undefined || given === "never") return given;
  const kept = wholeOf(otherwise);
  if (kept === "never") return { after: given, action: "terminate" };
  const { then: _, ...rest } = kept;
  return down ? { ...rest, after: given, action: "terminate" } : { ...kept, after: given };
}

interface Asked {
  readonly given: number | "never" | undefined;
  readonly down: boolean;
  /** What the file says. */
  readonly file: Idle | undefined;
}

/**
 * The plan with the policy that is asked for, and that policy. A cluster that is there keeps its own: then the plan says how
 * it is changed, and there is none.
 */
export function planned(plan: Launch.Plan, { given, down, file }: Asked): { plan: Launch.Plan; idle?: Idle } {
  const said = idleOf(given, down, plan.idle);
  if (!plan.reused) return said === undefined ? { plan } : { plan: { ...plan, idle: said }, idle: said };
  const wanted = said ?? file;
  if (wanted === undefined || isDeepStrictEqual(wanted, plan.idle)) return { plan };
  const options = given === undefined ? "" : ` -i ${given}${down ? " --down" : ""}`;
  const notice = `its idle policy stays as it is; change it with: muster autostop ${plan.cluster}${options}`;
  return { plan: { ...plan, notices: [...(plan.notices ?? []), notice] } };
}

/** A policy as far as a launch can say it: what is written beside a cluster that is there stays there. */
function wholeOf(kept: Kept): Idle {
  if (kept === "never") return kept;
  const { command, keep, hook, ...short } = kept;
  return {
    ...short,
    ...(typeof command === "string" && { command }),
    ...(typeof keep === "object" && { keep }),
    ...(hook?.run !== undefined && { hook: { ...hook, run: hook.run } }),
  };
}

const MINUTE = 60_000;

/** A policy that fits into a column: `stop 30m, end 3d`. */
export function column({ idle, hold }: Pick<Cluster.Info, "idle" | "hold">, now: number): string {
  const held = hold !== undefined && hold.until > now ? [`held ${ahead(hold.until - now)}`] : [];
  if (idle === "never") return [...held, "never"].join(", ");
  const first = `${idle.action === "stop" ? "stop" : "end"} ${age(deadline(idle, 0) ?? 0)}`;
  const second = stoppedDeadline(idle, 0);
  const outside = idle.keep === undefined ? "" : " out of hours";
  return [...held, `${first}${outside}`, ...(second === undefined ? [] : [`end ${age(second)}`])].join(", ");
}

/** Time that is still to pass: just short of three days is three days. */
export const ahead = (milliseconds: number): string => age(Math.max(1, Math.round(milliseconds / MINUTE)) * MINUTE);

/**
 * What a cluster costs that is stopped, and until when: `its disks cost $0.0110/h until it ends in 3d by its policy`.
 * Nothing for one that is not stopped; nor where its disks are free, and stay.
 */
export function resting(cluster: Cluster.Info, now: number): string | undefined {
  const { state, stoppedHourly, idle, changedAt, hold, endBy } = cluster;
  if (state !== "stopped" && state !== "stopping") return undefined;
  const byPolicy = stoppedDeadline(idle, changedAt);
  const ends = [
    ...(byPolicy === undefined ? [] : [{ at: Math.max(byPolicy, hold?.until ?? 0), why: "by its policy" }]),
    ...(endBy === undefined ? [] : [{ at: endBy, why: "as its lifetime does" }]),
  ].toSorted((a, b) => a.at - b.at);
  const [end] = ends;
  const until =
    end === undefined ? undefined : `it ends ${end.at > now ? `in ${ahead(end.at - now)}` : "now"} ${end.why}`;
  if (stoppedHourly === undefined) return until;
  return `its disks cost ${price(stoppedHourly)} until ${until ?? "somebody starts or ends it"}`;
}

/** Who holds it, and why; nothing when nobody does. */
export function held({ hold }: Pick<Cluster.Info, "hold">, now: number): string | undefined {
  if (hold === undefined || hold.until <= now) return undefined;
  const why = hold.reason === undefined ? "" : `: ${hold.reason}`;
  return `held for ${ahead(hold.until - now)} more by ${hold.by}${why}`;
}

/** What a policy's sentence leaves out: its scripts. */
export function scripts(idle: Kept): [label: string, text: string][] {
  if (idle === "never") return [];
  const { command, hook } = idle;
  return [
    ...(typeof command === "string" ? [["command", command] as [string, string]] : []),
    ...(hook?.run === undefined ? [] : [["hook", hook.run] as [string, string]]),
  ];
}
