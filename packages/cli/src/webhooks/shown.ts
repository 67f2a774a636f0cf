/** Webhooks and what was delivered to them, as rows and lines. */
import type { OutputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import { age, moment } from "../format.ts";
import type { Output } from "../output.ts";
import { table } from "../table.ts";

export type Info = OutputOf<Routes["webhooks.get"]>;
export type Outcome = NonNullable<Delivery["outcome"]>;
export type Delivery = OutputOf<Routes["webhooks.deliveries"]>["items"][number];

/** A path may be a secret, as Slack's are: in a list, which people show to each other, the host is enough. */
const hostOf = (url: string): string => new URL(url).host;

export function list(webhooks: readonly Info[], now: number): string {
  const rows = webhooks.map(one => [
    one.name,
    hostOf(one.url),
    one.format,
    one.events.join(" "),
    one.disabled === undefined ? "enabled" : "disabled",
    age(now - one.createdAt),
  ]);
  return table(["NAME", "HOST", "FORMAT", "EVENTS", "STATE", "AGE"], rows);
}

/** What is known of one. */
export function details(out: Output, info: Info, now: number): void {
  const labels = Object.entries(info.labels ?? {}).map(([name, value]) => `${name}=${value}`);
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["name", info.name],
    ["id", info.id],
    ["url", info.url],
    ["format", info.format],
    ["events", info.events.join(" ")],
    ["clusters", info.clusters?.join(" ")],
    ["labels", labels.length === 0 ? undefined : labels.join(" ")],
    ["made", `by ${info.createdBy}, ${age(now - info.createdAt)} ago`],
    ["secret", `its ${ordinal(info.generation)}${until(info, now)}`],
    ["disabled", info.disabled && `${age(now - info.disabled.at)} ago: ${info.disabled.reason}`],
  ];
  for (const [label, text] of facts) if (text !== undefined) out.print(`${out.paint("dim", label.padEnd(9))} ${text}`);
}

const ordinal = (count: number): string => ["", "first", "second", "third"][count] ?? `${count}th`;

const until = ({ previousUntil = 0 }: Info, now: number): string =>
  previousUntil > now ? `; the one before signs as well for ${age(previousUntil - now)}` : "";

export function deliveries(items: readonly Delivery[], now: number): string {
  const rows = items.map(one => {
    const last = one.log.at(-1);
    return [
      one.id,
      one.kind,
      one.subject,
      stateOf(one, now),
      String(one.tries),
      last?.status === undefined ? "-" : String(last.status),
      last === undefined ? "-" : `${last.ms} ms`,
      last === undefined ? "" : moment(last.at, now),
      last?.reason ?? "",
    ];
  });
  return table(["ID", "EVENT", "OF", "STATE", "TRIES", "STATUS", "TOOK", "LAST", "REASON"], rows);
}

function stateOf({ outcome, nextAt }: Delivery, now: number): string {
  if (outcome !== undefined) return outcome;
  return nextAt === undefined || nextAt <= now ? "under way" : `again in ${age(nextAt - now)}`;
}
