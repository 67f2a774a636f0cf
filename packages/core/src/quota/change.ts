/** Reading a workspace's quotas, and setting them. A limit below what there is ends nothing: it lets nothing more begin. */
import type { Actor } from "../actor/actor.ts";
import * as Budget from "../budget/budget.ts";
import { commit, retrying } from "../commit.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import type { Basics } from "../ports/world.ts";
import { amend } from "../record.ts";
import type { Change, Info } from "./info.ts";
import { countOfList } from "./list.ts";
import { DEFAULTS, limitOf, NONE, QUOTAS, type Quota, SET_UP } from "./quota.ts";

export const get = async (world: Pick<Basics, "table">, actor: Actor): Promise<Info> =>
  info(world, await Budget.get(world.table, actor.workspace));

export const change = (world: Basics, actor: Actor, request: Change): Promise<Info> =>
  retrying(async () => {
    const budget = await Budget.get(world.table, actor.workspace);
    const said = Object.entries(request).filter(([, limit]) => limit !== undefined);
    const { next, write } = amend(Budget.noun, budget, { quotas: { ...budget.quotas, ...Object.fromEntries(said) } });
    const answer = await info(world, next);
    const event = {
      ...{ id: Id.create(world.random, "event"), at: world.clock.now(), subject: actor.workspace },
      ...{ kind: "quota.set", details: Object.fromEntries(said) },
    };
    const told = { put: Event.draft(Budget.noun.key(budget), actor, event), expect: "absent" } as const;
    await commit(world, actor, [write, told], answer);
    return answer;
  });

async function info(
  { table }: Pick<Basics, "table">,
  { workspace, quotas, held = NONE }: Budget.Budget,
): Promise<Info> {
  const lists = await Promise.all(SET_UP.map(async list => [list, await countOfList(table, workspace, list)] as const));
  const used: Readonly<Record<string, number>> = { ...held, ...Object.fromEntries(lists) };
  const one = (quota: Quota) => {
    const limit = limitOf(quotas, quota);
    return { quota, used: used[quota] ?? 0, default: DEFAULTS[quota], ...(limit !== undefined && { limit }) };
  };
  return { quotas: QUOTAS.map(one) };
}
