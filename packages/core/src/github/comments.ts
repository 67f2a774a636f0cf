/** Comments of a pull request: those of its conversation. https://docs.github.com/en/rest/issues/comments */
import * as z from "zod";
import { asked, call, pages } from "../forge/call.ts";
import { type GitHub, inRepository } from "./github.ts";

const Comment = z.object({ id: z.number().int().positive(), body: z.string().nullish() });
const Comments = z.array(Comment).max(100);

/** Pages that are looked through at most, of a hundred comments each. */
const MOST_PAGES = 5;
const PER_PAGE = 100;

/**
 * The first comment that begins with this marker: nobody knew it before that was written.
 * @param since epoch ms: none is older
 */
export async function findComment(
  github: GitHub,
  pull: number,
  { marker, since }: { readonly marker: string; readonly since: number },
): Promise<number | undefined> {
  const { items } = await pages(MOST_PAGES, PER_PAGE, page => {
    const query = new URLSearchParams({
      since: new Date(since).toISOString(),
      per_page: String(PER_PAGE),
      page: String(page),
    });
    const path = `${inRepository(github, "issues", pull, "comments")}?${query}`;
    return asked(github, { method: "GET", path, what: "list comments" }, Comments);
  });
  return items.find(comment => comment.body?.startsWith(marker))?.id;
}

/** @returns its id. @throws MusterError as a call to a forge does */
export async function createComment(github: GitHub, pull: number, body: string): Promise<number> {
  const path = inRepository(github, "issues", pull, "comments");
  return (await asked(github, { method: "POST", path, body: { body }, what: "make a comment" }, Comment)).id;
}

/** @throws MusterError `not_found` when somebody has deleted it */
export async function updateComment(github: GitHub, id: number, body: string): Promise<void> {
  const path = inRepository(github, "issues", "comments", id);
  await call(github, { method: "PATCH", path, body: { body }, what: "update a comment" });
}
