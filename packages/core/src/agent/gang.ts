/** What a node of a job has to do with the job's other nodes, and what is beside its run. */
import { hostsOf } from "../cluster/register.ts";
import type { HostActor } from "../host/authenticate.ts";
import * as Host from "../host/host.ts";
import type * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { load } from "../record.ts";
import type { Task } from "../task/task.ts";
import type { Assignment } from "./protocol.ts";

type Part = { readonly table: Table };

export async function gang(
  world: Part,
  host: HostActor,
  job: Job.Placed,
  { ray, services }: Pick<Task, "ray" | "services">,
): Promise<Pick<Assignment, "ray" | "services" | "peers">> {
  const isFirst = job.placement[0] === host.rank;
  return {
    ...(ray && { ray: true }),
    ...(isFirst && services && { services }),
    ...(job.nodes > 1 && { peers: await peersOf(world, host, job) }),
  };
}

/** So many hosts are read one by one, at most. */
const ONE_BY_ONE = 16;

/** The job's other hosts that have said by which key they come. A host that has none of its own goes to nobody. */
async function peersOf(
  { table }: Part,
  host: HostActor,
  { workspace, clusterId, placement }: Job.Placed,
): Promise<NonNullable<Assignment["peers"]>> {
  if (host.host.facts?.sshKey === undefined) return [];
  const others = new Set(placement.filter(rank => rank !== host.rank));
  // Each of many would read all the others one by one: a page of them costs less than some.
  const hosts =
    others.size > ONE_BY_ONE
      ? (await hostsOf(table, { workspace, clusterId })).filter(({ rank }) => others.has(rank))
      : await Promise.all([...others].map(rank => load(table, Host.noun, Keys.host(workspace, clusterId, rank))));
  return hosts.flatMap(other => {
    const { address, sshKey } = other?.facts ?? {};
    return address === undefined || sshKey === undefined ? [] : { address, sshKey };
  });
}
