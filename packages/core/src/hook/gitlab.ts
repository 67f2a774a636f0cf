/** What GitLab's webhooks say (https://docs.gitlab.com/user/project/integrations/webhook_events/). */
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
const id = z.number().int().nullish().catch(undefined);
const Commit = z.object({
  added: z.array(z.string()).catch([]),
  modified: z.array(z.string()).catch([]),
  removed: z.array(z.string()).catch([]),
});
const Labels = z
  .array(z.object({ title: z.string() }))
  .nullish()
  .catch(undefined);
const Merge = z
  .object({
    iid: id,
    title: text,
    url: text,
    action: text,
    oldrev: text,
    note: text,
    noteable_type: text,
    source_branch: text,
    target_branch: text,
    source_project_id: id,
    target_project_id: id,
    last_commit: z.object({ id: text }).nullish().catch(undefined),
    labels: Labels,
    ref: text,
    sha: text,
    tag: z.unknown().optional(),
  })
  .nullish()
  .catch(undefined);

const Body = z.object({
  object_kind: text,
  event_name: text,
  ref: text,
  before: text,
  after: text,
  checkout_sha: text,
  total_commits_count: z.number().nullish().catch(undefined),
  commits: z.array(Commit).nullish().catch(undefined),
  commit: z.object({ id: text }).nullish().catch(undefined),
  tag: z.unknown().optional(),
  project_id: id,
  project: z
    .object({
      id,
      path_with_namespace: text,
    })
    .nullish()
    .catch(undefined),
  user: z.object({ username: text, id }).nullish().catch(undefined),
  user_username: text,
  user_id: id,
  labels: Labels,
  object_attributes: Merge,
  merge_request: Merge,
  action: text,
});
type Body = z.infer<typeof Body>;

export function factsOf(json: unknown): Facts {
  const body = Body.catch({} as Body).parse(json);
  const event = body.object_kind ?? body.event_name ?? "unknown";
  const { project, user } = body;
  const said: Found = (READERS[event] ?? other)(body);
  return clean({
    event,
    action: body.object_attributes?.action ?? body.action,
    repository: repositoryOf(project?.path_with_namespace),
    project: (project?.id ?? body.project_id)?.toString(),
    sender: user?.username ?? body.user_username ?? "nobody",
    senderId: (user?.id ?? body.user_id)?.toString(),
    labels: labelsOf(body),
    ...said,
  } satisfies Found as Found & Pick<Facts, "event" | "sender">);
}

const READERS: Readonly<Record<string, (body: Body) => Found>> = {
  push: body => pushed(body),
  tag_push: body => pushed(body),
  merge_request: ({ object_attributes: merge }) => ({ ...merged(merge), url: merge?.url }),
  note: ({ object_attributes: note, merge_request: merge, commit }) => ({
    ...(note?.note && !isReport(note.note) && { comment: short(note.note, LONGEST_COMMENT) }),
    // Of older GitLabs a note says not that it is new.
    action: note?.action ?? "create",
    ...(merge ? merged(merge) : { sha: shaOf(commit?.id), isForeign: shaOf(commit?.id) !== undefined || undefined }),
    url: note?.url,
  }),
  release: ({ tag, commit }) => ({ ...taggedBy(tag), sha: shaOf(commit?.id) }),
};

const taggedBy = (tag: unknown): Found => (typeof tag === "string" ? { tag, ref: `refs/tags/${tag}` } : {});

function pushed(body: Body): Found {
  const { commits, ref, total_commits_count: total } = body;
  const { paths, isCut } = pathsOf(
    (commits ?? []).flatMap(({ added, modified, removed }) => [...added, ...modified, ...removed]),
  );
  // GitLab names the latest 20 commits of a push.
  const isAll = (commits?.length ?? 0) >= (total ?? 0) && (paths.length > 0 || shaOf(body.before) !== undefined);
  return {
    ref,
    ...namesOf(ref ?? undefined),
    sha: shaOf(body.checkout_sha) ?? shaOf(body.after),
    before: shaOf(body.before),
    paths,
    isCut: isCut || !isAll || undefined,
    isGone: shaOf(body.after) === undefined || undefined,
  };
}

function merged(merge: Body["merge_request"]): Found {
  const { source_project_id: source, target_project_id: target } = merge ?? {};
  const isOwn = typeof source === "number" && source === target;
  return {
    pull: merge?.iid && merge.iid > 0 ? merge.iid : undefined,
    title: merge?.title,
    sha: shaOf(merge?.last_commit?.id),
    ref: merge?.source_branch && `refs/heads/${merge.source_branch}`,
    branch: merge?.target_branch,
    isForeign: !isOwn || undefined,
    // An update is of its commits only where it says what they were before.
    alias: merge?.action === "update" && shaOf(merge.oldrev) !== undefined ? "synchronize" : undefined,
  };
}

/** Whatever else: the commit, if it names one, and no proof of whose it is. */
function other({ object_attributes: one, ref, commit, tag }: Body): Found {
  const sha = shaOf(one?.sha) ?? shaOf(commit?.id);
  const name = one?.ref ?? ref;
  const isTag = one?.tag === true || tag === true;
  const full = name && (name.startsWith("refs/") ? name : `refs/${isTag ? "tags" : "heads"}/${name}`);
  return { sha, ref: full, ...namesOf(full ?? undefined), isForeign: sha !== undefined || undefined };
}

function labelsOf({ labels, object_attributes: own, merge_request: merge }: Body): string[] | undefined {
  const titles = (labels ?? own?.labels ?? merge?.labels ?? []).map(({ title }) => title).slice(0, 200);
  return titles.length > 0 ? titles : undefined;
}
