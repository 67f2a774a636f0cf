/** Setting a pool, new or anew. Members that are made from something else than it says now are replaced. */
import type { Actor } from "../actor/actor.ts";
import { jobNodes } from "../cluster/group.ts";
import { commit, retrying } from "../commit.ts";
import { type Issue, MusterError } from "../error.ts";
import * as Id from "../id.ts";
import { imaged } from "../image/resolve.ts";
import * as Keys from "../keys.ts";
import type { Create } from "../launch/launch.ts";
import { hasWork, onTarget, wanted } from "../launch/request.ts";
import type { Item, Write } from "../ports/table.ts";
import type { Edge } from "../ports/world.ts";
import { maybeSpot } from "../provider/choices.ts";
import * as Choose from "../provider/choose.ts";
import { counting } from "../quota/list.ts";
import { amend, insert } from "../record.ts";
import { check } from "../schedule/next.ts";
import { requireStored } from "../secret/stored.ts";
import * as Shape from "./info.ts";
import * as Pool from "./pool.ts";
import { nextTurn } from "./turns.ts";

/**
 * @throws MusterError `invalid_request` for what no member can be made from, and for times that never come; `unsupported` for
 * machines that cannot be stopped and are to be; `no_offer`; `not_found` for a secret or a target; `forbidden` for
 * another's; `conflict` while one of that name is being removed; `quota_exceeded`.
 */
export async function set(world: Edge, actor: Actor, name: string, request: Shape.Change): Promise<Shape.Info> {
  const now = world.clock.now();
  requireTimes(request.sizes, now);
  requirePreparing(request.launch);
  const keep = await keepOf(world, actor, request);
  const launch = everywhere(request.launch);
  return retrying(async () => {
    await requireStored(world, actor, launch.task);
    const known = await Pool.find(world.table, actor.workspace, name);
    if (known) {
      Pool.requireControl(actor, known);
      Pool.requireStaying(known);
    }
    const item = await world.table.get(Keys.pooled(actor.workspace, name));
    const fields = { ...fieldsOf(actor, { ...request, launch }, now), name, keep };
    const revision = (known?.revision ?? 0) + (isSame(item, launch) ? 0 : 1);
    const made = Pool.Pool.parse({
      ...{ id: Id.create(world.random, "pool"), createdAt: now, workspace: actor.workspace },
      ...{ made: 0, ready: 0, making: 0, ...known, ...fields, revision },
    });
    const write =
      known === undefined ? insert(Pool.noun, made) : amend<Pool.Pool>(Pool.noun, known, { ...fields, revision }).write;
    const info = Shape.Info.parse(made);
    const kept: Write = {
      put: { ...Keys.pooled(actor.workspace, name), type: "pooled", data: { launch } },
      expect: item?.version ?? "absent",
    };
    const counted = known === undefined ? [await counting(world, actor, "pools")] : [];
    await commit(world, actor, [write, kept, ...counted, Pool.eventOf(world, actor, made, "set")], info);
    return info;
  });
}

/** What has gone wrong so far says nothing of what is made from now on. */
const fieldsOf = (actor: Actor, { size, sizes, launch }: Shape.Change, now: number) => ({
  ...{ size, sizes, nextAt: nextTurn(sizes, now)?.at, dueAt: now },
  ...{ failures: 0, retryAt: undefined, setback: undefined },
  ...{ owner: actor.id, shared: launch.shared, task: launch.task.name, changedAt: now },
});

const isSame = (item: Item | undefined, launch: Create): boolean =>
  JSON.stringify(item?.data.launch) === JSON.stringify(JSON.parse(JSON.stringify(launch)));

/** @throws MusterError `unsupported` for machines that cannot be stopped and are to be. */
async function keepOf(world: Edge, actor: Actor, { keep = "stopped", launch }: Shape.Change): Promise<Pool.Keep> {
  const { request } = await onTarget(world, actor, launch);
  const { provider, groups } = await Choose.forRequest(world.providers, await imaged(world, actor, wanted(request)));
  const spot = groups.some(maybeSpot);
  if (keep === "running" || (provider.capabilities.stop && !spot)) return keep;
  const who = spot ? "spot machines cannot be stopped" : `provider '${provider.name}' cannot stop machines`;
  throw new MusterError("unsupported", who, {
    issues: [{ path: "keep", message: "these machines can only be kept running" }],
    hint: "keep them running, which costs what they cost: --keep running",
  });
}

/** What prepares a member does so on all of its hosts that take jobs. */
function everywhere(launch: Create): Create {
  if (launch.groups === undefined) return launch;
  const nodes = jobNodes({ nodes: 0, groups: launch.groups });
  return { ...launch, task: { ...launch.task, nodes } };
}

function requireTimes(sizes: readonly Pool.Turn[], now: number): void {
  const issues = sizes.flatMap((turn, index) =>
    check(turn, now).map(issue => ({ ...issue, path: `sizes.${index}.${issue.path}` })),
  );
  const [first] = issues;
  if (first === undefined) return;
  throw new MusterError("invalid_request", `${first.path}: ${first.message}`, { issues });
}

/** What the launch that takes a member says, and what nobody is there to say when one is made. */
const ELSEWHERE = [
  "cluster",
  "idle",
  "maxLifetime",
  "group",
  "after",
  "hold",
  "force",
  "onBusy",
  "managed",
  "pool",
] as const;

/** @throws MusterError `invalid_request` with all that is amiss. */
function requirePreparing(launch: Create): void {
  const { task } = launch;
  const issues: Issue[] = [];
  const amiss = (path: string, message: string): void => void issues.push({ path: `launch.${path}`, message });
  if (task.run !== undefined) amiss("task.run", "a pool runs nothing: its task prepares machines, in setup");
  if (task.runs !== undefined) amiss("task.runs", "a machine is prepared once");
  for (const name of Object.keys(task.secrets))
    amiss(`task.secrets.${name}`, "a pool keeps no secrets: store it in the workspace, and name it");
  for (const path of Object.keys(task.secretFiles))
    amiss(`task.secretFiles.${path}`, "a pool keeps no secret files: store what is in it in the workspace");
  for (const field of ELSEWHERE)
    if (launch[field] !== undefined) amiss(field, "is for the launch that takes a machine from the pool");
  if (launch.down) amiss("down", "is for the launch that takes a machine from the pool");
  if (!hasWork(launch) && needsSetup(launch)) amiss("task.setup", "nothing is prepared without a setup");
  if (issues.length === 0) return;
  const hasSecrets = issues.some(({ path }) => path.startsWith("launch.task.secret"));
  throw new MusterError("invalid_request", "no members of a pool can be made from this", {
    issues,
    ...(hasSecrets && { hint: "muster secrets set NAME; then in the task: managed_secrets: [NAME]" }),
  });
}

/** What is sent to a machine is sent by a job, and without a setup there is none. */
const needsSetup = ({ task }: Create): boolean => task.workdir !== undefined || task.mounts.length > 0;
