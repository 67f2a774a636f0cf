/** Commit statuses: one line at a commit, under a context. https://docs.github.com/en/rest/commits/statuses */
import { call } from "../forge/call.ts";
import { type GitHub, inRepository } from "./github.ts";

export interface Status {
  readonly state: "pending" | "success" | "failure" | "error";
  /** What tells it from others at that commit; the last status of a context counts. */
  readonly context: string;
  readonly description: string;
  readonly url?: string | undefined;
}

/** GitHub takes no more characters of a description. */
export const MOST_DESCRIPTION = 140;

/** To say it twice does no harm. @throws MusterError as a call to a forge does */
export async function setStatus(github: GitHub, sha: string, { state, context, description, url }: Status) {
  await call(github, {
    method: "POST",
    path: inRepository(github, "statuses", sha),
    body: { state, context, description, ...(url !== undefined && { target_url: url }) },
    what: "set a commit status",
  });
}
