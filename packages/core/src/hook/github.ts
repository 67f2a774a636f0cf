/**
 * What GitHub's webhooks say (https://docs.github.com/webhooks/webhook-events-and-payloads).
 *
 * Gotcha: a commit of a fork can be had from the repository that it was forked from, under its own name. So whatever an event
 * says of a commit, it is a stranger's unless the event proves that it stands in the repository itself.
 */
import * as z from "zod";
import { isReport } from "../report/report.ts";
import {
  clean,
  type Facts,
  type Found,
  LONGEST_COMMENT,
  namesOf,
  pathsOf,
  repositoryOf,
  shaOf,
  short,
} from "./facts.ts";

const text = z.string().nullish().catch(undefined);
const Repo = z.object({ full_name: text }).nullish().catch(undefined);
const Side = z.object({ ref: text, sha: text, repo: Repo }).nullish().catch(undefined);
const Labels = z
  .array(z.object({ name: z.string() }))
  .nullish()
  .catch(undefined);
const Pull = z
  .object({ number: z.number().int().positive(), head: Side, base: Side, labels: Labels, html_url: text, title: text })
  .nullish()
  .catch(undefined);
const Commit = z.object({
  added: z.array(z.string()).catch([]),
  modified: z.array(z.string()).catch([]),
  removed: z.array(z.string()).catch([]),
});
const Run = z.object({ head_sha: text, head_branch: text, head_repository: Repo }).nullish().catch(undefined);

/** Of each field what is of use; what is of another kind is as good as absent. */
const Body = z.object({
  action: text,
  ref: text,
  ref_type: text,
  before: text,
  after: text,
  deleted: z.boolean().nullish().catch(undefined),
  commits: z.array(Commit).nullish().catch(undefined),
  compare: text,
  sha: text,
  repository: z.object({ full_name: text }).nullish().catch(undefined),
  sender: z
    .object({ login: text, id: z.number().nullish().catch(undefined) })
    .nullish()
    .catch(undefined),
  pull_request: Pull,
  issue: z
    .object({
      number: z.number().int().positive(),
      labels: Labels,
      title: text,
      html_url: text,
      pull_request: z.unknown().optional(),
    })
    .nullish()
    .catch(undefined),
  label: z.object({ name: z.string() }).nullish().catch(undefined),
  comment: z.object({ body: text, html_url: text, commit_id: text }).nullish().catch(undefined),
  merge_group: z.object({ head_sha: text, head_ref: text, base_ref: text, base_sha: text }).nullish().catch(undefined),
  release: z.object({ tag_name: text, html_url: text }).nullish().catch(undefined),
  workflow_run: Run,
  check_suite: Run,
  check_run: z.object({ head_sha: text }).nullish().catch(undefined),
  deployment: z.object({ sha: text, ref: text }).nullish().catch(undefined),
  hook: z.object({ url: text }).nullish().catch(undefined),
});
type Body = z.infer<typeof Body>;
type Said = z.infer<typeof Run>;

/** @param event as the header X-GitHub-Event says it */
export function factsOf(event: string, json: unknown): Facts {
  const body = Body.catch({} as Body).parse(json);
  const { repository, sender, action } = body;
  const said: Found = { ...commonOf(body), ...(READERS[event] ?? other)(body) };
  return clean({
    event,
    action: action ?? undefined,
    repository: repositoryOf(repository?.full_name),
    sender: sender?.login ?? "nobody",
    senderId: sender?.id?.toString(),
    ...said,
  } satisfies Found as Found & Pick<Facts, "event" | "sender">);
}

const READERS: Readonly<Record<string, (body: Body) => Found>> = {
  push: body => {
    const { paths, isCut } = pathsOf(
      (body.commits ?? []).flatMap(({ added, modified, removed }) => [...added, ...modified, ...removed]),
    );
    // GitHub names the commits of a push, 2,048 at most, and none of a branch that is made from another one.
    const isAll = (body.commits?.length ?? 0) < 2048 && (paths.length > 0 || shaOf(body.before) !== undefined);
    const ref = body.ref ?? undefined;
    return {
      ...{ ref, ...namesOf(ref), sha: shaOf(body.after), before: shaOf(body.before), url: body.compare },
      ...{ paths, isCut: isCut || !isAll || undefined, isGone: body.deleted || undefined },
    };
  },
  create: body => madeOf(body, false),
  delete: body => madeOf(body, true),
  merge_group: ({ merge_group: group, action }) => ({
    ref: group?.head_ref,
    branch: namesOf(group?.base_ref ?? undefined).branch ?? group?.base_ref,
    sha: shaOf(group?.head_sha),
    before: shaOf(group?.base_sha),
    isGone: action === "destroyed" || undefined,
  }),
  release: ({ release }) => ({ ...tagged(release?.tag_name), url: release?.html_url }),
  deployment: ({ deployment }) => ({ sha: shaOf(deployment?.sha), ref: deployment?.ref }),
  issue_comment: ({ issue }) =>
    // Which commit it is about only the forge can tell.
    issue?.pull_request ? { pull: issue.number, isForeign: true } : {},
  ping: ({ hook }) => ({ isPing: true, forgeHook: hook?.url && pathOf(hook.url) }),
};

const tagged = (tag: string | null | undefined): Found => (tag ? { tag, ref: `refs/tags/${tag}` } : {});

/** A branch or a tag that is new, or gone. */
function madeOf({ ref, ref_type: type }: Body, isGone: boolean): Found {
  const full = ref && `refs/${type === "tag" ? "tags" : "heads"}/${ref}`;
  return { ref: full, ...namesOf(full ?? undefined), isGone: isGone || undefined };
}

function commonOf({ pull_request: pull, issue, label, comment }: Body): Found {
  const names = [...(pull?.labels ?? issue?.labels ?? []).map(({ name }) => name), ...(label ? [label.name] : [])];
  return {
    ...(names.length > 0 && { labels: [...new Set(names)].slice(0, 200) }),
    ...(comment?.body && !isReport(comment.body) && { comment: short(comment.body, LONGEST_COMMENT) }),
    url: comment?.html_url ?? pull?.html_url ?? issue?.html_url,
    title: pull?.title ?? issue?.title,
    ...(pull && pulled(pull)),
  };
}

function pulled({ number, head, base }: NonNullable<Body["pull_request"]>): Found {
  const isOwn = head?.repo?.full_name !== undefined && head.repo?.full_name === base?.repo?.full_name;
  return {
    pull: number,
    sha: shaOf(head?.sha),
    before: shaOf(base?.sha),
    ref: head?.ref && `refs/heads/${head.ref}`,
    branch: base?.ref,
    isForeign: !isOwn || undefined,
  };
}

/** Whatever else: the commit, if it names one, and no proof of whose it is. */
function other(body: Body): Found {
  if (body.pull_request) return {};
  const run: Said = body.workflow_run ?? body.check_suite;
  const sha = shaOf(run?.head_sha ?? body.check_run?.head_sha ?? body.comment?.commit_id ?? body.sha);
  const branch = run?.head_branch;
  const home = run?.head_repository?.full_name;
  const isOwn = home !== undefined && home !== null && home === body.repository?.full_name;
  return {
    sha,
    branch,
    ref: branch && `refs/heads/${branch}`,
    isForeign: (sha !== undefined && !isOwn) || undefined,
  };
}

const pathOf = (url: string): string | undefined => /\/((?:repos|orgs)\/[\w./-]+\/hooks\/\d+)$/.exec(url)?.[1];
