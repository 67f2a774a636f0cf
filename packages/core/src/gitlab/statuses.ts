/** Commit statuses, which GitLab shows as jobs of a pipeline. https://docs.gitlab.com/api/commits/#set-commit-pipeline-status */
import { MusterError } from "../error.ts";
import { call } from "../forge/call.ts";
import { type GitLab, inProject } from "./gitlab.ts";

export interface Status {
  readonly state: "pending" | "running" | "success" | "failed" | "canceled";
  readonly name: string;
  readonly description: string;
  readonly url?: string | undefined;
  /** Branch or tag; absent: whichever has the commit. */
  readonly ref?: string | undefined;
}

export const MOST_DESCRIPTION = 255;

/** To say the same twice does no harm. @throws MusterError as a call to a forge does */
export async function setStatus(gitlab: GitLab, sha: string, { state, name, description, url, ref }: Status) {
  const body = {
    ...{ state, name, description },
    ...(url !== undefined && { target_url: url }),
    ...(ref !== undefined && { ref }),
  };
  const path = inProject(gitlab, "statuses", sha);
  try {
    await call(gitlab, { method: "POST", path, body, what: "set a commit status" });
  } catch (error) {
    if (!isThereAlready(error)) throw error;
  }
}

/** A status that is said again is refused as a move that leads nowhere. */
const isThereAlready = (error: unknown): boolean =>
  error instanceof MusterError &&
  error.details.status === 400 &&
  /cannot transition status/i.test(String(error.details.said));
