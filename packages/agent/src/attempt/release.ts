/** An attempt's processes have ended: what it had of its host is others' again. */
import { leaveRay } from "../ray/ray.ts";
import type { Host } from "./host.ts";
import { nameOf, type Record } from "./record.ts";

/** Safe to do again. Also for an attempt that never came to use what it has. */
export async function release(record: Record, host: Host): Promise<void> {
  const { peers, grace } = record.assignment;
  const { outcome } = record.state;
  const name = nameOf(record.assignment);
  host.setups.leave(name);
  host.ports.release(name);
  await host.peers.release(name);
  // One that ended well may be the first of its job to do so: others may be at work here still.
  const isWell = outcome?.cause === "exited" && outcome.exitCode === 0;
  if (!isWell) await host.peers.expel(peers, grace);
  // First: what is mounted may be in use in there.
  await host.containers.release(name);
  await host.mounts.release(name);
  leaveRay(record);
}
