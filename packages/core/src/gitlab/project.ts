/** What a project holds, and who may do what there. */
import * as z from "zod";
import { MusterError } from "../error.ts";
import { asked, call, MOST_LISTED, pages } from "../forge/call.ts";
import { type GitLab, inProject } from "./gitlab.ts";

/** Of a file, in bytes. */
export const MOST_FILE = 262_144;

/**
 * The text of a file as it is at a commit. https://docs.gitlab.com/api/repository_files/#get-raw-file-from-repository
 * @throws MusterError `not_found`; `too_large`; `invalid_request` for what is no text
 */
export async function readFile(gitlab: GitLab, sha: string, path: string): Promise<string> {
  const where = `${inProject(gitlab, "repository", "files", path, "raw")}?${new URLSearchParams({ ref: sha })}`;
  const what = `show ${path} at ${sha.slice(0, 12)}`;
  const { body } = await call(gitlab, { method: "GET", path: where, what, maxBytes: MOST_FILE + 1 });
  if (new TextEncoder().encode(body).length > MOST_FILE)
    throw new MusterError("too_large", `${path} is larger than ${MOST_FILE / 1024} KB`);
  // What is no UTF-8 is read as this character.
  if (body.includes("\ufffd")) throw new MusterError("invalid_request", `${path} is not text in UTF-8`);
  return body;
}

const Members = z
  .array(z.object({ username: z.string(), access_level: z.number().int(), state: z.string().optional() }))
  .max(100);

/** The access level of a member of the project, or of a group above it; 0 for anybody else. https://docs.gitlab.com/api/members/ */
export async function accessOf(gitlab: GitLab, user: string): Promise<number> {
  const query = new URLSearchParams({ query: user, per_page: "100" });
  const path = `${inProject(gitlab, "members", "all")}?${query}`;
  const found = await asked(gitlab, { method: "GET", path, what: `tell what ${user} may do` }, Members);
  const levels = found
    .filter(({ username, state = "active" }) => username.toLowerCase() === user.toLowerCase() && state === "active")
    .map(({ access_level: level }) => level);
  return Math.max(0, ...levels);
}

const MergeRequest = z.object({
  iid: z.number().int(),
  state: z.string(),
  sha: z.string().nullish(),
  source_project_id: z.number().int().nullish(),
  target_project_id: z.number().int(),
});
export type MergeRequest = z.infer<typeof MergeRequest>;

/** A merge request as it is now; `sha` is its head. */
export const readMergeRequest = (gitlab: GitLab, request: number): Promise<MergeRequest> =>
  asked(
    gitlab,
    { method: "GET", path: inProject(gitlab, "merge_requests", request), what: `show merge request ${request}` },
    MergeRequest,
  );

const Diffs = z.array(z.object({ old_path: z.string(), new_path: z.string() })).max(1000);
const Compared = z.object({ diffs: Diffs, compare_timeout: z.boolean().optional() });

const pathsOf = (diffs: z.infer<typeof Diffs>): string[] => [
  ...new Set(diffs.flatMap(({ old_path: before, new_path: now }) => [now, before])),
];

const MOST_PAGES = 30;
const PER_PAGE = 100;

/** Paths that a merge request changes; a file that was moved counts at both its places. */
export async function filesOfMergeRequest(
  gitlab: GitLab,
  request: number,
): Promise<{ readonly paths: readonly string[]; readonly complete: boolean }> {
  const { items, complete } = await pages(MOST_PAGES, PER_PAGE, page => {
    const path = `${inProject(gitlab, "merge_requests", request, "diffs")}?per_page=${PER_PAGE}&page=${page}`;
    return asked(gitlab, { method: "GET", path, what: "list changed files", maxBytes: MOST_LISTED }, Diffs);
  });
  return { paths: pathsOf(items), complete };
}

/** What has changed from one commit to another. */
export async function filesBetween(
  gitlab: GitLab,
  from: string,
  to: string,
): Promise<{ readonly paths: readonly string[]; readonly complete: boolean }> {
  const path = `${inProject(gitlab, "repository", "compare")}?${new URLSearchParams({ from, to })}`;
  const found = await asked(
    gitlab,
    { method: "GET", path, what: "compare two commits", maxBytes: MOST_LISTED },
    Compared,
  );
  return { paths: pathsOf(found.diffs), complete: found.compare_timeout !== true };
}
