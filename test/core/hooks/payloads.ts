/** Payloads of GitHub's as tests of hooks change them, and what became of jobs. */
import { find as findJob } from "@muster/core/job/read.ts";
import { taskOf } from "@muster/core/job/submission.ts";
import { ADA, type TestWorld } from "../../support/world.ts";
import { example } from "./support.ts";

export const SHA = "a".repeat(40);
let pushes = 0;
/** A number that nothing has had before. */
export const fresh = (): number => ++pushes;

/** Each is another one, as each push is. */
export const pushed = (ref = "refs/heads/main", more: object = {}) => ({
  ...example("push"),
  ...{ ref, before: "1".repeat(40), after: SHA, deleted: false, pushes: ++pushes },
  commits: [{ added: ["src/new.ts"], modified: ["docs/a.md"], removed: [] }],
  ...more,
});

export const RUN = { task: { run: "true" } };
export const envsOf = async (world: TestWorld, jobId = ""): Promise<Record<string, string>> =>
  (await taskOf(world.table, await findJob(world, ADA, jobId))).envs;
export const stateOf = async (world: TestWorld, jobId = ""): Promise<string> =>
  (await findJob(world, ADA, jobId)).state;

interface Pulled {
  action: string;
  number: number;
  pull_request: { head: { sha: string; repo: { full_name: string } | null }; base: { repo: { full_name: string } } };
}

export function pulled(more: { readonly fork?: boolean; readonly sha?: string } = {}): Pulled {
  const payload = example("pull_request", "opened") as unknown as Pulled;
  payload.pull_request.head.sha = more.sha ?? SHA;
  if (more.fork) payload.pull_request.head.repo = { full_name: "stranger/fork" };
  return { ...payload, ...{ pushes: ++pushes } };
}
