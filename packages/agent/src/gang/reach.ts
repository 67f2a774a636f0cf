/** A step of an attempt: the job's other hosts can be reached, and reach this one. */
import type { Host } from "../attempt/host.ts";
import type { Keeping } from "../attempt/keeping.ts";
import { nameOf, type Record } from "../attempt/record.ts";
import { messageOf } from "../disk.ts";

export interface Reaching {
  readonly record: Record;
  readonly host: Pick<Host, "peers">;
  readonly keeping: Pick<Keeping, "say">;
}

/** A job may do without: that it cannot be set up is said in the log. */
export async function reach({ record, host, keeping }: Reaching): Promise<undefined> {
  const { assignment } = record;
  const attempt = nameOf(assignment);
  const amiss = (what: string) => (error: unknown) => {
    if (!record.has("run.pid")) keeping.say(`${what}: ${messageOf(error)}`);
  };
  await host.peers
    .name(attempt, assignment.hostNames)
    .catch(amiss("names of the job group's hosts are not known here"));
  await host.peers.add(attempt, assignment.peers).catch(amiss("ssh between the job's hosts is not set up"));
}
