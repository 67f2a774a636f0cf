/** Writing off one node's part in a job: its host will not report any more, or has never begun. */
import * as Actor from "../../actor/actor.ts";
import * as Attempt from "../../attempt/attempt.ts";
import * as Slots from "../../cluster/slots.ts";
import { retrying } from "../../commit.ts";
import * as Brake from "../../host/brake.ts";
import * as Host from "../../host/host.ts";
import * as Keys from "../../keys.ts";
import type { Write } from "../../ports/table.ts";
import type { Basics } from "../../ports/world.ts";
import { advance, amend, load, type Stored } from "../../record.ts";
import type * as Job from "../job.ts";

/**
 * @param cause `host_lost` also closes the host to new jobs, until it calls again.
 * @param braked the provider, where nothing but silence speaks against the host: see `host/brake.ts`.
 * @returns whether it was given up, or had ended by then; false: there is no room for more of them now.
 */
export async function giveUp(
  world: Basics,
  job: Job.Placed,
  rank: number,
  cause: "host_lost" | "start_failed",
  braked?: string,
): Promise<boolean> {
  const hostRank = job.placement[rank];
  if (hostRank === undefined) return true;
  return retrying(async () => {
    const key = Keys.attempt(job.workspace, job.id, job.fence, rank);
    const hostId = Host.idOf(job.clusterId, hostRank);
    const attempt =
      (await load(world.table, Attempt.noun, key)) ??
      Attempt.assigned({ ...job, jobId: job.id, hostId, rank }, world.clock.now());
    if (Attempt.kind.life.next(attempt.state, "lose") === undefined) return true;
    const host = await load(world.table, Host.noun, Keys.host(job.workspace, job.clusterId, hostRank));
    const counted = await countOf(world, host, braked);
    if (counted === undefined) return false;
    const why = Host.causeOf(host, cause);
    const move = advance(world, Attempt.kind, Actor.system(job.workspace), attempt, "lose", { cause: why });
    const closing = cause === "host_lost" ? await closeHost(world, job, hostRank, host) : [];
    await world.table.write([...move.writes, ...closing, ...counted]);
    return true;
  });
}

/** The writes that count it, where it must be; undefined when there is no room for it. */
async function countOf(
  world: Basics,
  host: Host.Host | undefined,
  braked: string | undefined,
): Promise<readonly Write[] | undefined> {
  // One that another job has lost was counted then.
  if (braked === undefined || host?.state === "lost") return [];
  const counted = await Brake.release(world, braked, 1);
  return counted && [counted];
}

async function closeHost(
  world: Basics,
  job: Job.Placed,
  hostRank: number,
  host: Stored<Host.Host> | undefined,
): Promise<Write[]> {
  const slots = await Slots.get(world.table, job.workspace, job.clusterId);
  const hosts = slots?.hosts.map(slot => (slot.rank === hostRank ? { ...slot, up: false } : slot));
  const lose = host?.state === "up" ? advance(world, Host.kind, Actor.system(job.workspace), host, "lose").writes : [];
  return [...(slots && hosts ? [amend(Slots.noun, slots, { hosts }).write] : []), ...lose];
}
