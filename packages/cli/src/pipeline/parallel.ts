/** A file of tasks that run at the same time, on its way to a cluster of its own: a job group. */
import { randomUUID } from "node:crypto";
import type { Client } from "@muster/api/client.ts";
import type { InputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import * as Group from "@muster/core/cluster/group.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Role } from "@muster/task/parallel.ts";
import type { Result } from "@muster/task/read.ts";
import type { Cli } from "../cli.ts";
import { idleOf } from "../idle.ts";
import { type Interrupt, interrupt, orLeave } from "../interrupt.ts";
import { openCopy } from "../log-copy.ts";
import * as Plan from "../plan.ts";
import type * as Options from "../task-options.ts";
import { hostsOf, living, placing } from "../task-options.ts";
import { stay } from "./attend.ts";
import * as Pipeline from "./prepare.ts";
import { attendGroup } from "./together.ts";

export interface GroupOptions extends Pipeline.PipelineOptions, Options.ClusterOptions {
  readonly down?: boolean;
  readonly managed?: boolean;
}

type Body = InputOf<Routes["jobGroups.create"]>["body"];

/** Whether the tasks of the file run at the same time. */
export const isGroup = (result: Result): boolean => result.roles !== undefined;

/** @throws MusterError `unsupported` on a cluster that is there: all tasks could not begin at once. */
export function refuseOn(result: Result, cluster: string): void {
  if (!isGroup(result)) return;
  throw new MusterError("unsupported", "the tasks of this file run at the same time, each on hosts of its own", {
    hint: `launch them on a cluster of their own: muster launch FILE, without -c ${cluster}`,
  });
}

/** What cannot be said of a job group: option, as it is written. */
const REFUSED: readonly (readonly [keyof GroupOptions, string])[] = [
  ["managed", "--managed"],
  ["runs", "--runs"],
  ["sweep", "--sweep"],
  ["concurrent", "--concurrent"],
  ["group", "--group"],
  ["after", "--after"],
  ["hold", "--hold"],
  ["ifBusy", "--if-busy"],
  ["force", "--force"],
  ["maxConcurrentJobs", "--max-concurrent-jobs"],
  ["pool", "--pool"],
];

function requireSense(options: GroupOptions): void {
  const said = REFUSED.filter(([key]) => options[key] !== undefined).map(([, flag]) => flag);
  if (said.length === 0) return;
  throw new MusterError("unsupported", `${said.join(", ")}: not for tasks that run at the same time`, {
    hint: "leave it out: they have a cluster of their own, and begin all at once",
  });
}

/** Launches them, and stays with them. */
export async function launchGroup(
  cli: Cli,
  file: string | undefined,
  result: Result,
  options: GroupOptions,
): Promise<void> {
  requireSense(options);
  const steps = await Pipeline.find(cli, file, result, options);
  const copy = await openCopy(cli.cwd, options.outputFilepath);
  using stop = interrupt();
  const client = await cli.connect();
  const body = await orLeave(cli, stop, () => prepare(cli, client, stop, result, steps, options));
  if (body === undefined) return;
  // Not to be interrupted: whoever stops this command is told what became of the launch.
  const launched = await client.jobGroups.create({ body }, { idempotencyKey: randomUUID() });
  const sent = { ...launched, reused: false };
  const detach = options.detach ?? false;
  process.exitCode = await stay(cli, { client, steps, sent, stop, detach, copy, attend: attendGroup(launched) });
}

/** Shows the plan and sends the inputs. @returns the request; nothing when only the plan was asked for. */
async function prepare(
  cli: Cli,
  client: Client,
  stop: Interrupt,
  result: Result,
  steps: readonly Pipeline.Found[],
  options: GroupOptions,
): Promise<Body | undefined> {
  const { out } = cli;
  const { plan, groups, shared, down } = await decide(client, steps, options);
  const draft = steps[0]?.draft;
  if (draft === undefined) throw new Error("a file of several tasks has none");
  const { maxLifetime } = shared;
  for (const line of Plan.lines(out, { plan, reading: { ...result, draft }, down, maxLifetime })) out.note(line);
  const roles = result.roles ?? [];
  show(cli, steps, roles);
  if (options.dryRun) {
    Plan.showOffers(out, plan);
    return undefined;
  }
  const ready = await Pipeline.ready(cli, client, stop, steps, options);
  const tasks = ready.map(({ task, queueing }, index) => ({
    task: { ...task, resources: groups[index]?.resources ?? {} },
    ...(queueing.priority !== undefined && { priority: queueing.priority }),
    ...roles[index],
  }));
  return { name: result.name ?? "", tasks, ...shared, down };
}

/** The plan of the machines, and what of the request is said of them all. */
async function decide(client: Client, steps: readonly Pipeline.Found[], options: GroupOptions) {
  const asked = steps.map(({ draft: { task } }) =>
    Group.Create.parse({ name: task.name, nodes: task.nodes, resources: task.resources }),
  );
  const groups = hostsOf({ task: { resources: {} }, groups: asked }, options).groups ?? [];
  const idle = steps.findLast(({ draft }) => draft.idle !== undefined)?.draft.idle;
  const minutes = options.idleMinutesToAutostop;
  const shared = {
    ...placing(options),
    ...living(options),
    ...(options.cluster !== undefined && { cluster: options.cluster }),
    ...(idle !== undefined && { idle }),
    shared: options.share ?? false,
  };
  const plan = await client.launches.plan({ body: { task: {}, groups, ...shared } });
  if (plan.reused) throw taken(plan.cluster ?? "");
  const given = idleOf(minutes, options.down ?? false, plan.idle);
  const down = (options.down ?? false) && minutes === undefined;
  if (given === undefined) return { plan, groups, shared, down };
  return { plan: { ...plan, idle: given }, groups, shared: { ...shared, idle: given }, down };
}

const taken = (name: string): MusterError =>
  new MusterError("name_taken", `there is a cluster '${name}', and a job group makes one of its own`, {
    hint: "choose another name with -c, or leave it out",
  });

/** Which tasks there are, and whose end is the end of all. */
function show({ out }: Cli, steps: readonly Pipeline.Found[], roles: readonly Role[]): void {
  const isMixed = roles.some(({ primary }) => !primary);
  for (const [index, { draft, title }] of steps.entries()) {
    const { primary = true, delay = 0 } = roles[index] ?? {};
    const after = delay === 0 ? "" : `, ${delay} s later`;
    const role = primary ? "primary" : `ends when these have${after}`;
    out.note(`  ${out.style("dim", "task".padEnd(8))} ${draft.task.name ?? title}${isMixed ? `: ${role}` : ""}`);
  }
}
