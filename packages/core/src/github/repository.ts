/** What a repository holds, and who may do what there. https://docs.github.com/en/rest/repos */
import * as z from "zod";
import { MusterError } from "../error.ts";
import { asked, MOST_LISTED, pages, pathOf, textOfBase64 } from "../forge/call.ts";
import { type GitHub, inRepository } from "./github.ts";

const File = z.object({ type: z.string(), encoding: z.string().optional(), content: z.string().optional() });
/** Of a folder it is a list. */
const Contents = z.union([File, z.array(z.unknown())]);

/** Of a file, in bytes. A file's text is sent in base64, with more beside it. */
export const MOST_FILE = 262_144;

/**
 * The text of a file as it is at a commit.
 * @throws MusterError `not_found`; `too_large`; `invalid_request` for what is no file of text
 */
export async function readFile(github: GitHub, sha: string, path: string): Promise<string> {
  const where = `${inRepository(github, "contents", ...path.split("/"))}?${new URLSearchParams({ ref: sha })}`;
  const what = `show ${path} at ${sha.slice(0, 12)}`;
  const found = await asked(github, { method: "GET", path: where, what, maxBytes: MOST_LISTED }, Contents);
  if (Array.isArray(found) || found.type !== "file")
    throw new MusterError("invalid_request", `${path} is no file at ${sha.slice(0, 12)}`);
  // What is larger than GitHub likes comes without its content.
  if (found.encoding !== "base64" || (found.content ?? "").length > MOST_FILE * 1.4)
    throw new MusterError("too_large", `${path} is larger than ${MOST_FILE / 1024} KB`);
  return textOfBase64(found.content ?? "", path);
}

const Permission = z.object({ permission: z.string(), role_name: z.string().nullish() });

/** Who may change the code: `maintain` and roles of an organisation's own count as what they are based on. */
const MAY_WRITE = new Set(["admin", "maintain", "write"]);

/** Whether this user may write to the repository. Of a user whom nobody knows: no. */
export async function mayWrite(github: GitHub, user: string): Promise<boolean> {
  const path = inRepository(github, "collaborators", user, "permission");
  try {
    const found = await asked(github, { method: "GET", path, what: `tell what ${user} may do` }, Permission);
    return MAY_WRITE.has(found.permission);
  } catch (error) {
    if (error instanceof MusterError && error.code === "not_found") return false;
    throw error;
  }
}

const Pull = z.object({
  number: z.number().int(),
  state: z.string(),
  head: z.object({ sha: z.string(), ref: z.string(), repo: z.object({ full_name: z.string() }).nullish() }),
  base: z.object({ sha: z.string(), ref: z.string() }),
  user: z.object({ login: z.string() }).nullish(),
  html_url: z.string().optional(),
});
export type Pull = z.infer<typeof Pull>;

/** A pull request as it is now. Its head has no repository when that was deleted. */
export const readPull = (github: GitHub, pull: number): Promise<Pull> =>
  asked(github, { method: "GET", path: inRepository(github, "pulls", pull), what: `show pull request ${pull}` }, Pull);

const Changed = z.array(z.object({ filename: z.string(), previous_filename: z.string().optional() })).max(300);
const Compared = z.object({ files: Changed.optional() });

/** Paths that were changed; a file that was moved counts at both its places. */
export interface Changes {
  readonly paths: readonly string[];
  /** False where there are more than the forge tells. */
  readonly complete: boolean;
}

const pathsOf = (files: z.infer<typeof Changed>): string[] => [
  ...new Set(files.flatMap(({ filename, previous_filename: before }) => [filename, ...(before ? [before] : [])])),
];

/** GitHub lists 3,000 files of a pull request at most. */
const MOST_PAGES = 30;
const PER_PAGE = 100;

export async function filesOfPull(github: GitHub, pull: number): Promise<Changes> {
  const { items, complete } = await pages(MOST_PAGES, PER_PAGE, page => {
    const path = `${inRepository(github, "pulls", pull, "files")}?per_page=${PER_PAGE}&page=${page}`;
    return asked(github, { method: "GET", path, what: "list changed files", maxBytes: MOST_LISTED }, Changed);
  });
  return { paths: pathsOf(items), complete };
}

/** GitHub lists 300 files of a comparison at most. */
const MOST_COMPARED = 300;

/** What has changed from one commit to another. */
export async function filesBetween(github: GitHub, base: string, head: string): Promise<Changes> {
  pathOf(base, head);
  const path = `${inRepository(github, "compare", `${base}...${head}`)}?per_page=1`;
  const { files = [] } = await asked(
    github,
    { method: "GET", path, what: "compare two commits", maxBytes: MOST_LISTED },
    Compared,
  );
  return { paths: pathsOf(files), complete: files.length < MOST_COMPARED };
}
