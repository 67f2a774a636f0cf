/** Setting a hook anew. From now on it launches in the name of who set it; its address and its secret stay. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { type Issue, MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Create } from "../launch/launch.ts";
import type { Basics } from "../ports/world.ts";
import { amend } from "../record.ts";
import * as Secret from "../secret/secret.ts";
import { requireStored } from "../secret/stored.ts";
import * as Hook from "./hook.ts";

/** @throws MusterError `not_found`, `forbidden`, and as making one does. */
export const set = (world: Basics, actor: Actor, reference: string, change: Hook.Change): Promise<Hook.Info> =>
  retrying(async () => {
    const known = await Hook.get(world.table, actor.workspace, reference);
    Hook.requireControl(actor, known);
    await requireRules(world, actor, change);
    const { rules, forge, api, token, report, header } = change;
    const { next, write } = amend<Hook.Hook>(Hook.noun, known, {
      ...{ forge, api, token, report, header, rules: rules.length },
      ...{ owner: actor.id, changedAt: world.clock.now() },
    });
    const key = Keys.hookRules(known.workspace, known.id);
    const item = await world.table.get(key);
    const info = Hook.info(next);
    const put = { ...key, type: "hookrules", data: { rules } };
    const event = Hook.eventOf(world, actor, next, "set");
    await commit(world, actor, [write, { put, expect: item?.version ?? "absent" }, event], info);
    return info;
  });

/**
 * Whether its rules can launch what they say when nobody is there.
 * @throws MusterError `invalid_request`, and `not_found` for a secret of the workspace.
 */
export async function requireRules(world: Pick<Basics, "table">, actor: Actor, change: Hook.Change): Promise<void> {
  const issues = change.rules.flatMap(({ launch, comment, by }, index) => [
    ...(launch ? unlaunchable(launch, `hook.rules.${index}.launch`) : []),
    ...(comment !== undefined && needsToken(by) && change.token === undefined
      ? [
          {
            path: `hook.rules.${index}.by`,
            message: "whether somebody may write there is asked with a token: name one",
          },
        ]
      : []),
  ]);
  if (issues.length > 0) throw invalid(issues);
  if (change.token !== undefined) await requireSecret(world, actor, change.token);
  for (const { launch } of change.rules) if (launch) await requireStored(world, actor, launch.task);
}

/** The word for whoever may write to the repository. */
export const WRITERS = "write";
const needsToken = (by: readonly string[] = [WRITERS]): boolean => by.includes(WRITERS);

async function requireSecret({ table }: Pick<Basics, "table">, { workspace }: Actor, name: string): Promise<void> {
  if ((await Secret.find(table, workspace, name)) !== undefined) return;
  throw await Secret.absent(table, workspace, [{ name, path: "hook.token" }]);
}

/** What would need somebody who is there. */
function unlaunchable({ task, after, hold }: Create, base: string): Issue[] {
  const issues: Issue[] = [];
  const amiss = (path: string, message: string): void => void issues.push({ path: `${base}.${path}`, message });
  if (task.run === undefined && task.setup === undefined) amiss("task.run", "the task has nothing to run");
  for (const name of Object.keys(task.secrets))
    amiss(`task.secrets.${name}`, "a hook keeps no secrets: store it in the workspace, and name it");
  for (const path of Object.keys(task.secretFiles))
    amiss(`task.secretFiles.${path}`, "a hook keeps no secret files: store what is in it in the workspace");
  if (after !== undefined) amiss("after", "a hook waits for events, not for jobs");
  if (hold) amiss("hold", "nobody is there to release it");
  return issues;
}

function invalid(issues: readonly Issue[]): MusterError {
  const [first] = issues;
  const hasSecrets = issues.some(({ path }) => path.includes(".task.secret"));
  return new MusterError("invalid_request", `${first?.path}: ${first?.message}`, {
    issues,
    ...(hasSecrets && { hint: "muster secrets set NAME; then in the task: managed_secrets: [NAME]" }),
  });
}
