/** Where an attempt's scripts are, and what they see. */
import { join } from "node:path";
import { basics } from "../host/surroundings.ts";
import type { Places } from "../inputs/inputs.ts";
import { MARKER } from "../script/processes.ts";
import type { Assignment } from "../types.ts";
import type { Host } from "./host.ts";
import type { Keeping } from "./keeping.ts";
import { pythonPath } from "./packages.ts";
import { nameOf, type Record } from "./record.ts";

interface Placed {
  readonly record: Record;
  readonly host: Host;
  readonly keeping: Keeping;
}

/** The job's working folder on this host. */
export const workdirOf = ({ home }: Host, { jobId }: Assignment): string => join(home.jobs, "muster", jobId);

export function placesOf({ record, host, keeping }: Placed): Places {
  const { assignment, folder, state } = record;
  const env = {
    ...basics(host.machine, host.home.jobs),
    // Its number, which the control plane knows; by one that does not tell it, its name.
    MUSTER_ATTEMPT: nameOf(assignment),
    ...assignment.env,
    ...(state.masterPort !== undefined && { MASTER_PORT: String(state.masterPort) }),
    ...keeping.environment,
    [MARKER]: folder,
  };
  const workdir = workdirOf(host, assignment);
  return {
    attempt: nameOf(assignment),
    folder,
    home: host.home.jobs,
    workdir,
    env,
    given: assignment.env,
    handed: host.home.handed,
    owner: host.machine.account,
    mounts: host.mounts,
  };
}

/** Of the task's own scripts. */
export function userEnv(task: Placed): Places["env"] {
  const places = placesOf(task);
  const path = pythonPath(task.record.assignment, places);
  return { ...places.env, ...(path === undefined ? {} : { PYTHONPATH: path }) };
}
