/** Schedules as rows and lines. */
import type { Event } from "@muster/core/event/event.ts";
import type * as Schedule from "@muster/core/schedule/schedule.ts";
import { age, moment } from "../format.ts";
import type { Output } from "../output.ts";
import { table } from "../table.ts";

/** A time by the clock of a zone: `Mon 2026-03-30 02:30 +02:00`. */
export function timeIn(timeZone: string, at: number): string {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    ...{ weekday: "short", year: "numeric", month: "2-digit", day: "2-digit" },
    ...{ hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "longOffset" },
  });
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]));
  const get = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? "";
  const offset = get("timeZoneName").replace("GMT", "") || "+00:00";
  const day = `${get("year")}-${get("month")}-${get("day")}`;
  return `${get("weekday").replace(".", "")} ${day} ${get("hour")}:${get("minute")} ${offset}`;
}

export function list(schedules: readonly Schedule.Info[], now: number): string {
  const head = ["NAME", "TIMES", "ZONE", "NEXT", "LAST", "TASK", "CLUSTER", "OWNER"];
  const rows = schedules.map(one => [
    one.name,
    one.cron,
    one.timeZone,
    one.nextAt === undefined ? "paused" : `in ${age(one.nextAt - now)}`,
    one.last === undefined ? "-" : `${one.last.outcome} ${age(now - one.last.at)} ago`,
    one.task ?? "-",
    one.cluster ?? "-",
    one.owner,
  ]);
  return table(head, rows);
}

/** What is known of one. */
export function details(out: Output, info: Schedule.Details, events: readonly Event[], now: number): void {
  const { last, launched, timeZone } = info;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["name", info.name],
    ["times", `${info.cron}  ${timeZone}`],
    ["overlap", info.overlap],
    ["task", info.task],
    ["cluster", info.cluster ?? "a new one each time"],
    ["owner", info.owner],
    ["last", last && `${last.outcome}${last.message === undefined ? "" : `: ${last.message}`}`],
    ["job", launched && `${launched.jobId} on ${launched.clusterName}`],
    ["next", info.paused ? "paused" : undefined],
  ];
  for (const [label, text] of facts) if (text !== undefined) out.print(`${out.paint("dim", label.padEnd(8))} ${text}`);
  for (const [index, at] of info.next.entries())
    out.print(`${out.paint("dim", (index === 0 ? "next" : "").padEnd(8))} ${timeIn(timeZone, at)}`);
  if (events.length === 0) return;
  out.print("");
  const rows = events.map(event => [moment(event.at, now), event.kind, event.actor, event.message ?? idOf(event)]);
  out.print(table(["TIME", "EVENT", "BY", ""], rows));
}

const idOf = ({ details }: Event): string => (typeof details?.jobId === "string" ? details.jobId : "");
