/** When an idle cluster stops or ends. */
import * as z from "zod";

const MINUTE = 60_000;

export const IdleAction = z.enum(["stop", "terminate"]);
type IdleAction = z.infer<typeof IdleAction>;

const Share = z.number().gt(0).max(1);

/** Hours of the week in which it is kept; `to` before `from` is a time of the next day. */
const Hours = z.strictObject({
  days: z.array(z.enum(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])).min(1),
  from: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/),
  to: z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/),
});

/** `after`: minutes in which nothing kept it. `never` is no policy at all. */
export const Idle = z.union([
  z.literal("never"),
  z.strictObject({
    after: z.number().min(0).max(525_600),
    action: IdleAction,
    /** What follows a stop: minutes until the stopped cluster is terminated. */
    then: z.strictObject({ after: z.number().min(1).max(525_600), action: z.literal("terminate") }).optional(),
    /** What keeps it; jobs when absent. `none`: the time counts from when it got ready, whatever runs. */
    waitFor: z.enum(["jobs", "jobs_and_sessions", "none"]).optional(),
    /** A host whose cores, or one of whose GPUs, are busier than this share keeps it. */
    cpuBelow: Share.optional(),
    gpuBelow: Share.optional(),
    /** Run now and then on each host, as its jobs are: it keeps the cluster while it exits with anything but 0. */
    command: z.string().min(1).max(4096).optional(),
    /** When it is kept whatever is idle. */
    keep: z.strictObject({ zone: z.string().min(1).max(64), hours: z.array(Hours).min(1).max(14) }).optional(),
    /** Run on each host before it stops or ends by this policy; `timeout` in minutes, 5 when absent. */
    hook: z.strictObject({ run: z.string().min(1).max(4096), timeout: z.number().gt(0).max(60).optional() }).optional(),
  }),
]);
export type Idle = z.infer<typeof Idle>;

export const DEFAULT: Idle = { after: 30, action: "stop", then: { after: 3 * 24 * 60, action: "terminate" } };
export const DEFAULT_UNNAMED: Idle = { after: 30, action: "terminate" };

/** "As soon as idle" still leaves a grace, so that two jobs in a row need not wait for a machine. */
export const LEAST_GRACE = 5 * MINUTE;

/** Epoch ms at which a cluster that has been idle since `since` acts; undefined when it never does. */
export function deadline(idle: Idle, since: number): number | undefined {
  return idle === "never" ? undefined : since + Math.max(idle.after * MINUTE, idle.after === 0 ? LEAST_GRACE : 0);
}

/** Epoch ms at which a cluster that stopped at `since` is terminated; undefined when it is kept. */
export function stoppedDeadline(idle: Idle, since: number): number | undefined {
  return idle === "never" || idle.then === undefined ? undefined : since + idle.then.after * MINUTE;
}

/** What becomes of a machine that powers itself off, under this policy. */
export const powerOffOf = (idle: Idle): IdleAction => (idle === "never" ? "stop" : idle.action);

/** The policy as a sentence, as every launch prints it. */
export function describe(idle: Idle): string {
  if (idle === "never") return "never stops by itself";
  const first = `${idle.action}s after ${minutes(idle.after)} without a job`;
  return idle.then === undefined ? first : `${first}, terminates ${minutes(idle.then.after)} later`;
}

function minutes(count: number): string {
  if (count === 0) return minutes(LEAST_GRACE / MINUTE);
  if (count % 1440 === 0) return plural(count / 1440, "day");
  if (count % 60 === 0) return plural(count / 60, "hour");
  return plural(count, "minute");
}

const plural = (count: number, unit: string): string => `${count} ${unit}${count === 1 ? "" : "s"}`;
