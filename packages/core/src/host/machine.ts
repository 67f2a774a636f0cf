/** Which host a machine is. */
import * as Keys from "../keys.ts";
import type { Table } from "../ports/table.ts";
import { glimpse, load, type Stored } from "../record.ts";
import * as Host from "./host.ts";

/** The index may lag: what it leads to is read again. */
export async function hostOf(table: Table, machineId: string): Promise<Stored<Host.Host> | undefined> {
  const { items } = await table.query({ pk: Keys.machine(machineId), index: "link", limit: 10 });
  for (const item of items) {
    const seen = glimpse(Host.noun, item);
    const host = await load(table, Host.noun, Keys.host(seen.workspace, seen.clusterId, seen.rank));
    if (host?.machineId === machineId) return host;
  }
  return undefined;
}
