/** What is about to happen to a host's machine, as the cloud announced it: a line in the cluster's history. */
import * as Event from "../event/event.ts";
import * as Id from "../id.ts";
import * as Keys from "../keys.ts";
import type { Basics } from "../ports/world.ts";
import type * as Host from "./host.ts";

export type Kind = "interruption" | "rebalance";

const messages: Readonly<Record<Kind, string>> = {
  interruption: "the cloud takes its machine back within two minutes",
  rebalance: "the cloud may soon take its machine back",
};

export async function note(world: Basics, host: Host.Host, kind: Kind): Promise<void> {
  const event = Event.draft(Keys.cluster(host.workspace, host.clusterId), {
    id: Id.create(world.random, "event"),
    at: world.clock.now(),
    subject: host.id,
    kind: `host.${kind}`,
    clusterId: host.clusterId,
    actor: "system",
    message: messages[kind],
  });
  await world.table.write([{ put: event, expect: "absent" }]);
}
