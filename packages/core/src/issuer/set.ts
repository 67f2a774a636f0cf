/** Setting an issuer, new or anew. Tokens that were given out stay good until they expire. */
import type { Actor } from "../actor/actor.ts";
import { commit, retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Basics } from "../ports/world.ts";
import { amend, insert } from "../record.ts";
import * as Workspace from "../workspace/workspace.ts";
import * as Issuer from "./issuer.ts";

/** When somebody signs in, all of an issuer's are looked at. */
const MOST = 20;

/** @throws MusterError `forbidden` or `not_found` for rules that let people into other workspaces; `quota_exceeded`. */
export async function set(world: Basics, actor: Actor, name: string, request: Issuer.Change): Promise<Issuer.Info> {
  await requireOwn(world, actor, request);
  return retrying(async () => {
    const known = await Issuer.find(world.table, actor.workspace, name);
    if (known === undefined) await requireRoom(world, actor);
    const now = world.clock.now();
    const kind = Issuer.kindOf(request);
    const change = {
      ...{ url: undefined, clientId: undefined, publicClientSecret: undefined, scopes: undefined },
      ...request,
      kind,
      audiences: [
        ...new Set([...(request.audiences ?? []), ...(request.clientId === undefined ? [] : [request.clientId])]),
      ],
      as: request.as ?? Issuer.AS[kind],
      changedBy: actor.id,
      changedAt: now,
      name,
    };
    const made = Issuer.Issuer.parse({ createdAt: known?.createdAt ?? now, ...change, workspace: actor.workspace });
    const write = known === undefined ? insert(Issuer.noun, made) : amend(Issuer.noun, known, change).write;
    const info = Issuer.Info.parse(made);
    await commit(world, actor, [write, Issuer.eventOf(world, actor, made, "issuer.set")], info);
    return info;
  });
}

/** The deployment's first workspace is its operators': they may say who comes into the others. */
async function requireOwn(world: Basics, actor: Actor, { rules }: Issuer.Change): Promise<void> {
  const named = [...new Set(rules.flatMap(rule => rule.workspace ?? []))].filter(name => name !== actor.workspace);
  for (const name of named) await Workspace.get(world, actor, name);
}

async function requireRoom({ table }: Pick<Basics, "table">, { workspace }: Actor): Promise<void> {
  const { items } = await table.query({ pk: Keys.issuers(workspace), prefix: Keys.ISSUER, limit: MOST });
  if (items.length < MOST) return;
  throw new MusterError("quota_exceeded", `the workspace has ${MOST} issuers, which is all that it may have`, {
    hint: "remove one: muster issuers list; one issuer may have 50 rules",
  });
}
