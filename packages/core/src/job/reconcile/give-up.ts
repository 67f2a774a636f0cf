/** Writing off one node's part in a job: its host will not report any more, or has never begun. */
import * as Actor from "../../actor/actor.ts";
import * as Attempt from "../../attempt/attempt.ts";
import * as Slots from "../../cluster/slots.ts";
import { retrying } from "../../commit.ts";
import * as Host from "../../host/host.ts";
import * as Keys from "../../keys.ts";
import type { Write } from "../../ports/table.ts";
import type { Basics } from "../../ports/world.ts";
import { advance, amend, load, type Stored } from "../../record.ts";
import type * as Job from "../job.ts";

/** @param cause `host_lost` also closes the host to new jobs, until it calls again. */
export async function giveUp(
  world: Basics,
  job: Job.Placed,
  rank: number,
  cause: "host_lost" | "start_failed",
): Promise<void> {
  const hostRank = job.placement[rank];
  if (hostRank === undefined) return;
  await retrying(async () => {
    const key = Keys.attempt(job.workspace, job.id, job.fence, rank);
    const hostId = Host.idOf(job.clusterId, hostRank);
    const attempt =
      (await load(world.table, Attempt.noun, key)) ??
      Attempt.assigned({ ...job, jobId: job.id, hostId, rank }, world.clock.now());
    if (Attempt.kind.life.next(attempt.state, "lose") === undefined) return;
    const host = await load(world.table, Host.noun, Keys.host(job.workspace, job.clusterId, hostRank));
    const why = Host.causeOf(host, cause);
    const move = advance(world, Attempt.kind, Actor.system(job.workspace), attempt, "lose", { cause: why });
    const closing = cause === "host_lost" ? await closeHost(world, job, hostRank, host) : [];
    await world.table.write([...move.writes, ...closing]);
  });
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
