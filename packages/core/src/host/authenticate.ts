/** Which host calls: by its bearer token. */
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Digest } from "../ports/ports.ts";
import type { Table } from "../ports/table.ts";
import { load, type Stored } from "../record.ts";
import * as Host from "./host.ts";
import { readHostToken } from "./token.ts";

export interface HostActor {
  readonly workspace: string;
  readonly clusterId: string;
  readonly hostId: string;
  readonly rank: number;
  readonly host: Stored<Host.Host>;
}

/** @throws MusterError `unauthenticated`, with the same words whatever is wrong. */
export async function authenticate(
  world: { readonly table: Table; readonly digest: Digest },
  authorization: string | undefined,
): Promise<HostActor> {
  const token = authorization?.startsWith("Bearer ") ? authorization.slice("Bearer ".length) : "";
  const claimed = readHostToken(token);
  const place = claimed && Host.parseId(claimed.hostId);
  if (claimed && place) {
    const host = await load(world.table, Host.noun, Keys.host(claimed.workspace, place.clusterId, place.rank));
    const known =
      host?.state !== "gone" &&
      host?.tokenHash !== undefined &&
      world.digest.same(world.digest.hash(token), host.tokenHash);
    if (host && known) return { ...place, workspace: claimed.workspace, hostId: claimed.hostId, host };
  }
  throw new MusterError("unauthenticated", "this host token is not valid");
}
