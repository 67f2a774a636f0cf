/**
 * How the tasks of a job group find each other: `<task>-<rank>.<group>`, the names that SkyPilot documents, and variables
 * for where no such name is known.
 */
import { ofGroup, type Slot } from "../cluster/slots.ts";
import type * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { load } from "../record.ts";
import * as JobGroup from "./jobgroup.ts";
import { variableOf } from "./variable.ts";

export interface HostName {
  readonly address: string;
  readonly name: string;
}

type Part = Pick<JobGroup.JobGroup, "id" | "name" | "tasks">;

/** What a job is told of the others of its group: nothing, when it is in none. */
export async function fellows(
  table: Table,
  { workspace, jobGroup }: Job.Job,
  slots: readonly Slot[],
): Promise<{ readonly env: Record<string, string>; readonly hostNames?: readonly HostName[] }> {
  if (jobGroup === undefined) return { env: {} };
  const group = await load(table, JobGroup.noun, Keys.jobGroup(workspace, jobGroup.id));
  return group === undefined ? { env: {} } : { env: variables(group, slots), hostNames: namesOf(group, slots) };
}

/** A task has the hosts of its group for itself, and takes them in their order. */
const hostsOf = ({ tasks }: Part, slots: readonly Slot[]) =>
  tasks.map(({ name, nodes }) => ({ name, hosts: ofGroup(slots, name).slice(0, nodes) }));

const namesOf = (group: Part, slots: readonly Slot[]): HostName[] =>
  hostsOf(group, slots).flatMap(({ name, hosts }) =>
    hosts.map(({ address }, rank) => ({ address, name: `${name}-${rank}.${group.name}` })),
  );

/** What every task of the group sees: the group, and where the hosts of each task are. */
function variables(group: Part, slots: readonly Slot[]): Record<string, string> {
  const lines = namesOf(group, slots).map(({ address, name }) => `${address} ${name}`);
  const ips = hostsOf(group, slots).map(({ name, hosts }) => [
    `MUSTER_JOBGROUP_IPS_${variableOf(name)}`,
    hosts.map(({ address }) => address).join("\n"),
  ]);
  return {
    MUSTER_JOBGROUP_ID: group.id,
    MUSTER_JOBGROUP_NAME: group.name,
    SKYPILOT_JOBGROUP_NAME: group.name,
    MUSTER_JOBGROUP_HOSTS: lines.join("\n"),
    ...Object.fromEntries(ips),
  };
}
