/** Pools as rows and lines. */
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import type { Event } from "@muster/core/event/event.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import type * as Pool from "@muster/core/pool/info.ts";
import { age, moment, price } from "../format.ts";
import type { Output } from "../output.ts";
import * as Shown from "../shown.ts";
import { table } from "../table.ts";

/** Where the cluster of a launch is from: one line. */
export function origin({ name, ready }: Launch.From, { name: cluster, state }: Cluster.Info): string {
  if (ready) return `From pool ${name}: ${cluster}.`;
  return state === "requested"
    ? `Pool ${name} has none ready: ${cluster} is made for this.`
    : `Pool ${name} has none ready: ${cluster} is still being prepared.`;
}

export function list(out: Output, pools: readonly Pool.Info[], now: number): string {
  const head = ["NAME", "KEEP", "SIZE", "READY", "MAKING", "NEXT", "TROUBLE", "OWNER"];
  const rows = pools.map(one => [
    one.name,
    one.keep,
    String(one.size),
    String(one.ready),
    String(one.making),
    one.nextAt === undefined ? "-" : `in ${age(one.nextAt - now)}`,
    troubleOf(out, one),
    one.owner,
  ]);
  return table(head, rows);
}

function troubleOf(out: Output, { leaving, failures, setback }: Pool.Info): string {
  if (leaving) return "is removed";
  return failures === 0 || setback === undefined ? "-" : out.paint("red", `${setback.code}, ${failures} in a row`);
}

/** What is known of one. */
export function details(out: Output, info: Pool.Details, events: readonly Event[], now: number): void {
  const { setback } = info;
  const facts: readonly (readonly [string, string | 0 | undefined])[] = [
    ["name", info.leaving ? `${info.name}, which is being removed` : info.name],
    ["keeps", `${info.size}, ${info.keep}`],
    ["ready", `${info.ready}, and ${info.making} on the way; ${info.made} made so far`],
    ["costs", `${price(info.hourly)} now`],
    ["task", info.task],
    ["owner", info.shared ? `${info.owner}; others may take from it` : info.owner],
    ["next", info.nextAt && `${info.nextSize ?? info.size} in ${age(info.nextAt - now)}`],
    ["failure", setback && `${age(now - setback.at)} ago: ${setback.message}`],
    ["retry", retryOf(info, now)],
  ];
  for (const [label, text] of facts) if (text) out.print(`${out.paint("dim", label.padEnd(8))} ${text}`);
  for (const { cron, timeZone, size } of info.sizes)
    out.print(`${out.paint("dim", "at".padEnd(8))} ${cron}  ${timeZone}: ${size}`);
  if (info.members.length > 0) out.print(`\n${members(out, info.members, now)}`);
  if (events.length > 0) out.print(`\n${history(events, now)}`);
}

const retryOf = ({ failures, retryAt = 0 }: Pool.Info, now: number): string | undefined =>
  failures > 0 && retryAt > now ? `in ${age(retryAt - now)}` : undefined;

function members(out: Output, all: readonly Pool.MemberInfo[], now: number): string {
  const rows = all.map(one => [
    one.cluster,
    Shown.state(out, one.state),
    one.prepared ? "yes" : "not yet",
    age(now - one.createdAt),
    one.hourly === undefined ? "-" : price(one.running ? one.hourly : 0),
  ]);
  return table(["CLUSTER", "STATE", "PREPARED", "AGE", "$/H"], rows);
}

function history(events: readonly Event[], now: number): string {
  const rows = events.map(event => [moment(event.at, now), event.kind, event.actor, event.message ?? aboutOf(event)]);
  return table(["TIME", "EVENT", "BY", ""], rows);
}

const aboutOf = ({ clusterId, details }: Event): string =>
  [typeof details?.size === "number" ? `to ${details.size}` : "", clusterId ?? ""]
    .filter(text => text !== "")
    .join(" ");
