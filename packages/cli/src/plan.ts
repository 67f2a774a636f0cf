/** What a launch is about to do, as a block that fits on a screen. */
import { describe } from "@muster/core/cluster/idle.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import type { Runs } from "@muster/core/task/sweep.ts";
import type { Dialect } from "@muster/task/dialect.ts";
import { duration, plural, price } from "./format.ts";
import * as LocalDisks from "./local-disks.ts";
import type { Output } from "./output.ts";
import { planned } from "./runs.ts";
import { table } from "./table.ts";
import { OWN_FORM, type Reading } from "./task-file.ts";

type Plan = Launch.Plan;
type Group = Plan["groups"][number];
type Offer = Group["offers"][number];

const DIALECTS: Readonly<Record<Dialect, string | undefined>> = {
  muster: undefined,
  skypilot: "a SkyPilot task",
  oumi: "an Oumi job",
  flambe: "a Flambé cluster",
  xt: "an XT config",
  runhouse: "a Runhouse cluster",
};

export interface Shown {
  readonly plan: Plan;
  readonly reading: Pick<Reading, "dialect" | "because" | "unmarked" | "draft">;
  /** Tear the cluster down when the job has ended. */
  readonly down: boolean;
  /** The cluster is this job's own. */
  readonly managed?: boolean;
  /** Many runs of the task, with what the command line says of them. */
  readonly runs?: Runs | undefined;
  /** Minutes after which the cluster ends, whatever runs on it. */
  readonly maxLifetime?: number | undefined;
}

/** So many offers a launch tries, and a screen holds. */
const SHOWN = 20;
const MINUTE_MS = 60_000;

/** The lines of a plan, labels in front. */
export function lines(out: Output, { plan, reading, down, managed, runs, maxLifetime }: Shown): string[] {
  const name = plan.cluster ?? "a new one, with a name made up for it";
  const facts: Fact[] = [
    ["cluster", plan.reused ? `${name}, which is there already` : name],
    ["pool", plan.pool && `${plan.pool.name}, where ${plan.pool.ready ? "one is ready" : "none is ready now"}`],
    ...(several(plan) ? grouped(plan) : alike(plan)),
    ...growth(plan),
    ["runs", planned(runs)],
    ["managed", managed ? "made anew when its machines are lost, while the job's retries last" : undefined],
    ...atRest(plan, down || managed === true),
    ["lifetime", lifetime(plan, maxLifetime)],
    ["read as", readAs(reading)],
    ["secrets", stored(reading)],
    ...notices(plan),
  ];
  return facts.flatMap(([label, text]) =>
    text === undefined ? [] : [`  ${out.style("dim", label.padEnd(8))} ${text}`],
  );
}

/** Whether it has more than one group. A control plane that is older than groups says nothing of them. */
const several = ({ groups = [] }: Plan): boolean => groups.length > 1;

type Fact = [label: string, text: string | undefined];

/** What else is to be known of it. A control plane that is older than notices has none. */
const notices = ({ notices: all = [] }: Plan): Fact[] => all.map((notice): Fact => ["note", notice]);

/** Those that the workspace keeps. */
function stored({ draft }: Shown["reading"]): string | undefined {
  const { storedSecrets } = draft.task;
  return storedSecrets.length === 0 ? undefined : `${storedSecrets.join(", ")}, as the workspace keeps them`;
}

/** Hosts of one kind. */
function alike(plan: Plan): Fact[] {
  const [offer] = plan.offers;
  return [
    [plan.nodes === 1 ? "host" : "hosts", `${plan.nodes} × ${offer === undefined ? plan.provider : machine(offer)}`],
    ["where", offer === undefined ? plan.provider : where(offer)],
    ["price", offer === undefined ? undefined : total(offer, plan.nodes)],
  ];
}

/** What is added to a cluster that is there, and what all of it costs then. */
function growth({ grows = [], groups, provider }: Plan): Fact[] {
  if (grows.length === 0) return [];
  const names = new Set(groups.map(group => group.name));
  const hourly = [...groups, ...grows].reduce(
    (sum, { nodes, offers }) => sum + (offers[0]?.hourly ?? Number.NaN) * nodes,
    0,
  );
  return [
    ...grows.map((group): Fact => {
      const isNew = names.size > 1 || !names.has(group.name);
      const what = names.has(group.name) ? group.name : `a new group, ${group.name}`;
      return ["grows", `by ${isNew ? `${what}: ` : ""}${hostsOf(group, provider)}`];
    }),
    ["then", Number.isNaN(hourly) ? undefined : `${price(hourly)}${hourly > 0 ? " in all" : ""}`],
  ];
}

/** A line for each group, and what they cost together once all of them are known. */
function grouped({ groups, provider }: Plan): Fact[] {
  const hourly = groups.reduce((sum, { nodes, offers }) => sum + (offers[0]?.hourly ?? Number.NaN) * nodes, 0);
  return [
    ...groups.map((group): Fact => ["group", `${group.name}: ${hostsOf(group, provider)}`]),
    ["price", Number.isNaN(hourly) ? undefined : `${price(hourly)}${hourly > 0 ? " in all" : ""}`],
  ];
}

function hostsOf({ nodes, schedulable, offers: [offer] }: Group, provider: string): string {
  const parts =
    offer === undefined
      ? [`${nodes} × ${provider}`]
      : [`${nodes} × ${machine(offer)}`, where(offer), total(offer, nodes)];
  return [...parts, ...(schedulable ? [] : ["takes no jobs"])].join(", ");
}

