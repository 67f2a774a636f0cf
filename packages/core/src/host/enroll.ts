/** Enrollment: a machine that was launched says that it is there, once. */
import * as Actor from "../actor/actor.ts";
import type { Enroll, Enrolled } from "../agent/protocol.ts";
import * as Cluster from "../cluster/cluster.ts";
import { register } from "../cluster/register.ts";
import { retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Digest } from "../ports/ports.ts";
import type { Basics } from "../ports/world.ts";
import { advance, load } from "../record.ts";
import * as Host from "./host.ts";
import { hostToken, readEnrollmentToken, type Subject } from "./token.ts";

/**
 * The same agent may enroll again with the same nonce, and gets the same token.
 * @throws MusterError `unauthenticated` for a forged token, one that was used by another, or one of machines given up.
 */
export async function enroll(world: Basics & { readonly digest: Digest }, request: Enroll): Promise<Enrolled> {
  const of = readEnrollmentToken(world.digest, request.token);
  const place = of && Host.parseId(of.hostId);
  if (of === undefined || place === undefined) throw refused();
  const token = hostToken(world.digest, of, request.nonce);
  await retrying(() => admit(world, of, { ...place, workspace: of.workspace }, request, world.digest.hash(token)));
  await register(world, { workspace: of.workspace, clusterId: place.clusterId });
  return { hostId: of.hostId, hostToken: token };
}

async function admit(
  world: Basics,
  of: Subject,
  place: { readonly workspace: string; readonly clusterId: string; readonly rank: number },
  request: Enroll,
  tokenHash: string,
): Promise<void> {
  const host = await load(world.table, Host.noun, Keys.host(place.workspace, place.clusterId, place.rank));
  if (host === undefined || host.generation !== of.generation || host.try !== of.try) throw refused();
  if (host.tokenHash !== undefined) {
    if (host.tokenHash === tokenHash) return;
    throw refused();
  }
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(place.workspace, place.clusterId));
  if (cluster === undefined || Cluster.isLeaving(cluster)) throw refused();
  const move = advance(world, Host.kind, Actor.system(place.workspace), host, "enroll", {
    facts: request.facts,
    tokenHash,
  });
  await world.table.write(move.writes);
}

const refused = () =>
  new MusterError("unauthenticated", "this enrollment token is not valid, or was used by another machine");
