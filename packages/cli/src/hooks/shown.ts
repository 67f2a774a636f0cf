/** Hooks and their deliveries as rows and lines. */
import type * as Delivery from "@muster/core/hook/delivery.ts";
import type * as Hook from "@muster/core/hook/hook.ts";
import type { Info as Rule } from "@muster/core/hook/rules.ts";
import { age, moment } from "../format.ts";
import type { Output } from "../output.ts";
import { table } from "../table.ts";

export function list(hooks: readonly Hook.Info[], now: number): string {
  const rows = hooks.map(one => [
    one.name,
    one.forge,
    String(one.rules),
    one.token ?? "-",
    one.owner,
    age(now - one.changedAt),
    one.id,
  ]);
  return table(["NAME", "FORGE", "RULES", "TOKEN", "OWNER", "SET", "ID"], rows);
}

export function details(out: Output, hook: Hook.Details, endpoint: string | undefined): void {
  const { status, comment, check } = hook.report;
  const told = [status && "status", comment && "comment", check && "check"].filter(Boolean).join(", ");
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["name", hook.name],
    ["id", hook.id],
    ["forge", hook.api === undefined ? hook.forge : `${hook.forge} at ${hook.api}`],
    ["url", `${endpoint ?? ""}${hook.path}`],
    ["owner", hook.owner],
    ["token", hook.token],
    ["header", hook.header],
    ["tells", told === "" ? "nothing" : told],
  ];
  for (const [label, text] of facts) if (text !== undefined) out.print(`${out.paint("dim", label.padEnd(8))} ${text}`);
  out.print("");
  out.print(table(["RULE", "ON", "WHERE", "LAUNCHES"], hook.list.map(ruleRow)));
}

const ruleRow = (rule: Rule, index: number): string[] => [
  rule.name ?? String(index + 1),
  rule.events.join(", "),
  whereOf(rule),
  `${rule.file ?? rule.launch?.task.name ?? "a task"}${rule.cancelOlder ? ", and ends the older" : ""}`,
];

function whereOf({ branches, tags, paths, labels, comment, by }: Rule): string {
  const parts = [
    branches && `branches ${branches.join(" ")}`,
    tags && `tags ${tags.join(" ")}`,
    paths && `paths ${paths.join(" ")}`,
    labels && `labels ${labels.join(" ")}`,
    comment && `'${comment}' by ${(by ?? ["write"]).join(" ")}`,
  ];
  return parts.filter(part => part !== undefined).join("; ") || "-";
}

export function deliveries(all: readonly Delivery.Info[], now: number): string {
  const rows = all.map(one => [
    one.id,
    moment(one.createdAt, now),
    nameOf(one),
    one.ref?.replace(/^refs\/heads\//, "") ?? "-",
    one.sender,
    one.state,
    one.message ?? one.results.flatMap(({ jobId }) => jobId ?? []).join(", "),
  ]);
  return table(["DELIVERY", "TIME", "EVENT", "REF", "BY", "STATE", ""], rows);
}

const nameOf = ({ event, action }: Delivery.Info): string => (action === undefined ? event : `${event}.${action}`);

export function delivery(out: Output, one: Delivery.Details, now: number): void {
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["id", one.id],
    ["time", moment(one.createdAt, now)],
    ["event", nameOf(one)],
    ["of", one.repository],
    ["ref", one.ref],
    ["commit", one.sha],
    ["pull", one.pull?.toString()],
    ["by", one.sender],
    ["state", one.message === undefined ? one.state : `${one.state}: ${one.message}`],
    ["sent as", one.senderId],
    ["replays", one.replays === 0 ? undefined : String(one.replays)],
    ["paths", one.facts?.paths?.slice(0, MOST_PATHS).join(" ")],
  ];
  for (const [label, text] of facts) if (text !== undefined) out.print(`${out.paint("dim", label.padEnd(8))} ${text}`);
  if (one.results.length === 0) return;
  out.print("");
  const rows = one.results.map(({ rule, outcome, message, clusterName, jobId }) => [
    rule,
    outcome,
    message ?? `${jobId ?? ""} on ${clusterName ?? ""}`,
  ]);
  out.print(table(["RULE", "CAME TO", ""], rows));
}

/** More are in the answer as JSON. */
const MOST_PATHS = 20;
