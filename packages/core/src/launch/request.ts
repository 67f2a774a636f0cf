/** What a launch asks for, once its targets are looked up: of machines, and of a job. */
import type { Actor } from "../actor/actor.ts";
import type * as Cluster from "../cluster/cluster.ts";
import type * as Job from "../job/job.ts";
import type { Edge } from "../ports/world.ts";
import { type Resolved, resolve } from "../target/resolve.ts";
import { contained } from "../task/container.ts";
import type * as Launch from "./launch.ts";
import { implied } from "./managed.ts";

/** The request with its targets looked up: what they say is then said by the request itself. */
export async function onTarget(
  world: Pick<Edge, "table" | "providers">,
  actor: Actor,
  { target, ...asked }: Launch.Create,
): Promise<Resolved<Launch.Create>> {
  const { request, notices } = await resolve(world, actor, { ...wanted(asked), target });
  const { nodes, resources, groups, idle } = request;
  const task = contained({
    ...asked.task,
    ...(nodes !== undefined && { nodes }),
    ...(resources !== undefined && { resources }),
  });
  return {
    request: implied({ ...asked, task, ...(groups !== undefined && { groups }), ...(idle !== undefined && { idle }) }),
    notices,
  };
}

export const hasWork = ({ task }: Pick<Launch.Create, "task">): boolean =>
  task.run !== undefined || task.setup !== undefined;

/** The cluster that it asks for. */
export const wanted = (request: Launch.Create): Cluster.Create => ({
  ...(request.cluster !== undefined && { name: request.cluster }),
  ...(request.groups === undefined
    ? { nodes: request.task.nodes, resources: request.task.resources }
    : { groups: request.groups }),
  ...(request.idle !== undefined && { idle: request.idle }),
  ...(request.maxLifetime !== undefined && { maxLifetime: request.maxLifetime }),
  ...(request.maxConcurrentJobs !== undefined && { maxConcurrentJobs: request.maxConcurrentJobs }),
  shared: request.shared,
});

export const jobOf = (request: Launch.Create): Job.Submit => ({
  task: request.task,
  name: undefined,
  priority: request.priority,
  ...(request.group !== undefined && { group: request.group }),
  down: request.down,
});
