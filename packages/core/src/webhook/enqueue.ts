/** An event, for every webhook that asks for it. */
import * as Cluster from "../cluster/cluster.ts";
import type { Event } from "../event/event.ts";
import * as Id from "../id.ts";
import * as Job from "../job/job.ts";
import * as Keys from "../keys.ts";
import type { Digest } from "../ports/ports.ts";
import { type Table, WriteConflict } from "../ports/table.ts";
import type { Facing } from "../ports/world.ts";
import { insert, load } from "../record.ts";
import * as Delivery from "./delivery.ts";
import { matches } from "./filter.ts";
import { type About, bodyOf } from "./payload.ts";
import * as Webhook from "./webhook.ts";

type Part = Pick<Facing, "table" | "clock" | "digest">;

/** An event that comes twice is delivered once: the delivery's id follows from the event's. */
export async function enqueue(world: Part, event: Event, workspace: string): Promise<void> {
  if (workspace === "") return;
  const asking = (await Webhook.all(world.table, workspace)).filter(
    ({ disabled, events }) => disabled === undefined && matches(events, event.kind),
  );
  if (asking.length === 0) return;
  const about = await aboutOf(world.table, event, workspace);
  const told = asking.filter(webhook => isAbout(webhook, event, about));
  await Promise.all(told.map(webhook => make(world, deliveryOf(world, webhook, event, about))));
}

async function aboutOf(table: Table, event: Event, workspace: string): Promise<About> {
  const job = Id.is("job", event.subject) ? await load(table, Job.noun, Keys.job(workspace, event.subject)) : undefined;
  const clusterId = event.clusterId ?? (Id.is("cluster", event.subject) ? event.subject : undefined);
  if (job !== undefined || clusterId === undefined) return { job, cluster: job?.clusterName };
  const cluster = await load(table, Cluster.noun, Keys.cluster(workspace, clusterId));
  return { cluster: cluster?.name };
}

/** Whether it is of a cluster, and of a job, that the webhook asks for. */
function isAbout({ clusters, labels }: Webhook.Webhook, event: Event, { job, cluster = "" }: About): boolean {
  const isOfCluster = clusters === undefined || clusters.some(one => one === event.clusterId || one === cluster);
  const wanted = Object.entries(labels ?? {});
  return isOfCluster && wanted.every(([name, value]) => job?.labels?.[name] === value);
}

/** The first try is due at once. */
export function deliveryOf(
  { clock, digest }: Pick<Part, "clock"> & { readonly digest: Pick<Digest, "hash"> },
  webhook: Webhook.Webhook,
  event: Event,
  about: About = {},
): Delivery.Delivery {
  const { workspace, id: webhookId, name: webhookName } = webhook;
  const now = clock.now();
  return {
    ...{ id: Delivery.idOf(digest, event.id, webhookId), workspace, webhookId, webhookName },
    ...{ eventId: event.id, kind: event.kind, subject: event.subject },
    body: bodyOf(webhook, event, workspace, about),
    ...{ tries: 0, log: [], dueAt: now, createdAt: now, changedAt: now },
  };
}

async function make({ table }: Part, delivery: Delivery.Delivery): Promise<void> {
  try {
    await table.write([insert(Delivery.noun, delivery)]);
  } catch (error) {
    if (!(error instanceof WriteConflict)) throw error;
  }
}
