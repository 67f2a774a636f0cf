/** Setting a schedule, new or anew. What it launched goes on; from now on it launches in the name of who set it. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { type Issue, MusterError } from "../error.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Create } from "../launch/launch.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { counting } from "../quota/list.ts";
import { amend, insert } from "../record.ts";
import { requireStored } from "../secret/stored.ts";
import { check, timeToCome } from "./next.ts";
import * as Schedule from "./schedule.ts";

/**
 * @throws MusterError `invalid_request` for times that cannot be or never come, and for what nobody can launch later;
 * `not_found` for a secret of the workspace; `forbidden` for another's; `quota_exceeded`.
 */
export async function set(world: Basics, actor: Actor, name: string, request: Schedule.Change): Promise<Schedule.Info> {
  requireTimes(check(request, world.clock.now()));
  requireLaunchable(request.launch);
  return retrying(async () => {
    await requireStored(world, actor, request.launch.task);
    const known = await Schedule.find(world.table, actor.workspace, name);
    if (known) Schedule.requireControl(actor, known);
    // Asked after it was read: a time that is launched from here on makes the write below fail.
    const now = world.clock.now();
    const fields = fieldsOf(actor, request, now, known);
    const made = Schedule.Schedule.parse({
      ...{ id: Id.create(world.random, "schedule"), createdAt: now, workspace: actor.workspace },
      ...known,
      // The name as it is written now; in its key its letters' case says nothing.
      ...{ ...fields, name },
    });
    const write =
      known === undefined
        ? insert(Schedule.noun, made)
        : amend<Schedule.Schedule>(Schedule.noun, known, { ...fields, name }).write;
    const info = Schedule.Info.parse(made);
    const launch = await launchOf(world, made, request.launch);
    const counted = known === undefined ? [await counting(world, actor, "schedules")] : [];
    await commit(world, actor, [write, launch, ...counted, Schedule.eventOf(world, actor, made, "set")], info);
    return info;
  });
}

function fieldsOf(
  actor: Actor,
  { cron, timeZone, overlap, launch }: Schedule.Change,
  now: number,
  known: Pick<Schedule.Schedule, "paused" | "last"> | undefined,
) {
  const paused = known?.paused ?? false;
  const nextAt = paused ? undefined : timeToCome({ cron, timeZone }, known?.last, now);
  return {
    ...{ cron, timeZone, overlap, paused, nextAt, dueAt: nextAt, owed: undefined },
    ...{ owner: actor.id, changedAt: now, cluster: launch.cluster, task: launch.task.name },
  };
}

async function launchOf(world: Basics, { workspace, name }: Schedule.Schedule, launch: Create): Promise<Write> {
  const key = Keys.scheduled(workspace, name);
  const item = await world.table.get(key);
  return { put: { ...key, type: "scheduled", data: { launch } }, expect: item?.version ?? "absent" };
}

function requireTimes(issues: readonly Issue[]): void {
  if (issues.length === 0) return;
  const [first] = issues;
  throw new MusterError("invalid_request", `${first?.path}: ${first?.message}`, { issues });
}

/** @throws MusterError `invalid_request`: nobody is there to give a secret when its time comes, nor to release it. */
function requireLaunchable({ task, after, hold }: Create): void {
  const issues: Issue[] = [];
  const amiss = (path: string, message: string): void => void issues.push({ path: `launch.${path}`, message });
  if (task.run === undefined && task.setup === undefined) amiss("task.run", "the task has nothing to run");
  for (const name of Object.keys(task.secrets))
    amiss(`task.secrets.${name}`, "a schedule keeps no secrets: store it in the workspace, and name it");
  for (const path of Object.keys(task.secretFiles))
    amiss(`task.secretFiles.${path}`, "a schedule keeps no secret files: store what is in it in the workspace");
  if (after !== undefined) amiss("after", "a schedule waits for times, not for jobs");
  if (hold) amiss("hold", "pause the schedule instead");
  if (issues.length === 0) return;
  const hasSecrets = issues.some(({ path }) => path.startsWith("launch.task.secret"));
  throw new MusterError("invalid_request", "this cannot be launched by a schedule", {
    issues,
    ...(hasSecrets && { hint: "muster secrets set NAME; then in the task: managed_secrets: [NAME]" }),
  });
}
