/**
 * What is about to happen to a host's machine, as the cloud announced it: a line in the cluster's history. That the machine
 * is taken back is remembered, for whoever asks later why it is gone.
 */
import { retrying } from "../commit.ts";
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Basics } from "../ports/world.ts";
import { amend, load } from "../record.ts";
import * as Host from "./host.ts";

export type Kind = "interruption" | "rebalance";

const messages: Readonly<Record<Kind, string>> = {
  interruption: "the cloud takes its machine back within two minutes",
  rebalance: "the cloud may soon take its machine back",
};

/** The same may come from the cloud and from the machine itself. */
export const note = (world: Basics, { workspace, clusterId, rank, machineId }: Host.Host, kind: Kind): Promise<void> =>
  retrying(async () => {
    const host = await load(world.table, Host.noun, Keys.host(workspace, clusterId, rank));
    if (host === undefined || host.machineId !== machineId || host.interruptedAt !== undefined) return;
    const told =
      kind === "interruption" ? [amend<Host.Host>(Host.noun, host, { interruptedAt: world.clock.now() }).write] : [];
    await world.table.write([...told, { put: eventOf(world, host, kind), expect: "absent" }]);
  });

function eventOf(world: Basics, host: Host.Host, kind: Kind) {
  return Event.draft(Keys.cluster(host.workspace, host.clusterId), {
    id: Id.create(world.random, "event"),
    at: world.clock.now(),
    subject: host.id,
    kind: `host.${kind}`,
    clusterId: host.clusterId,
    actor: "system",
    message: messages[kind],
  });
}
