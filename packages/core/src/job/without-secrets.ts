/** The end of a job whose secrets are gone: nobody can begin it any more. */
import { retrying } from "../commit.ts";
import type { Basics } from "../ports/world.ts";
import { amend, load, type Stored } from "../record.ts";
import * as Job from "./job.ts";
import { giveUp } from "./reconcile/give-up.ts";
import { settle } from "./settle.ts";

type Failure = NonNullable<Job.Verdict["failure"]>;

/** Those that it brought. */
export const LOST: Failure = {
  code: "secrets_lost",
  message: "its secrets are not there any more, and it is not begun without them",
  hint: "submit it again, with its secrets",
};

/** Those of the workspace that it names. */
export function goneFrom(names: readonly string[]): Failure {
  const [first] = names;
  const what = names.length === 1 ? `secret '${first}'` : `secrets ${names.map(name => `'${name}'`).join(", ")}`;
  return {
    code: "secrets_lost",
    message: `the workspace has no ${what} any more, and the job is not begun without`,
    hint: `set it again (muster secrets set ${first}), and submit the job again`,
  };
}

/**
 * Fails the job, for this node's part; its other nodes end as they do when a peer fails. A job that is over, whose secrets
 * are rightly gone, or that has been placed anew is left alone.
 */
export async function endWithoutSecrets(world: Basics, job: Job.Placed, rank: number, failure: Failure): Promise<void> {
  if (!(await condemn(world, job, { event: "fail", failure }))) return;
  await giveUp(world, job, rank, "start_failed");
  await settle(world, { workspace: job.workspace, jobId: job.id });
}

/** @returns whether it is still placed as it was. */
const condemn = (world: Basics, job: Job.Placed, verdict: Job.Verdict): Promise<boolean> =>
  retrying(async () => {
    const now: Stored<Job.Job> | undefined = await load(world.table, Job.noun, Job.noun.key(job));
    if (now === undefined || !Job.isPlaced(now) || now.fence !== job.fence) return false;
    if (now.verdict !== undefined || now.state === "cancelling") return true;
    await world.table.write([amend<Job.Job>(Job.noun, now, { verdict }).write]);
    return true;
  });
