/** Reports come to be with what they tell of: in the launch's own transaction, or where nothing could be launched. */
import { retrying } from "../commit.ts";
import type { Origin } from "../forge/origin.ts";
import { API as GITHUB } from "../github/github.ts";
import { API as GITLAB } from "../gitlab/gitlab.ts";
import * as Keys from "../keys.ts";
import type * as Launch from "../launch/launch.ts";
import type { Clock, Digest } from "../ports/ports.ts";
import type { Table, Write } from "../ports/table.ts";
import { amend, insert } from "../record.ts";
import { clip, plain } from "./plain.ts";
import * as Report from "./report.ts";

type Part = { readonly table: Table; readonly clock: Clock; readonly digest: Pick<Digest, "hash"> };

/** Who reports, and to where. */
export interface About {
  readonly workspace: string;
  readonly hook: {
    readonly id: string;
    readonly name: string;
    /** Base of the forge's API, where it is not everybody's. */
    readonly api?: string | undefined;
    /** Name of a stored secret. */
    readonly token?: string | undefined;
    readonly report: { readonly status: boolean; readonly comment: boolean; readonly check: boolean };
  };
  /** What the rule is called; the same after its hook is set anew. */
  readonly rule: string;
  readonly origin: Origin;
  /** Epoch ms at which the delivery came, the first time. */
  readonly at: number;
}

/**
 * The writes that make the reports of a launch: for its own transaction. They are read anew each time that this is called.
 * @returns none where the hook reports nothing
 */
export async function open(world: Part, about: About, launched: Launch.Info): Promise<Write[]> {
  const { job, cluster } = launched;
  if (job === undefined) return taken(world, about, { kind: "cluster", name: cluster.name });
  const writes = await taken(world, about, { kind: "job", jobId: job.id });
  if (writes.length === 0) return [];
  const reports = writes.flatMap(write => ("put" in write ? [String(write.put.data.id)] : []));
  const link = { ...Keys.reportsOf(about.workspace, job.id), type: "reports", data: { reports } };
  return [...writes, { put: link, expect: "absent" }];
}

/** Of a message: a record is small. */
const MOST_LETTERS = 500;

/** Tells that nothing was launched, and why. */
export const openFailed = (world: Part, about: About, message: string): Promise<void> =>
  openAt(world, about, { kind: "refused", message: clip(plain(message), MOST_LETTERS) });

/** Tells what a maintainer has to say for it to be launched. */
export const openHeld = (world: Part, about: About, message: string): Promise<void> =>
  openAt(world, about, { kind: "held", message: clip(plain(message), MOST_LETTERS) });

const openAt = (world: Part, about: About, subject: Report.Subject): Promise<void> =>
  retrying(async () => {
    const writes = await taken(world, about, subject);
    if (writes.length > 0) await world.table.write(writes);
  });

/** None where nobody could be told: a hook without a token launches, and reports nothing. */
function channelsOf({ hook: { report, token }, origin }: About): Report.Channel[] {
  if (token === undefined) return [];
  return Report.Channel.options.filter(channel => {
    if (channel === "check") return report.check && origin.forge === "github";
    return channel === "comment" ? report.comment && origin.pull !== undefined : report.status;
  });
}

/** Each channel's report is made, or tells of this from now on, unless what it tells of came later. */
async function taken(world: Part, about: About, subject: Report.Subject): Promise<Write[]> {
  const writes = await Promise.all(channelsOf(about).map(channel => one(world, about, channel, subject)));
  return writes.filter(write => write !== undefined);
}

async function one(
  world: Part,
  { workspace, hook, rule, origin, at }: About,
  channel: Report.Channel,
  subject: Report.Subject,
): Promise<Write | undefined> {
  const now = world.clock.now();
  const said = {
    hook: { id: hook.id, name: hook.name },
    ...{ rule, subject, at },
    // The hook says where its token goes, and nobody else.
    origin: { ...origin, api: hook.api ?? (origin.forge === "github" ? GITHUB : GITLAB) },
    ...(hook.token !== undefined && { token: hook.token }),
  };
  const id = Report.idOf(world.digest, { ...said, workspace, channel });
  const before = await Report.find(world.table, workspace, id);
  if (before === undefined)
    return insert(Report.noun, { ...said, id, workspace, channel, dueAt: now, tries: 0, createdAt: now });
  if (before.at > at) return undefined;
  const isLeased = (before.leasedUntil ?? 0) > now;
  const fresh = { failures: undefined, failingSince: undefined, problem: undefined };
  const patch = { ...said, ...fresh, ...(isLeased ? { again: true } : { dueAt: now }) };
  return amend(Report.noun, before, { ...patch, token: hook.token }).write;
}
