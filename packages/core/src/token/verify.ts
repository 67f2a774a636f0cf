/** Tokens of people and programs: made once, shown once, checked with every request. */
import type { Actor, Role } from "../actor/actor.ts";
import { MusterError } from "../error.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Digest, Random } from "../ports/ports.ts";
import type { Table } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import { Token } from "./token.ts";

export interface Grant {
  readonly workspace: string;
  /** Id of whom it speaks for. */
  readonly actor: string;
  readonly role: Role;
  /** Epoch ms. */
  readonly expiresAt?: number;
}

/** @returns the token's text: the only time that it can be seen. */
export async function create(
  world: Basics & { readonly digest: Digest; readonly random: Random },
  grant: Grant,
): Promise<string> {
  const id = Id.create(world.random, "token");
  const secret = world.random.secret();
  const token: Token = { ...grant, id, hash: world.digest.hash(secret), createdAt: world.clock.now() };
  await world.table.write([{ put: { ...Keys.token(id), type: "token", data: token }, expect: "absent" }]);
  return `mst_${id}_${secret}`;
}

/** @throws MusterError `unauthenticated`: the same words for unknown and forged; an expired one is told so, once proved. */
export async function verify(
  world: Pick<Basics, "table" | "clock"> & { readonly digest: Digest },
  authorization: string | undefined,
): Promise<Actor> {
  const match = /^Bearer mst_(tok_[0-9A-HJKMNP-TV-Z]{26})_([0-9a-f]{64})$/.exec(authorization ?? "");
  const token = match?.[1] === undefined ? undefined : await find(world.table, match[1]);
  if (token === undefined || !world.digest.same(world.digest.hash(match?.[2] ?? ""), token.hash))
    throw new MusterError("unauthenticated", "a valid token is needed", { hint: "send Authorization: Bearer mst_…" });
  if (token.expiresAt !== undefined && token.expiresAt <= world.clock.now())
    throw new MusterError("unauthenticated", "this token has expired", { hint: "ask for a new one" });
  return { workspace: token.workspace, id: token.actor, role: token.role };
}

async function find(table: Table, id: string): Promise<Token | undefined> {
  const item = await table.get(Keys.token(id));
  return item && Token.parse(item.data);
}
