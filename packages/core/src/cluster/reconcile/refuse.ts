/** A launch call that the provider refused: on to the next offer, or to a failure with its reason. */
import * as Capacity from "../../capacity/memory.ts";
import { retrying } from "../../commit.ts";
import type { ErrorCode, MusterError } from "../../error.ts";
import * as Keys from "../../keys.ts";
import type { Offer } from "../../ports/provider.ts";
import type { World } from "../../ports/world.ts";
import { amend, load, type Stored } from "../../record.ts";
import * as Cluster from "../cluster.ts";
import { failLaunch, failureOf } from "./fail.ts";
import { nextCall, offersOf } from "./plan.ts";
import type { In, Outcome } from "./step.ts";

type Called = Stored<Extract<Cluster.Cluster, { state: "launching" | "draining" }>> & {
  readonly launch: Cluster.Launch;
};

/** Is this still the cluster, and the try, that the call was made for? One of an earlier group is not. */
export const isSameTry = (cluster: Stored<Cluster.Cluster>, sent: In<"launching">): cluster is Called =>
  (cluster.state === "launching" || cluster.state === "draining") &&
  cluster.generation === sent.generation &&
  cluster.launch?.try === sent.launch.try;

/** And was no other call made since? A refusal speaks for its own call only. */
const isSameCall = (cluster: Stored<Cluster.Cluster>, sent: In<"launching">): cluster is Called =>
  isSameTry(cluster, sent) && !cluster.launch.answered && cluster.launch.sentAt === sent.launch.sentAt;

/** The provider said no, and made nothing. */
export async function refused(world: World, sent: In<"launching">, error: MusterError): Promise<Outcome> {
  return retrying(async () => {
    const cluster = await load(world.table, Cluster.noun, Keys.cluster(sent.workspace, sent.id));
    if (cluster === undefined || !isSameCall(cluster, sent)) return "again";
    const now = world.clock.now();
    const { leaseUntil: _, ...launch } = { ...cluster.launch, answered: true, answeredAt: now };
    const doubtUntil = launch.doubtUntil ?? 0;
    if (cluster.state === "draining" || doubtUntil > now) {
      const dueAt = cluster.state === "draining" ? cluster.dueAt : doubtUntil;
      await world.table.write([amend<Cluster.Cluster>(Cluster.noun, cluster, { launch, dueAt }).write]);
      return "again";
    }
    return goOn(world, cluster as In<"launching">, launch, error);
  });
}

/** Those of a growth count from where the ones before have ended. */
const triesBefore = ({ before }: In<"launching">): number => (before ? Cluster.lastTry(before.launch) : 0);

async function nextOffer(
  world: World,
  cluster: In<"launching">,
  launch: Cluster.Launch,
  code: ErrorCode,
): Promise<Offer | undefined> {
  const { offers, nodes } = await offersOf(world, cluster, Cluster.atGroup(launch));
  await Capacity.remember(world, launch.offer, nodes, code);
  const tries = launch.try - Math.max(launch.made?.at(-1)?.try ?? 0, triesBefore(cluster));
  // A refusal may be forgotten while others are tried: nothing is tried more often than there are offers.
  if (tries >= offers.length) return undefined;
  const [next] = await Capacity.untried(world, offers, nodes);
  return next;
}

/** Refusals that say nothing about another offer. */
const MOVES_ON: ReadonlySet<ErrorCode> = new Set(["no_capacity", "quota_exceeded"]);

/** On to the next offer, or to a failure with its reason. */
async function goOn(
  world: World,
  cluster: In<"launching">,
  launch: Cluster.Launch,
  error: MusterError,
): Promise<Outcome> {
  const offer = MOVES_ON.has(error.code) ? await nextOffer(world, cluster, launch, error.code) : undefined;
  if (offer === undefined) return failLaunch(world, cluster, Cluster.atGroup(launch), failureOf(error), launch);
  const { try: last, made, madeAt } = launch;
  return nextCall(world, cluster, { try: last, made, madeAt }, offer, launch);
}
