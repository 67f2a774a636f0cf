/** Which events a webhook is told of. */
import * as z from "zod";

/** A kind such as `job.failed`, or several: `job.*`, `*.failed`, `*`. */
const Pattern = z
  .string()
  .max(64)
  .regex(/^([a-z_]+|\*)(\.([a-z_]+|\*))?$/, "expected a kind of event, such as job.failed, job.* or *");

/** The ends of jobs, of whatever kind. */
export const ENDS = [
  ...["job.succeeded", "job.failed", "job.cancelled", "job.timed_out"],
  ...["array.succeeded", "array.failed", "array.cancelled"],
  ...["jobgroup.succeeded", "jobgroup.failed", "jobgroup.cancelled"],
];

export const Patterns = z
  .array(Pattern)
  .min(1)
  .max(50)
  .default(ENDS)
  .meta({ description: "Kinds of events, such as job.failed, job.* or *; by default the ends of jobs" });

/** Is an event of this kind asked for? */
export const matches = (patterns: readonly string[], kind: string): boolean =>
  patterns.some(pattern => pattern === "*" || fits(pattern, kind));

function fits(pattern: string, kind: string): boolean {
  const [noun = "", state] = pattern.split(".");
  const [itsNoun, itsState] = kind.split(".");
  return (noun === "*" || noun === itsNoun) && (state === undefined || state === "*" || state === itsState);
}
