/** What a new job waits for: the end of others, and to be released. */
import type { Actor } from "../actor/actor.ts";
import { type Issue, MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Item, Table, Write } from "../ports/table.ts";
import type { After, Job, Submit } from "./job.ts";
import { endOf, isMet, type Outcome, outcomeOf } from "./outcome.ts";

export interface Waits {
  readonly after: readonly After[];
  readonly held: boolean;
  /** Whether one of the others has ended otherwise than it should: then the job ends at once. */
  readonly isVain: boolean;
  /** They have not ended yet, and each knows of the job. */
  readonly writes: (jobId: string) => readonly Write[];
}

type Asked = Pick<Submit, "after" | "hold" | "force">;

/**
 * Those that have ended as they should are left out.
 * @param isNew whether a cluster would be made for it: not for what can never begin
 * @returns undefined when there is nothing to wait for
 * @throws MusterError `conflict` when that is so; `not_found` for a job that is not there, or is another workspace's; `invalid_request` for one that is
 * named twice, and for one that waits and takes the place of others at once
 */
export async function waitsOf(table: Table, actor: Actor, asked: Asked, isNew = false): Promise<Waits | undefined> {
  const { after = [], hold } = asked;
  requireSense(asked);
  requireOnce(after);
  const found = await Promise.all(after.map(({ job }) => outcomeOf(table, actor.workspace, job)));
  requireFound(after, found);
  const open = after.flatMap((one, index) => {
    const outcome = found[index];
    const met = outcome && isMet(one, outcome);
    return outcome === undefined || met === undefined || met === "yes" ? [] : [{ one, outcome, met, index }];
  });
  if (open.length === 0 && !hold) return undefined;
  const later = open.filter(({ met }) => met === "later");
  const vain = open.flatMap(({ one, outcome, met, index }) =>
    met === "never" ? { path: `after.${index}.job`, message: `${one.job} ${endOf(outcome)}` } : [],
  );
  if (isNew) requireHope(vain);
  return {
    after: open.map(({ one }) => one),
    held: hold ?? false,
    isVain: vain.length > 0,
    writes: jobId => later.flatMap(({ one, outcome }) => tell(actor.workspace, one.job, outcome, jobId)),
  };
}

function requireHope(vain: readonly Issue[]): void {
  if (vain.length === 0) return;
  throw new MusterError("conflict", `it would wait in vain: ${vain.map(({ message }) => message).join("; ")}`, {
    issues: vain,
    hint: "leave out --after, or wait for the end, however it comes: --after JOB:end",
  });
}

function requireSense({ after, hold, force }: Asked): void {
  if (!force || (after === undefined && !hold)) return;
  const path = after === undefined ? "hold" : "after";
  const message = "cannot be said together with force: it would cancel what runs, and then wait";
  throw new MusterError("invalid_request", `${path} ${message}`, { issues: [{ path, message }] });
}

function requireOnce(after: readonly After[]): void {
  const issues = after.flatMap(({ job }, index): Issue[] => {
    const first = after.findIndex(one => one.job === job);
    return first < index ? [{ path: `after.${index}.job`, message: `'${job}' is named twice` }] : [];
  });
  if (issues.length > 0) throw new MusterError("invalid_request", "a job is waited for once", { issues });
}

function requireFound(after: readonly After[], found: readonly (Outcome | undefined)[]): void {
  const issues = after.flatMap(({ job }, index): Issue[] =>
    found[index] === undefined ? [{ path: `after.${index}.job`, message: `there is no job '${job}'` }] : [],
  );
  if (issues.length === 0) return;
  throw new MusterError("not_found", issues.map(({ message }) => message).join("; "), {
    issues,
    hint: "see the latest with: muster queue --all",
  });
}

/** The other's version is checked: an end between reading it and this would wake nobody. */
function tell(workspace: string, jobId: string, { key, version }: Outcome, waitingId: string): Write[] {
  return [
    { check: key, expect: version },
    { put: { ...Keys.next(workspace, jobId, waitingId), type: "next", data: { jobId: waitingId } }, expect: "absent" },
  ];
}

type Parked = Pick<Job, "workspace" | "clusterId" | "id">;

/** The job's place among those of its cluster that are not queued yet. */
export const park = (job: Parked): Write => ({
  put: { ...parkedKey(job), type: "waiting", data: { jobId: job.id } },
  expect: "absent",
});

/** The end of that place. */
export async function unpark(table: Table, job: Parked): Promise<Write[]> {
  const item: Item | undefined = await table.get(parkedKey(job));
  return item ? [{ remove: parkedKey(job), expect: item.version }] : [];
}

const parkedKey = (job: Parked) => Keys.waiting(job.workspace, job.clusterId, job.id);
