/** Which jobs of a workspace somebody wants to see. All that is said must hold. */
import { decodeTime } from "ulid";
import * as z from "zod";
import { MusterError } from "../error.ts";
import { nearest } from "../near.ts";
import { Coarse, coarseOf } from "./coarse.ts";
import type * as Job from "./job.ts";
import { life } from "./life.ts";

const words = z.string().min(1).max(512);

/** As it stands in a query: several values of one kind are set apart by commas, and any of them will do. */
export const Filter = z.object({
  active: z.stringbool().default(false).meta({ description: "Only those that have not ended" }),
  state: words.optional().meta({ description: "States, fine (queued) or coarse (pending), set apart by commas" }),
  name: words.optional().meta({ description: "Name; * stands for any text" }),
  labels: words.optional().meta({ description: "Labels, as KEY=VALUE or KEY, set apart by commas: all of them" }),
  jobGroup: words.optional().meta({ description: "Name or id of a job group" }),
  provider: words.optional(),
  owner: words.optional().meta({ description: "Id of who submitted it; me: whoever asks" }),
  since: z.coerce.number().optional().meta({ description: "Epoch milliseconds: submitted then or later" }),
  until: z.coerce.number().optional().meta({ description: "Epoch milliseconds: submitted before" }),
});
export type Filter = Partial<z.infer<typeof Filter>>;

const STATES: readonly string[] = [...life.states, ...Coarse.options];

/** What is looked at, of a job or of an array. */
type Listed = Pick<Job.Info, "state" | "name" | "labels" | "jobGroup" | "provider" | "owner" | "createdAt">;

/** A test of jobs. @throws MusterError `invalid_request` for a state that is none. */
export function matcher(filter: Filter, me: string): (job: Listed) => boolean {
  const states = partsOf(filter.state);
  for (const state of states) requireState(state);
  const owner = filter.owner === "me" ? me : filter.owner;
  const labels = partsOf(filter.labels).map(text => text.split(/=(.*)/s, 2));
  return job =>
    (!filter.active || !life.isTerminal(job.state)) &&
    (states.length === 0 || states.includes(job.state) || states.includes(coarseOf(job.state))) &&
    (filter.name === undefined || isLike(job.name ?? "", filter.name)) &&
    labels.every(([key = "", value]) => has(job.labels ?? {}, key, value)) &&
    isWithin(job.jobGroup, filter.jobGroup) &&
    (filter.provider === undefined || job.provider === filter.provider) &&
    (owner === undefined || job.owner === owner) &&
    job.createdAt >= (filter.since ?? 0) &&
    job.createdAt < (filter.until ?? Number.POSITIVE_INFINITY);
}

const isWithin = (group: Listed["jobGroup"], wanted: string | undefined): boolean =>
  wanted === undefined || (group !== undefined && (group.id === wanted || isLike(group.name, wanted)));

const partsOf = (text = ""): readonly string[] =>
  text
    .split(",")
    .map(part => part.trim())
    .filter(part => part !== "");

const has = (labels: Readonly<Record<string, string>>, key: string, value: string | undefined): boolean =>
  Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);

/** Nothing but `*` means more than itself; each piece is sought once, so that no text takes long. */
function isLike(text: string, pattern: string): boolean {
  const [first = "", ...rest] = pattern.toLowerCase().split("*");
  const last = rest.pop();
  const name = text.toLowerCase();
  if (last === undefined) return name === first;
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false;
  const middle = name.slice(first.length, name.length - last.length);
  let from = 0;
  return rest.every(piece => {
    const found = middle.indexOf(piece, from);
    from = found + piece.length;
    return found >= 0;
  });
}

function requireState(state: string): void {
  if (STATES.includes(state)) return;
  const near = nearest(state, STATES);
  const hint = near === undefined ? `states are: ${life.states.join(", ")}` : `did you mean '${near}'?`;
  throw new MusterError("invalid_request", `'${state}' is no state of a job`, {
    issues: [{ path: "query.state", message: "not a state" }],
    hint,
  });
}

/** Whether everything that is listed after this job, newest first, is too old: then there is no need to look further. */
export const isPast = (filter: Filter, jobId: string): boolean =>
  filter.since !== undefined && decodeTime(jobId.slice("job_".length, "job_".length + 26)) < filter.since;
