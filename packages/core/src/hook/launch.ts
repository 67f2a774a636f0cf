/** What a rule launches for an event: its own launch, or a task file of the repository, with the event's values. */
import { restricted } from "../approval/restrict.ts";
import { issuesOf, MusterError } from "../error.ts";
import * as Launch from "../launch/launch.ts";
import type { TaskFiles } from "../ports/task-files.ts";
import type { Git } from "../task/inputs.ts";
import type { Facts } from "./facts.ts";
import { cloneOf } from "./forge.ts";
import type { Hook } from "./hook.ts";
import type { Rule } from "./rules.ts";

const NOWHERE = {
  cluster: undefined,
  pool: undefined,
  onBusy: undefined,
  force: undefined,
  maxConcurrentJobs: undefined,
} as const;

export interface Wanted {
  readonly hook: Hook;
  readonly rule: Rule;
  readonly facts: Facts;
  readonly values: Readonly<Record<string, string>>;
  /** The text of a file at the event's commit. */
  readonly readFile: (at: string, path: string) => Promise<string>;
}

/** @throws MusterError for a file that is not there, or cannot be launched where nobody is. */
export async function launchOf(world: { readonly taskFiles: TaskFiles }, wanted: Wanted): Promise<Launch.Create> {
  const { rule, facts, values } = wanted;
  const launch = rule.launch ? ownOf(rule.launch, wanted) : await fromFile(world, wanted);
  const made = { ...launch, task: { ...launch.task, envs: { ...launch.task.envs, ...values } } };
  // The rule's own place is for the repository's own commits.
  const checked = Launch.Create.safeParse(facts.isForeign ? { ...made, ...NOWHERE } : made);
  if (checked.success) return facts.isForeign ? restricted(checked.data) : checked.data;
  const issues = issuesOf(checked.error, "launch");
  throw new MusterError("invalid_request", `this cannot be launched: ${issues[0]?.path}: ${issues[0]?.message}`, {
    issues,
  });
}

function ownOf(launch: Launch.Create, { hook, rule, facts }: Wanted): Launch.Create {
  if (!rule.checkout) return launch;
  const workdir = sourceOf(hook, facts);
  if (workdir === undefined)
    throw new MusterError("invalid_request", `${facts.event} names no commit of a repository to check out`);
  return { ...launch, task: { ...launch.task, workdir } };
}

/** The repository at the event's commit. */
function sourceOf(hook: Hook, facts: Facts): Git | undefined {
  const url = cloneOf(hook, facts);
  const ref = facts.sha ?? facts.ref;
  return url === undefined || ref === undefined ? undefined : { url, ref };
}

async function fromFile({ taskFiles }: { readonly taskFiles: TaskFiles }, wanted: Wanted): Promise<Launch.Create> {
  const { hook, rule, facts, readFile } = wanted;
  const { file: path = "", settings } = rule;
  const at = facts.sha ?? facts.ref;
  if (at === undefined)
    throw new MusterError("invalid_request", `${facts.event} names no commit at which ${path} could be read`);
  const launch = taskFiles.read({ text: await readFile(at, path), path, source: sourceOf(hook, facts) });
  const { shared = launch.shared, down = launch.down, priority = launch.priority, ...more } = settings ?? {};
  return { ...launch, ...more, shared, down, priority };
}
