/** Reading a workspace's budget, and setting it. A ceiling below what is taken ends nothing: it lets nothing more begin. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import type { Basics } from "../ports/world.ts";
import { amend } from "../record.ts";
import * as Budget from "./budget.ts";

export const get = async (world: Pick<Basics, "table">, actor: Actor): Promise<Budget.Info> =>
  Budget.info(await Budget.get(world.table, actor.workspace));

export const change = (world: Basics, actor: Actor, request: Budget.Change): Promise<Budget.Info> =>
  retrying(async () => {
    const budget = await Budget.get(world.table, actor.workspace);
    const { next, write } = amend(Budget.noun, budget, { ceiling: Budget.ceilingOf(request) });
    const answer = Budget.info(next);
    await commit(world, actor, [write], answer);
    return answer;
  });
