/** Enrollment: a machine that was launched says that it is there, once; by a token that it was given, or as itself. */
import * as Actor from "../actor/actor.ts";
import { type Identity, machineOf } from "../actor/identity.ts";
import type { Enroll, Enrolled, Register } from "../agent/protocol.ts";
import * as Cluster from "../cluster/cluster.ts";
import { register as registerCluster } from "../cluster/register.ts";
import { retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Digest } from "../ports/ports.ts";
import type { Basics, Edge } from "../ports/world.ts";
import { advance, load } from "../record.ts";
import * as Host from "./host.ts";
import { hostOf } from "./machine.ts";
import { hostToken, readEnrollmentToken, type Subject } from "./token.ts";

/**
 * The same agent may enroll again with the same nonce, and gets the same token.
 * @throws MusterError `unauthenticated` for a forged token, one that was used by another, or one of machines given up.
 */
export async function enroll(world: Basics & { readonly digest: Digest }, request: Enroll): Promise<Enrolled> {
  const of = readEnrollmentToken(world.digest, request.token);
  if (of === undefined) throw refused();
  return welcome(world, of, request);
}

/**
 * The call of a machine whose credentials say which one it is: it speaks for the host that it was launched as.
 * @throws MusterError `unavailable` while the launch that made it is not on record: it calls again.
 * @throws MusterError `unauthenticated` for a machine that another agent has enrolled, or that was given up.
 */
export async function register(
  world: Basics & Pick<Edge, "digest" | "trust">,
  identity: Identity,
  request: Register,
): Promise<Enrolled> {
  const machineId = world.trust && machineOf(world.trust, identity);
  if (machineId === undefined) throw refused();
  const host = await hostOf(world.table, machineId);
  if (host === undefined)
    throw new MusterError("unavailable", `machine ${machineId} is not on record yet`, { hint: "ask again" });
  return welcome(world, { ...host, hostId: host.id }, request);
}

async function welcome(
  world: Basics & { readonly digest: Digest },
  of: Subject,
  request: Pick<Enroll, "nonce" | "facts">,
): Promise<Enrolled> {
  const place = Host.parseId(of.hostId);
  if (place === undefined) throw refused();
  const token = hostToken(world.digest, of, request.nonce);
  await retrying(() => admit(world, of, { ...place, workspace: of.workspace }, request, world.digest.hash(token)));
  await registerCluster(world, { workspace: of.workspace, clusterId: place.clusterId });
  return { hostId: of.hostId, hostToken: token };
}

async function admit(
  world: Basics,
  of: Subject,
  place: { readonly workspace: string; readonly clusterId: string; readonly rank: number },
  request: Pick<Enroll, "facts">,
  tokenHash: string,
): Promise<void> {
  const host = await load(world.table, Host.noun, Keys.host(place.workspace, place.clusterId, place.rank));
  if (host === undefined || host.generation !== of.generation || host.try !== of.try) throw refused();
  if (host.tokenHash !== undefined) {
    if (host.tokenHash === tokenHash) return;
    throw refused();
  }
  const cluster = await load(world.table, Cluster.noun, Keys.cluster(place.workspace, place.clusterId));
  if (cluster === undefined || cluster.state === "draining" || Cluster.isOver(cluster)) throw refused();
  const move = advance(world, Host.kind, Actor.system(place.workspace), host, "enroll", {
    facts: request.facts,
    tokenHash,
  });
  await world.table.write(move.writes);
}

const refused = () =>
  new MusterError("unauthenticated", "this machine is not expected, or another agent has enrolled it");
