/** What is sent of an event. It names nouns and says what became of them; what a task holds is not in it. */
import type { Event } from "../event/event.ts";
import type { Job } from "../job/job.ts";
import type { Webhook } from "./webhook.ts";

/** The most that details of an event may take of a payload, in characters: whoever wants more asks the API. */
const MOST_DETAILS = 16_384;

/** What is known beside the event itself. */
export interface About {
  readonly job?: Job | undefined;
  /** Name of the cluster that it concerns. */
  readonly cluster?: string | undefined;
}

/** The text of the request's body, the same for the same event. */
export const bodyOf = (webhook: Pick<Webhook, "format">, event: Event, workspace: string, about: About): string =>
  JSON.stringify(webhook.format === "slack" ? { text: lineOf(event, about) } : payload(event, workspace, about));

/** As Standard Webhooks recommends: type, timestamp and data. */
function payload(event: Event, workspace: string, { job, cluster }: About): object {
  const { id, kind, at, subject, from, actor, clusterId, message, details } = event;
  const isShort = JSON.stringify(details ?? {}).length <= MOST_DETAILS;
  return {
    type: kind,
    timestamp: new Date(at).toISOString(),
    data: {
      ...{ id, workspace, subject, actor },
      ...(from !== undefined && { from }),
      ...(message !== undefined && { message }),
      ...(details !== undefined && isShort && { details }),
      ...(clusterId !== undefined && { cluster: { id: clusterId, ...(cluster !== undefined && { name: cluster }) } }),
      ...(job && { job: jobOf(job) }),
    },
  };
}

function jobOf(job: Job): object {
  const { id, name, owner, labels, attempts } = job;
  return {
    ...{ id, owner, attempts },
    ...(name !== undefined && { name }),
    ...(labels !== undefined && { labels }),
    ...("exitCode" in job && job.exitCode !== undefined && { exitCode: job.exitCode }),
  };
}

/** What is told of states whose name does not say it to everybody. */
const SAID: Readonly<Record<string, string>> = { timed_out: "timed out", setting_up: "is being set up" };

/** Slack's own signs, without which no text can call a channel or make a link. */
const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function lineOf(event: Event, { job, cluster }: About): string {
  const [noun = "", state = ""] = event.kind.split(".");
  const who = job?.name === undefined ? event.subject : `${job.name} (${event.subject})`;
  const where = cluster === undefined || noun === "cluster" ? "" : ` on ${cluster}`;
  const why = event.message === undefined ? "" : `: ${event.message}`;
  const named = noun === "cluster" && cluster !== undefined ? `${cluster} (${event.subject})` : who;
  return escaped(`${noun} ${named} ${SAID[state] ?? state}${where}${why}`);
}
