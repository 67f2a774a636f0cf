/**
 * Managed launches: a job and a cluster that is its own, from its first machines to its last. The cluster ends with the job,
 * and is made anew while the job's retries last.
 */
import type { Actor } from "../actor/actor.ts";
import type * as Cluster from "../cluster/cluster.ts";
import { byName } from "../cluster/find.ts";
import * as Idle from "../cluster/idle.ts";
import { MusterError } from "../error.ts";
import type { Table } from "../ports/table.ts";
import type { Stored } from "../record.ts";
import type * as Launch from "./launch.ts";

/** The request with what its being managed implies. */
export function implied(request: Launch.Create): Launch.Create {
  return request.managed ? { ...request, down: true, idle: ending(request.idle) } : request;
}

/** Machines that nobody comes back for are not kept. */
function ending(idle: Idle.Idle | undefined): Idle.Idle {
  if (idle === undefined || idle === "never") return Idle.DEFAULT_UNNAMED;
  const { then: _, ...policy } = idle;
  return { ...policy, action: "terminate" };
}

/**
 * The cluster that the request names, when it is there.
 * @throws MusterError `name_taken` when it is there, and the request wants one of its own.
 */
export async function existingOf(
  { table }: { readonly table: Table },
  actor: Actor,
  { cluster: name, managed }: Pick<Launch.Create, "cluster" | "managed">,
): Promise<Stored<Cluster.Cluster> | undefined> {
  const existing = name === undefined ? undefined : await byName(table, actor.workspace, name);
  if (existing === undefined || !managed) return existing;
  throw new MusterError("name_taken", `there is a cluster '${existing.name}', and a managed job makes one of its own`, {
    hint: "choose another name with -c, or leave it out",
  });
}
