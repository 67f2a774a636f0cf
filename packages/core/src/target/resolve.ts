/**
 * What a request means once its targets are looked up: the one that it names, or those that stand in for clouds which this
 * control plane has no provider for.
 */
import type { Actor } from "../actor/actor.ts";
import * as Group from "../cluster/group.ts";
import type { Idle } from "../cluster/idle.ts";
import { MusterError } from "../error.ts";
import type { Edge } from "../ports/world.ts";
import { provider as requireProvider } from "../provider/choose.ts";
import type { Choice, Resources } from "../task/resources.ts";
import { choiceOnto, isNamed, onto } from "./fill.ts";
import * as Target from "./target.ts";

/** What of a request a target has a say in. */
export interface Wish extends Group.Request {
  readonly target?: string | undefined;
  readonly idle?: Idle | undefined;
}

export interface Resolved<T> {
  readonly request: T;
  /** For people: what stands in for what, and what of the task is left out. */
  readonly notices: readonly string[];
}

type Part = Pick<Edge, "table" | "providers">;

/**
 * The target's provider stands over the cloud that the task names; what else it says fills in what the task leaves open, in
 * each group. Its number of hosts is for tasks that are for one, as those are that say nothing of it.
 * @throws MusterError `not_found` for a target that is not there; `unsupported` for a cloud that nothing stands in for.
 */
export async function resolve<T extends Wish>(world: Part, actor: Actor, request: T): Promise<Resolved<T>> {
  if (request.target === undefined) return standIns(world, actor, request);
  const target = await Target.get(world.table, actor.workspace, request.target, "target");
  requireHere(world, target);
  const dropped = new Set<string>();
  const cloud = namedBy(request);
  const changed = changing(request, resources => onto({ target, cloud, isChosen: true, dropped }, resources));
  const isMoved = cloud !== undefined && cloud !== target.provider;
  const instead = isMoved ? ` in place of cloud ${cloud}` : "";
  const told = `target ${target.name}: provider ${target.provider}${instead}${without(dropped)}`;
  return settled(changed, target, [told]);
}

/** Targets that bear the name of a cloud that is none of this control plane's. */
async function standIns<T extends Wish>(world: Part, actor: Actor, request: T): Promise<Resolved<T>> {
  const targets = await bearing(world, actor, cloudsOf(request));
  if (targets.length === 0) {
    requireKnown(world, request);
    return { request, notices: [] };
  }
  const standIn = (cloud: string | undefined) => targets.find(one => cloud !== undefined && isNamed(one, cloud));
  // A cluster has one provider: what one of its groups names is meant for all of them.
  const cloud = namedBy(request);
  const whole = standIn(cloud);
  const dropped = new Map(targets.map(target => [target, new Set<string>()]));
  const droppedOf = (target: Target.Target) => dropped.get(target) ?? new Set<string>();
  const changed = changing(request, resources => {
    if (whole !== undefined)
      return onto({ target: whole, cloud, isChosen: false, dropped: droppedOf(whole) }, resources);
    const { anyOf, ordered, ...shared } = resources;
    const choose = (choice: Choice): Choice => {
      const target = standIn(choice.provider);
      return target === undefined ? choice : choiceOnto(target, choice, shared, droppedOf(target));
    };
    return { ...shared, ...(anyOf && { anyOf: anyOf.map(choose) }), ...(ordered && { ordered: ordered.map(choose) }) };
  });
  const notices = targets.map(
    target => `cloud ${target.name} → target ${target.name}: provider ${target.provider}${without(droppedOf(target))}`,
  );
  return whole === undefined ? { request: changed, notices } : settled(changed, whole, notices);
}

/** The cloud that its groups name, where any of them does. */
const namedBy = (request: Wish): string | undefined =>
  Group.wanted(request)
    .map(({ resources }) => cloudOf(resources))
    .find(cloud => cloud !== undefined);

/** The cloud of the group, also where each of its choices says it by itself. */
function cloudOf({ provider, anyOf, ordered }: Resources): string | undefined {
  const [cloud, ...others] = new Set((anyOf ?? ordered ?? []).map(choice => choice.provider));
  return provider ?? (others.length === 0 ? cloud : undefined);
}

const without = (dropped: ReadonlySet<string>): string =>
  dropped.size === 0 ? "" : `; left out, as it is that cloud's: ${[...dropped].join(", ")}`;

/** Said here, where a cluster that is there would only be found to be on another provider. */
function requireKnown({ providers }: Pick<Edge, "providers">, { groups, resources = {} }: Wish): void {
  const { provider, anyOf, ordered } = resources;
  if (groups === undefined && anyOf === undefined && ordered === undefined) requireProvider(providers, { provider });
}

/** It was, when the target was set. @throws MusterError `unsupported` */
function requireHere({ providers }: Pick<Edge, "providers">, { name, provider }: Target.Target): void {
  if (providers.has(provider)) return;
  const [first, ...more] = providers.keys();
  const has = `this control plane does not have; it has: ${[first, ...more].join(", ")}`;
  throw new MusterError("unsupported", `target '${name}' is on provider '${provider}', which ${has}`, {
    issues: [{ path: "target", message: "its provider is not here" }],
    hint: `set it anew: muster targets set ${name} --provider ${first}`,
  });
}

/** The clouds that it names and this control plane has no provider for. */
function cloudsOf(request: Wish): string[] {
  const machines = Group.wanted(request).flatMap(({ resources }) => [
    resources,
    ...(resources.anyOf ?? []),
    ...(resources.ordered ?? []),
  ]);
  return [...new Set(machines.flatMap(({ provider }) => (provider === undefined ? [] : [provider])))];
}

async function bearing({ table, providers }: Part, actor: Actor, clouds: readonly string[]): Promise<Target.Target[]> {
  const unknown = clouds.filter(cloud => !providers.has(cloud));
  const targets = await Promise.all(unknown.map(cloud => Target.find(table, actor.workspace, cloud)));
  return targets.flatMap(target => (target !== undefined && providers.has(target.provider) ? [target] : []));
}

const changing = <T extends Wish>(request: T, change: (resources: Resources) => Resources): T =>
  request.groups === undefined
    ? { ...request, resources: change(request.resources ?? {}) }
    : { ...request, groups: request.groups.map(group => ({ ...group, resources: change(group.resources) })) };

/** With what the target says of the cluster as a whole. */
function settled<T extends Wish>(request: T, target: Target.Target, notices: readonly string[]): Resolved<T> {
  const { nodes, idle } = target;
  const isOpen = request.groups === undefined && (request.nodes ?? 1) === 1;
  const hosts = isOpen && nodes !== undefined && nodes > 1;
  const more = hosts ? [`target ${target.name}: ${nodes} hosts, as the task is for one`] : [];
  return {
    request: {
      ...request,
      ...(hosts && { nodes }),
      ...(request.idle === undefined && idle !== undefined && { idle }),
    },
    notices: [...notices, ...more],
  };
}
