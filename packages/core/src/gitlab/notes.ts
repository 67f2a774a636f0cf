/** Notes of a merge request: its comments. https://docs.gitlab.com/api/notes/ */
import * as z from "zod";
import { asked, call, pages } from "../forge/call.ts";
import { type GitLab, inProject } from "./gitlab.ts";

const Note = z.object({ id: z.number().int().positive(), body: z.string().nullish() });
const Notes = z.array(Note).max(100);

const MOST_PAGES = 5;
const PER_PAGE = 100;

/** The first note that begins with this marker: nobody knew it before that was written. */
export async function findNote(gitlab: GitLab, request: number, marker: string): Promise<number | undefined> {
  const { items } = await pages(MOST_PAGES, PER_PAGE, page => {
    const query = `order_by=created_at&sort=asc&per_page=${PER_PAGE}&page=${page}`;
    const path = `${inProject(gitlab, "merge_requests", request, "notes")}?${query}`;
    return asked(gitlab, { method: "GET", path, what: "list notes" }, Notes);
  });
  return items.find(note => note.body?.startsWith(marker))?.id;
}

/** @returns its id. @throws MusterError as a call to a forge does */
export async function createNote(gitlab: GitLab, request: number, body: string): Promise<number> {
  const path = inProject(gitlab, "merge_requests", request, "notes");
  return (await asked(gitlab, { method: "POST", path, body: { body }, what: "make a note" }, Note)).id;
}

/** @throws MusterError `not_found` when somebody has deleted it */
export async function updateNote(gitlab: GitLab, request: number, id: number, body: string): Promise<void> {
  const path = inProject(gitlab, "merge_requests", request, "notes", id);
  await call(gitlab, { method: "PUT", path, body: { body }, what: "update a note" });
}
