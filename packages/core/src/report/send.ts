/** Telling the forge. It may be called at any time, and by several at once: whoever has the lease tells what is so then. */
import { retrying } from "../commit.ts";
import { bury } from "../deadletter/bury.ts";
import { TRIES } from "../deadletter/deadletter.ts";
import { isRetryable, MusterError } from "../error.ts";
import { openForge } from "../forge/forges.ts";
import * as Keys from "../keys.ts";
import { subjectOf } from "../outbox/outbox.ts";
import type { Outside } from "../ports/world.ts";
import { amend, type Patch, type Stored } from "../record.ts";
import { tell, type Words } from "./channels.ts";
import { commentOf, pageOf } from "./page.ts";
import { clip, plain } from "./plain.ts";
import * as Report from "./report.ts";
import { tailOf } from "./tail.ts";
import { isOver, type Telling, tellingOf } from "./telling.ts";

type Stood = Stored<Report.Report>;
type Ref = { readonly workspace: string; readonly id: string };

/** Longer than all calls of one telling may take together, in ms. */
export const LEASE = 180_000;

/** How long it is tried, in ms, before it is put aside. */
export const HORIZON = 24 * 3_600_000;
const FIRST_PAUSE = 5_000;
const LONGEST_PAUSE = 3_600_000;

/** @throws only what nobody has thought of: what the forge does, or does not, is told in the report itself. */
export async function send(world: Outside, ref: Ref): Promise<void> {
  const report = await lease(world, ref);
  if (report === undefined) return;
  try {
    await settle(world, report, await told(world, report));
  } catch (error) {
    if (!(error instanceof MusterError)) throw error;
    await failed(world, report, error);
  }
}

/** Takes it, if it is to be told now and nobody else does. */
const lease = (world: Outside, { workspace, id }: Ref): Promise<Stood | undefined> =>
  retrying(async () => {
    const report = await Report.find(world.table, workspace, id);
    const now = world.clock.now();
    // One that is leased is due when the lease has run out.
    if (report === undefined || !isDue(report, now)) return undefined;
    const until = now + LEASE;
    // Should nobody be heard of again, it is due when the lease has run out.
    const patch = { leasedUntil: until, dueAt: until, again: undefined, tries: report.tries + 1 };
    const { next, write } = amend(Report.noun, report, patch);
    await world.table.write([write]);
    return next;
  });

/** What was given up is told when somebody asks for it. */
const isDue = ({ dueAt, problem }: Report.Report, now: number): boolean =>
  dueAt === undefined ? problem !== undefined : dueAt <= now;

/** What has become of it: a patch of its record. */
async function told(world: Outside, report: Stood): Promise<Patch<Report.Report>> {
  const telling = await tellingOf(world, report);
  const words = await wordsOf(world, report, telling);
  const { phase, line } = telling;
  const hash = world.digest.hash(JSON.stringify([phase, line, words.page, words.url, report.origin.sha]));
  const next = { dueAt: telling.lookAt, failures: undefined, failingSince: undefined, problem: undefined };
  if (report.told?.hash === hash) return next;
  const { workspace, token, origin } = report;
  const forge = await openForge(world, { workspace, token, place: origin });
  const remote = await tell(world, forge, report, words);
  return { ...next, remote, told: { hash, at: world.clock.now() } };
}

async function wordsOf(world: Outside, report: Stood, telling: Telling): Promise<Words> {
  const { site } = world;
  const { job } = telling;
  const url = site !== undefined && job !== undefined ? `${site}/jobs/${job.id}` : linkOf(report.origin);
  if (report.channel === "status") return { telling, page: "", url };
  const tail = job !== undefined && isOver(telling) ? await tailOf(world, report.workspace, job) : undefined;
  const page =
    report.channel === "check"
      ? pageOf(report, telling, { tail, site })
      : commentOf(world.digest, report, telling, { tail, site });
  return { telling, page, url };
}

/** GitLab takes no longer ones, and neither forge takes another kind. */
const LINK = /^https?:\/\/[!-~]{1,240}$/;

/** Where what happened is at the forge: better than nothing. */
const linkOf = ({ url }: Report.Report["origin"]): string | undefined =>
  url !== undefined && LINK.test(url) ? url : undefined;

/** What is written when the lease is given back; nothing when it was lost, and somebody else has it, or had it. */
const settle = (world: Outside, held: Stood, patch: Patch<Report.Report>): Promise<void> =>
  retrying(async () => {
    const report = await Report.find(world.table, held.workspace, held.id);
    if (report === undefined || report.leasedUntil !== held.leasedUntil) return;
    const dueAt = report.again ? world.clock.now() : patch.dueAt;
    const back = { leasedUntil: undefined, again: undefined };
    await world.table.write([amend<Report.Report>(Report.noun, report, { ...patch, ...back, dueAt }).write]);
  });

async function failed(world: Outside, report: Stood, error: MusterError): Promise<void> {
  const now = world.clock.now();
  const failures = (report.failures ?? 0) + 1;
  const failingSince = report.failingSince ?? now;
  if (isRetryable(error) && now - failingSince < HORIZON) {
    const pause = pauseAfter(failures);
    // Whatever met the same refusal does not come back at the same moment.
    const apart = Keys.spread(`${report.id} ${failures}`) % (pause / 2);
    const dueAt = Math.max(now + pause, retryAtOf(error)) + apart;
    return settle(world, report, { failures, failingSince, dueAt });
  }
  await settle(world, report, {
    ...{ failures: undefined, failingSince: undefined, dueAt: undefined },
    problem: clip(error.message, 300),
  });
  await setAside(world, report, error);
}

/** For people to see, and to have it told anew: as the outbox would, which knows less of what it is. */
async function setAside(world: Outside, report: Stood, error: MusterError): Promise<void> {
  const { workspace, id, origin } = report;
  const ring = { do: "deliver", type: "report", workspace, id, dueAt: world.clock.now() } as const;
  const forge = origin.forge === "github" ? "GitHub" : "GitLab";
  const what = `tell ${forge} of ${Report.contextOf(report)} (${report.channel}) at ${origin.repository} ${origin.sha.slice(0, 12)}`;
  await bury(world, {
    workspace,
    subject: `${ring.do} ${subjectOf(ring)}`,
    what: clip(plain(what), 200),
    ring,
    times: TRIES,
    error,
  });
}

const pauseAfter = (failures: number): number => Math.min(LONGEST_PAUSE, FIRST_PAUSE * 3 ** Math.min(failures - 1, 20));

/** Epoch ms until which the forge asked to be left alone; 0 when it did not. */
const retryAtOf = ({ details }: MusterError): number => (typeof details.retryAt === "number" ? details.retryAt : 0);
