/** The channels: how each is told at its forge. Each may be told the same twice. */
import { MusterError } from "../error.ts";
import type { Opened } from "../forge/forges.ts";
import * as Checks from "../github/checks.ts";
import * as Comments from "../github/comments.ts";
import type { GitHub } from "../github/github.ts";
import * as Statuses from "../github/statuses.ts";
import type { GitLab } from "../gitlab/gitlab.ts";
import * as Notes from "../gitlab/notes.ts";
import * as LabStatuses from "../gitlab/statuses.ts";
import type { Digest } from "../ports/ports.ts";
import { clip, plain } from "./plain.ts";
import { contextOf, markerOf, type Report } from "./report.ts";
import type { Phase, Telling } from "./telling.ts";

/** What is told, ready to be sent, and nothing that differs from one time to the next. */
export interface Words {
  readonly telling: Telling;
  /** Markdown, of a check run or a comment. */
  readonly page: string;
  /** Where people see more. */
  readonly url?: string | undefined;
}

type Part = { readonly digest: Pick<Digest, "mac"> };

/**
 * @returns the id that it has at the forge, where it has one
 * @throws MusterError as a call to a forge does
 */
export function tell(world: Part, forge: Opened, report: Report, words: Words): Promise<number | undefined> {
  if (forge.forge === "gitlab")
    return report.channel === "comment"
      ? note(world, forge.gitlab, report, words)
      : labStatus(forge.gitlab, report, words);
  if (report.channel === "comment") return comment(world, forge.github, report, words);
  return report.channel === "check" ? check(forge.github, report, words) : status(forge.github, report, words);
}

/** Both forges show some hundred characters of it; some of them have trouble with what lies beyond the first plane. */
const lineOf = (text: string, most: number): string => clip(plain(text).replace(/[\u{10000}-\u{10ffff}]/gu, "?"), most);

const MOST_CONTEXT = 250;
const nameOf = (report: Report): string => lineOf(contextOf(report), MOST_CONTEXT);

const STATES: Readonly<Record<Phase, Statuses.Status["state"]>> = {
  waiting: "pending",
  running: "pending",
  success: "success",
  failure: "failure",
  timed_out: "failure",
  error: "error",
  cancelled: "error",
  held: "error",
};

async function status(github: GitHub, report: Report, { telling, url }: Words): Promise<undefined> {
  await Statuses.setStatus(github, report.origin.sha, {
    state: STATES[telling.phase],
    context: nameOf(report),
    description: lineOf(telling.line, Statuses.MOST_DESCRIPTION),
    url,
  });
}

const LAB_STATES: Readonly<Record<Phase, LabStatuses.Status["state"]>> = {
  waiting: "pending",
  running: "running",
  success: "success",
  failure: "failed",
  timed_out: "failed",
  error: "failed",
  held: "failed",
  cancelled: "canceled",
};

async function labStatus(gitlab: GitLab, report: Report, { telling, url }: Words): Promise<undefined> {
  const { ref, sha } = report.origin;
  const branch = /^refs\/(?:heads|tags)\/(.+)$/.exec(ref)?.[1];
  await LabStatuses.setStatus(gitlab, sha, {
    state: LAB_STATES[telling.phase],
    name: nameOf(report),
    description: lineOf(telling.line, LabStatuses.MOST_DESCRIPTION),
    url,
    ref: branch,
  });
}

const CONCLUSIONS: Readonly<Partial<Record<Phase, Checks.Check["conclusion"]>>> = {
  success: "success",
  failure: "failure",
  error: "failure",
  cancelled: "cancelled",
  timed_out: "timed_out",
  held: "action_required",
};

function checkOf(report: Report, { telling, page, url }: Words): Checks.Check {
  const conclusion = CONCLUSIONS[telling.phase];
  const running = telling.phase === "waiting" ? "queued" : "in_progress";
  return {
    ...{ name: nameOf(report), externalId: report.id, title: lineOf(telling.line, 255), summary: page, url },
    ...(conclusion === undefined ? { status: running } : { status: "completed", conclusion }),
    startedAt: telling.job?.startedAt,
    ...(conclusion !== undefined && { endedAt: telling.job?.endedAt }),
  };
}

async function check(github: GitHub, report: Report, words: Words): Promise<number> {
  if (!github.isApp)
    throw new MusterError("forbidden", "check runs want a GitHub App, and the hook's secret is a token", {
      hint: "store the App's key (docs/ci.md), or set the hook without report.check",
    });
  const now = checkOf(report, words);
  const { sha } = report.origin;
  const known = report.remote ?? (await lost(report, () => Checks.findCheck(github, sha, now)));
  if (known === undefined) return Checks.createCheck(github, sha, now);
  await Checks.updateCheck(github, known, now);
  return known;
}

/** Whoever was here before may have made it, and have been stopped before that was written. */
const lost = async (report: Report, find: () => Promise<number | undefined>): Promise<number | undefined> =>
  report.tries > 1 ? find() : undefined;

/** Clocks differ; comments are looked for from before the report came to be. */
const SLACK = 600_000;

async function comment(world: Part, github: GitHub, report: Report, { page }: Words): Promise<number> {
  const pull = report.origin.pull ?? 0;
  const marker = markerOf(world.digest, report);
  return kept(report, {
    find: () => Comments.findComment(github, pull, { marker, since: report.createdAt - SLACK }),
    create: () => Comments.createComment(github, pull, page),
    update: id => Comments.updateComment(github, id, page),
  });
}

async function note(world: Part, gitlab: GitLab, report: Report, { page }: Words): Promise<number> {
  const request = report.origin.pull ?? 0;
  return kept(report, {
    find: () => Notes.findNote(gitlab, request, markerOf(world.digest, report)),
    create: () => Notes.createNote(gitlab, request, page),
    update: id => Notes.updateNote(gitlab, request, id, page),
  });
}

interface Page {
  readonly find: () => Promise<number | undefined>;
  readonly create: () => Promise<number>;
  readonly update: (id: number) => Promise<void>;
}

/** Written over, wherever it is; one that somebody has deleted is made anew. */
async function kept(report: Report, { find, create, update }: Page): Promise<number> {
  const known = report.remote ?? (await lost(report, find));
  if (known === undefined) return create();
  try {
    await update(known);
    return known;
  } catch (error) {
    if (error instanceof MusterError && error.code === "not_found") return create();
    throw error;
  }
}
