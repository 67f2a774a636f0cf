/**
 * `/muster approve SHA` in a comment. Whose word it is the forge says, when it is asked: what a comment says of its author is
 * not believed. The commit has to be named: between a maintainer's look and the comment a stranger may push another one.
 */
import { system } from "../actor/actor.ts";
import type { Facts } from "../hook/facts.ts";
import type { Asked } from "../hook/forge.ts";
import type { Hook } from "../hook/hook.ts";
import type { Basics } from "../ports/world.ts";
import { isReport } from "../report/report.ts";
import { approveCommit } from "./approve.ts";

const COMMAND = /^\s{0,8}\/muster[ \t]{1,8}approve(?:[ \t]{1,8}(\S{1,80}))?[ \t]{0,8}$/;

/** As many of its digits as nobody can make two commits with by chance; whoever can on purpose has to be the head as well. */
const SHA = /^[0-9a-f]{12,64}$/i;

/** What it asks for: a commit, or none that can be read; undefined when it does not ask. */
export function approvalIn({ comment, pull, action }: Pick<Facts, "comment" | "pull" | "action">): string | undefined {
  if (comment === undefined || pull === undefined || isReport(comment)) return undefined;
  // One that is changed later may have been another's.
  if (action !== "created" && action !== "create") return undefined;
  const line = comment.split(/\r?\n/).find(one => COMMAND.test(one));
  return line === undefined ? undefined : (COMMAND.exec(line)?.[1] ?? "");
}

export interface Answered {
  readonly isApproved: boolean;
  /** What is said of it in the log of deliveries. */
  readonly message: string;
}

const refused = (message: string): Answered => ({ isApproved: false, message });

/**
 * @param asked the forge
 * @throws MusterError as a call to the forge does
 */
export async function approveByComment(
  world: Basics,
  hook: Hook,
  facts: Facts,
  asked: Pick<Asked, "mayWrite" | "pull">,
): Promise<Answered> {
  const { pull, sender, repository } = facts;
  const said = approvalIn(facts)?.toLowerCase();
  if (said === undefined || pull === undefined || repository === undefined) return refused("nothing was approved");
  if (!SHA.test(said)) return refused("an approval names its commit, with 12 digits or more: /muster approve SHA");
  if (!(await asked.mayWrite(sender)))
    return refused(`${sender} may not write to ${repository}, and approves of nothing`);
  const { sha } = await asked.pull(pull);
  if (sha === undefined || !sha.startsWith(said))
    return refused(`${said} is not the head of pull request ${pull} any more, or never was: nothing was approved`);
  const actor = { ...system(hook.workspace), id: `${hook.forge}:${sender}` };
  const waited = await approveCommit(world, actor, { workspace: hook.workspace, hookId: hook.id, repository, sha });
  if (!waited) return refused(`nothing waits for an approval of ${said}`);
  return { isApproved: true, message: `${sender} approved of ${sha.slice(0, 12)}` };
}