/** What becomes of it when it is idle, and of its disks then. */
function atRest(plan: Plan, ends: boolean): Fact[] {
  const disks = LocalDisks.planned(plan.groups ?? []);
  if (ends || plan.idle === "never" || plan.idle.action !== "stop")
    return [
      ["idle", ends ? "is torn down when this job has ended" : describe(plan.idle)],
      ["disks", disks],
    ];
  const emptied = disks === undefined ? "" : "; its local NVMe disks are emptied by a stop";
  const hourly = (plan.groups ?? []).reduce((sum, { nodes, offers: [offer] }) => sum + (offer?.disk ?? 0) * nodes, 0);
  return [
    ["idle", `${describe(plan.idle)}${emptied}`],
    ["disks", disks],
    ["stopped", hourly > 0 ? `its disks cost ${price(hourly)}` : undefined],
  ];
}

function lifetime(plan: Plan, minutes: number | undefined): string | undefined {
  if (minutes === undefined) return undefined;
  return plan.reused
    ? "as the cluster has it; --max-lifetime is for new ones"
    : `ends after ${duration(minutes * MINUTE_MS)}, whatever runs on it`;
}

/** Those whose scripts go on after a line that failed. */
const OWNERS: Readonly<Partial<Record<Dialect, string>>> = { skypilot: "SkyPilot", oumi: "Oumi", xt: "XT" };

/** Whose rules hold, and what follows from it; nothing for Muster's own form, unless that was a guess. */
function readAs({ dialect, because, unmarked, draft }: Shown["reading"]): string | undefined {
  const name = DIALECTS[dialect];
  const isScript = draft.task.run !== undefined || draft.task.setup !== undefined;
  if (name === undefined) return unmarked && isScript ? OWN_FORM : undefined;
  const why = because === undefined ? "" : ` (it has ${because})`;
  const owner = isScript ? OWNERS[dialect] : undefined;
  return `${name}${why}${owner === undefined ? "" : `; scripts go on after a failing line, as ${owner}'s do`}`;
}

/** The offers in the order in which they would be tried. */
function offersOf(offers: readonly Offer[], nodes: number): string {
  const rows = offers
    .slice(0, SHOWN)
    .map((offer, index) => [
      String(index + 1),
      offer.instanceType,
      where(offer),
      String(offer.cpus),
      String(offer.memory),
      accelerators(offer) || "-",
      marketOf(offer),
      price(offer.hourly),
      price(offer.hourly * nodes),
    ]);
  return table(["", "TYPE", "WHERE", "CPUS", "GIB", "ACCELERATORS", "MARKET", "PER HOST", "IN ALL"], rows);
}

const MARKETS: Readonly<Record<string, string>> = { on_demand: "on demand", spot: "spot", none: "-" };

const marketOf = ({ market = "none" }: Pick<Offer, "market">): string => MARKETS[market] ?? market;

/** Machines that the account may not have: which, why, and where to ask. */
function barredOf(out: Output, barred: Plan["barred"]): void {
  for (const { instanceType, market, reason, link } of barred ?? []) {
    out.print(`${out.paint("yellow", "barred")}  ${instanceType} ${marketOf({ market })}: ${reason}`);
    if (link !== undefined) out.print(`        ask for it: ${link}`);
  }
}

/** `p4d.24xlarge (96 cpus, 1152 GiB, 8 × A100)`. */
function machine(offer: Offer): string {
  const parts = [`${offer.cpus} cpus`, `${offer.memory} GiB`, accelerators(offer)].filter(part => part !== "");
  return `${offer.instanceType} (${parts.join(", ")})`;
}

const accelerators = (offer: Offer): string =>
  Object.entries(offer.accelerators)
    .map(([name, count]) => `${count} × ${name}`)
    .join(", ");

const where = (offer: Offer): string =>
  [offer.provider, offer.zone ?? offer.region].filter(part => part !== undefined).join(" ");

function total(offer: Offer, nodes: number): string {
  const each = nodes > 1 && offer.hourly > 0 ? ` (${price(offer.hourly)} each)` : "";
  return `${price(offer.hourly * nodes)}${each}${offer.market === "spot" ? ", spot" : ""}`;
}

/** The end of a dry run: the offers in full. */
export function showOffers(out: Output, plan: Plan): void {
  out.data(plan);
  out.note("");
  const shown = plan.grows ?? plan.groups;
  if (plan.grows !== undefined || several(plan))
    for (const [index, group] of shown.entries()) showGroup(out, group, index > 0);
  else list(out, plan.offers, plan.barred, plan.nodes);
  out.note("Nothing was launched.");
}

function showGroup(out: Output, { name, nodes, schedulable, offers, barred }: Group, isLater: boolean): void {
  if (isLater) out.print("");
  out.print(`${out.paint("bold", name)}  ${plural(nodes, "host")}${schedulable ? "" : ", takes no jobs"}`);
  list(out, offers, barred, nodes);
}

function list(out: Output, offers: readonly Offer[], barred: Plan["barred"], nodes: number): void {
  if (offers.length > 0) out.print(offersOf(offers, nodes));
  if (offers.length > SHOWN) out.print(`and ${offers.length - SHOWN} more: --json shows them all`);
  barredOf(out, barred);
}
