/** When an idle cluster stops or ends, and what keeps it. */
import * as z from "zod";
import { Keep, keptUntil, shown } from "./hours.ts";

const MINUTE = 60_000;

export const IdleAction = z.enum(["stop", "terminate"]);
type IdleAction = z.infer<typeof IdleAction>;

const Share = z.number().gt(0).max(1);
const Text = z.string().min(1).max(4096);

/** Run on each host before it stops or ends by this policy; `timeout` in minutes, 5 when absent. */
const Hook = z.strictObject({ run: Text, timeout: z.number().gt(0).max(60).optional() });

const base = {
  after: z.number().min(0).max(525_600),
  action: IdleAction,
  /** What follows a stop: minutes until the stopped cluster is terminated. */
  then: z.strictObject({ after: z.number().min(1).max(525_600), action: z.literal("terminate") }).optional(),
  /** What keeps it; jobs when absent. `none`: the time counts from when it got ready, whatever runs. */
  waitFor: z.enum(["jobs", "jobs_and_sessions", "none"]).optional(),
  /** A host whose cores, or one of whose GPUs, are busier than this share keeps it. */
  cpuBelow: Share.optional(),
  gpuBelow: Share.optional(),
};

/** `after`: minutes in which nothing kept it. `never` is no policy at all. */
export const Idle = z.union([
  z.literal("never"),
  z.strictObject({
    ...base,
    /** Run now and then on each host, as its jobs are: it keeps the cluster while it exits with anything but 0. */
    command: Text.optional(),
    /** When it is kept whatever is idle. */
    keep: Keep.optional(),
    hook: Hook.optional(),
  }),
]);
export type Idle = z.infer<typeof Idle>;

/**
 * A policy as a cluster's record has it, and as lists show it: what may be long is written beside the record, and `true`,
 * or a hook without `run`, stands for it. Where a policy is set, that says that it stays as it is.
 */
export const Kept = z
  .union([
    z.literal("never"),
    z.strictObject({
      ...base,
      command: z.union([z.literal(true), Text]).optional(),
      keep: z.union([z.literal(true), Keep]).optional(),
      hook: Hook.partial({ run: true }).optional(),
    }),
  ])
  .meta({ description: "`true`, or a hook without `run`: it has one; where a policy is set, it stays as it is" });
export type Kept = z.infer<typeof Kept>;

/** A promise to somebody that its policy leaves it alone for some time. */
export const Hold = z.object({
  /** Epoch ms. */
  until: z.number(),
  /** Who asked for it. */
  by: z.string(),
  /** Whether a reason was given; it is written beside the record. */
  reason: z.literal(true).optional(),
});
export type Hold = z.infer<typeof Hold>;

/** A hold as the API shows it. */
export const HoldInfo = z.object({
  until: z.number().meta({ description: "Epoch milliseconds until which its idle policy leaves it alone" }),
  by: z.string().meta({ description: "Who holds it" }),
  reason: z.string().optional().meta({ description: "Lists leave it out" }),
});

export const DEFAULT: Idle = { after: 30, action: "stop", then: { after: 3 * 24 * 60, action: "terminate" } };
export const DEFAULT_UNNAMED: Idle = { after: 30, action: "terminate" };

/** "As soon as idle" still leaves a grace, so that two jobs in a row need not wait for a machine. */
export const LEAST_GRACE = 5 * MINUTE;

/** Epoch ms at which a cluster that has been idle since `since` acts; undefined when it never does. */
export function deadline(idle: Kept, since: number): number | undefined {
  return idle === "never" ? undefined : since + Math.max(idle.after * MINUTE, idle.after === 0 ? LEAST_GRACE : 0);
}

/** Epoch ms at which a cluster that stopped at `since` is terminated; undefined when it is kept. */
export function stoppedDeadline(idle: Kept, since: number): number | undefined {
  return idle === "never" || idle.then === undefined ? undefined : since + idle.then.after * MINUTE;
}

/** The first time, from this one on, at which neither hold nor hours of the week keep it; undefined: never. Epoch ms. */
export function freeFrom(
  { hold, keep }: { readonly hold?: Hold | undefined; readonly keep?: Keep | undefined },
  at: number,
): number | undefined {
  const unheld = Math.max(at, hold?.until ?? at);
  return keep === undefined ? unheld : keptUntil(keep, unheld);
}

/** What its hosts are to look for by themselves; undefined: nothing. */
export function watched(
  idle: Kept,
): Pick<Exclude<Kept, "never">, "waitFor" | "cpuBelow" | "gpuBelow" | "command"> | undefined {
  if (idle === "never") return undefined;
  const { waitFor, cpuBelow, gpuBelow, command } = idle;
  const isNothing = waitFor !== "jobs_and_sessions" && (cpuBelow ?? gpuBelow ?? command) === undefined;
  return isNothing ? undefined : { waitFor, cpuBelow, gpuBelow, command };
}

/** Whether jobs that run, or wait for its hosts, keep it. */
export const waitsForJobs = (idle: Kept): boolean => idle === "never" || idle.waitFor !== "none";

/** What becomes of a machine that powers itself off, under this policy. */
export const powerOffOf = (idle: Kept): IdleAction => (idle === "never" ? "stop" : idle.action);

/** The policy as a sentence, as every launch prints it. */
export function describe(idle: Kept): string {
  if (idle === "never") return "never stops by itself";
  const { after, action, then, keep, hook } = idle;
  const parts = [
    `${action}s ${occasion(idle, minutes(after))}`,
    keep && (keep === true ? "not in the hours in which it is kept" : `not on ${shown(keep)}`),
    hook && `runs its hook first for at most ${minutes(hook.timeout ?? HOOK_TIMEOUT)}`,
    then && `terminates ${minutes(then.after)} ${action === "stop" ? "later" : "after a stop"}`,
  ];
  return parts.filter(part => part !== undefined).join(", ");
}

/** How long a hook may take where it does not say, in minutes. */
export const HOOK_TIMEOUT = 5;

function occasion({ waitFor, cpuBelow, gpuBelow, command }: Exclude<Kept, "never">, time: string): string {
  const quiet = [
    cpuBelow !== undefined && `CPUs below ${percent(cpuBelow)}`,
    gpuBelow !== undefined && `GPUs below ${percent(gpuBelow)}`,
    command !== undefined && "its idle command content",
  ].filter(part => part !== false);
  const words = quiet.length > 1 ? `${quiet.slice(0, -1).join(", ")} and ${quiet.at(-1)}` : quiet.join("");
  if (waitFor !== "none") {
    const without = waitFor === "jobs_and_sessions" ? "without a job or session" : "without a job";
    return `after ${time} ${without}${words === "" ? "" : `, with ${words}`}`;
  }
  return words === "" ? `${time} after it is ready, whatever runs` : `after ${time} with ${words}, whatever jobs run`;
}

const percent = (share: number): string => `${Number((share * 100).toFixed(2))} %`;

function minutes(count: number): string {
  if (count === 0) return minutes(LEAST_GRACE / MINUTE);
  if (count % 1440 === 0) return plural(count / 1440, "day");
  if (count % 60 === 0) return plural(count / 60, "hour");
  return Number.isInteger(count) ? plural(count, "minute") : plural(Math.round(count * 60), "second");
}

const plural = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? "" : "s"}`;
