/** Check runs: a page at a commit, for Apps only. https://docs.github.com/en/rest/checks/runs */
import * as z from "zod";
import { asked, call } from "../forge/call.ts";
import { type GitHub, inRepository } from "./github.ts";

export interface Check {
  readonly name: string;
  /** Of ours: by it a run is found again whose id was lost. */
  readonly externalId: string;
  readonly status: "queued" | "in_progress" | "completed";
  readonly conclusion?: "success" | "failure" | "cancelled" | "timed_out" | "action_required" | "neutral" | undefined;
  readonly title: string;
  /** Markdown, of 65,535 characters at most. */
  readonly summary: string;
  readonly url?: string | undefined;
  /** Epoch ms. */
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
}

const Id = z.object({ id: z.number().int().positive() });
const Runs = z.object({
  check_runs: z.array(z.object({ id: z.number().int().positive(), external_id: z.string().nullish() })).max(100),
});

function bodyOf({ name, externalId, status, conclusion, title, summary, url, startedAt, endedAt }: Check) {
  return {
    ...{ name, external_id: externalId, status, output: { title, summary } },
    ...(conclusion !== undefined && { conclusion }),
    ...(url !== undefined && { details_url: url }),
    ...(startedAt !== undefined && { started_at: new Date(startedAt).toISOString() }),
    ...(endedAt !== undefined && { completed_at: new Date(endedAt).toISOString() }),
  };
}

/** @returns its id. @throws MusterError as a call to a forge does */
export async function createCheck(github: GitHub, sha: string, check: Check): Promise<number> {
  const body = { ...bodyOf(check), head_sha: sha };
  const path = inRepository(github, "check-runs");
  return (await asked(github, { method: "POST", path, body, what: "make a check run" }, Id)).id;
}

/** To say it twice does no harm. @throws MusterError as a call to a forge does */
export async function updateCheck(github: GitHub, id: number, check: Check): Promise<void> {
  const path = inRepository(github, "check-runs", id);
  await call(github, { method: "PATCH", path, body: bodyOf(check), what: "update a check run" });
}

/** The id of the run at this commit that is ours; undefined when there is none. */
export async function findCheck(
  github: GitHub,
  sha: string,
  { name, externalId }: Pick<Check, "name" | "externalId">,
): Promise<number | undefined> {
  const query = new URLSearchParams({ check_name: name, filter: "all", per_page: "100" });
  const path = `${inRepository(github, "commits", sha, "check-runs")}?${query}`;
  const found = await asked(github, { method: "GET", path, what: "list check runs" }, Runs);
  return found.check_runs.find(run => run.external_id === externalId)?.id;
}
