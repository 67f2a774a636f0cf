/** Setting a target, new or anew; clusters that were made with it stay as they are. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import type { Basics, Edge } from "../ports/world.ts";
import { counting } from "../quota/list.ts";
import { amend, insert } from "../record.ts";
import * as Target from "./target.ts";

/** @throws MusterError `unsupported` for a provider that this control plane does not have; `quota_exceeded`. */
export function set(
  world: Basics & Pick<Edge, "providers">,
  actor: Actor,
  name: string,
  request: Target.Change,
): Promise<Target.Info> {
  return retrying(async () => {
    requireProvider(world, request);
    const { provider: named, nodes, idle } = request;
    const { provider: _, ...resources } = request.resources;
    const known = await Target.find(world.table, actor.workspace, name);
    const now = world.clock.now();
    const change = { provider: named, resources, nodes, idle, changedBy: actor.id, changedAt: now };
    const made = Target.Target.parse({
      owner: actor.id,
      createdAt: now,
      ...known,
      ...change,
      workspace: actor.workspace,
      name,
    });
    // The name as it is written now; in its key its letters' case says nothing.
    const write =
      known === undefined ? insert(Target.noun, made) : amend(Target.noun, known, { ...change, name }).write;
    const info = Target.Info.parse(made);
    const counted = known === undefined ? [await counting(world, actor, "targets")] : [];
    await commit(world, actor, [write, ...counted, Target.eventOf(world, actor, made, "target.set")], info);
    return info;
  });
}

function requireProvider({ providers }: Pick<Edge, "providers">, { provider }: Target.Change): void {
  if (providers.has(provider)) return;
  const [first, ...more] = providers.keys();
  const what = `no provider '${provider}'`;
  const has = first === undefined ? "none" : [first, ...more].join(", ");
  throw new MusterError("unsupported", `this control plane has ${what}; it has: ${has}`, {
    issues: [{ path: "provider", message: what }],
    hint: `name one of them: --provider ${first}`,
  });
}
