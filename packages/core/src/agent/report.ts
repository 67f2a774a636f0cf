/** A host's report on one of its attempts. Reports may come twice or late: what is over stays over. */
import * as Attempt from "../attempt/attempt.ts";
import { retrying } from "../commit.ts";
import { MusterError } from "../error.ts";
import type { HostActor } from "../host/authenticate.ts";
import * as Host from "../host/host.ts";
import * as Job from "../job/job.ts";
import { settle } from "../job/settle.ts";
import * as Keys from "../keys.ts";
import type { Blobs } from "../ports/blobs.ts";
import type { Basics } from "../ports/world.ts";
import { advance, load } from "../record.ts";
import type { Report, Reported } from "./protocol.ts";

type Part = Basics & { readonly blobs: Blobs };

/** @throws MusterError `logs_incomplete` when the exit is reported before the last chunk of the log is there. */
export async function report(world: Part, host: HostActor, said: Report): Promise<Reported> {
  const job = await load(world.table, Job.noun, Keys.job(host.workspace, said.jobId));
  const rank = job && Job.isPlaced(job) && job.fence === said.fence ? job.placement.indexOf(host.rank) : -1;
  if (job === undefined || rank < 0 || job.clusterId !== host.clusterId) return { accepted: false };
  if (said.state === "exited") await requireLogs(world, host, said, rank);
  const isNew = await retrying(() => record(world, host, said, rank));
  // What was recorded before may have died before it was settled.
  if (isNew || said.state !== "preparing") await settle(world, { workspace: host.workspace, jobId: said.jobId });
  return { accepted: true };
}

async function requireLogs(
  world: Part,
  host: HostActor,
  said: Extract<Report, { state: "exited" }>,
  rank: number,
): Promise<void> {
  if (!said.logsComplete || said.chunks === 0) return;
  const prefix = Attempt.logPrefix(host.workspace, said.jobId, said.fence, rank);
  const last = Attempt.chunkKey(prefix, said.chunks - 1, "");
  const found = await world.blobs.list(last, { limit: 1 });
  if (found.length > 0) return;
  throw new MusterError("logs_incomplete", `chunk ${said.chunks - 1} of the log is not here yet`, {
    hint: "send the log again, then report",
  });
}

/** @returns false when this was reported before. */
async function record(world: Part, host: HostActor, said: Report, rank: number): Promise<boolean> {
  const key = Keys.attempt(host.workspace, said.jobId, said.fence, rank);
  const attempt =
    (await load(world.table, Attempt.noun, key)) ??
    Attempt.assigned({ ...host, jobId: said.jobId, fence: said.fence, rank }, world.clock.now());
  const event = events[said.state];
  if (Attempt.kind.life.next(attempt.state, event) === undefined) return false;
  const move = advance(world, Attempt.kind, { id: host.hostId }, attempt, event, outcome(said, host.host));
  await world.table.write(move.writes);
  return true;
}

const events = { preparing: "prepare", running: "run", exited: "exit" } as const;

function outcome(said: Report, host: Host.Host) {
  if (said.state === "running") return { ...(said.endpoints && { endpoints: said.endpoints }) };
  if (said.state !== "exited") return {};
  const { cause, exitCode, message, chunks, logsComplete, gpuPeaks, outputs } = said;
  return {
    cause: Host.causeOf(host, cause),
    chunks,
    logsComplete,
    ...(exitCode !== undefined && { exitCode }),
    ...(message !== undefined && { message }),
    ...(gpuPeaks && { gpuPeaks }),
    ...(outputs && { outputs }),
  };
}
