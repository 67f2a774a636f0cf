import { randomUUID } from "node:crypto";
import { MusterError } from "@muster/core/error.ts";
import type * as Sweep from "@muster/core/sweep/request.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { age, plural, price } from "../format.ts";
import { step } from "../progress.ts";
import { table } from "../table.ts";
import { until } from "../watch.ts";

type Info = Sweep.Info;
type Item = Sweep.Item;

interface Options {
  readonly dryRun?: boolean;
}

/** How long it is waited for, in ms: a call of the cloud that hangs is made again within a minute. */
const PATIENCE = 300_000;

export const gc = (): Command =>
  define(
    "gc",
    "End what belongs to no cluster any more, now instead of within five minutes (admins)",
    "muster gc --dry-run",
  )
    .option("--dry-run", "only show what would be done")
    .action((options: Options, command: Command) => run(cliOf(command), options.dryRun ?? false));

async function run({ out, connect }: Cli, dryRun: boolean): Promise<void> {
  const client = await connect();
  const asked = await client.sweeps.create({ body: { dryRun } }, { idempotencyKey: randomUUID() });
  using progress = step(out, "what nobody owns");
  progress.show("looking");
  const info = await done(asked, () => client.sweeps.get({ params: { sweep: asked.id } }));
  progress.done("looked");
  out.data(info);
  if (info.items.length > 0) show(out, info);
  else out.print("Nothing is left that belongs to no cluster.");
  const undone = info.items.filter(({ outcome }) => outcome === "failed").length;
  if (undone + info.problems.length === 0) return;
  throw new MusterError("unavailable", info.problems[0] ?? `${plural(undone, "thing")} could not be ended`, {
    hint: "it is tried again every five minutes; the log of the control plane says more",
    problems: info.problems,
  });
}

async function done(asked: Info, read: () => Promise<Info>): Promise<Info> {
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    return await until(
      read,
      ({ state }) => state === "done",
      () => undefined,
      signal,
    );
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new MusterError("unavailable", "the control plane has not answered within five minutes", {
      hint: "it goes on, and comes every five minutes anyway; look again with: muster gc --dry-run",
      sweep: asked.id,
    });
  }
}

const KINDS: Readonly<Record<Item["kind"], string>> = {
  machine: "machine",
  snapshots: "snapshots",
  image: "image",
  placement_group: "placement group",
};

const WILL: Readonly<Record<Item["act"], string>> = {
  terminate: "would be ended",
  stop: "would be stopped",
  delete: "would be deleted",
  keep: "kept",
};
const IS: Readonly<Record<Item["act"], string>> = {
  terminate: "ended",
  stop: "stopped",
  delete: "deleted",
  keep: "kept",
};

function doing({ act, outcome }: Item): string {
  if (outcome === "failed") return "could not be done";
  return outcome === "done" ? IS[act] : WILL[act];
}

function show(out: Cli["out"], { items, total, dryRun }: Info): void {
  const now = Date.now();
  const head = ["WHAT", "ID", "TYPE", "AGE", "PRICE", "DONE", "WHY"];
  out.print(
    table(
      head,
      items.map(one => row(one, now)),
    ),
  );
  if (total > items.length) out.note(`There are ${total - items.length} more.`);
  const hourly = items.reduce((sum, one) => sum + (one.hourly ?? 0), 0);
  if (hourly > 0) out.note(`Together they cost ${price(hourly)}, as far as prices are known.`);
  if (dryRun && items.some(({ act }) => act !== "keep")) out.note("End them now with: muster gc");
}

const row = (one: Item, now: number): string[] => [
  KINDS[one.kind],
  one.id,
  one.instanceType ?? "-",
  one.since === undefined ? "-" : age(now - one.since),
  one.hourly === undefined ? "-" : price(one.hourly),
  doing(one),
  one.why,
];
