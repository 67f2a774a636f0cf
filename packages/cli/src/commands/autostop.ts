import type { Client } from "@muster/api/client.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { describe } from "@muster/core/cluster/idle.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Find from "../find.ts";
import { price } from "../format.ts";
import * as Idle from "../idle.ts";
import { addIdleOptions, changed, type IdleOptions, isSaid } from "../idle-options.ts";
import * as LocalDisks from "../local-disks.ts";
import type { Output } from "../output.ts";

export const autostop = (): Command =>
  addIdleOptions(
    define(
      "autostop",
      "Set when an idle cluster stops or ends, and what keeps it",
      "muster autostop demo -i 60 --down",
    ).argument("<cluster>", "name or id; without options its policy is shown, and what they leave out stays"),
  ).action((name: string, options: IdleOptions, command: Command) => run(cliOf(command), name, options));

async function run({ out, connect }: Cli, name: string, options: IdleOptions): Promise<void> {
  const client = await connect();
  const before = await Find.living(client, name);
  const after = isSaid(options) ? await set(client, before, options) : before;
  out.data(after);
  show(out, after);
  if (after.idle === "never" || after.idle.action !== "stop") return;
  const emptied = await LocalDisks.warning(client, after);
  if (emptied !== undefined) out.print(`  disks    ${emptied}`);
}

function set(client: Client, { id, idle }: Cluster.Info, options: IdleOptions): Promise<Cluster.Info> {
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const body = { idle: changed(idle, options, timeZone) };
  return client.clusters.autostop({ params: { cluster: id }, body });
}

function show(out: Output, cluster: Cluster.Info): void {
  const { name, idle, stoppedHourly } = cluster;
  const now = Date.now();
  const stops = idle !== "never" && idle.action === "stop" && stoppedHourly !== undefined;
  const facts: [label: string, text: string | undefined][] = [
    ...Idle.scripts(idle),
    ["held", Idle.held(cluster, now)?.replace(/^held /, "")],
    ["stopped", Idle.resting(cluster, now) ?? (stops ? `its disks will cost ${price(stoppedHourly)}` : undefined)],
  ];
  out.print(`Cluster ${name} ${describe(idle)}.`);
  for (const [label, text] of facts)
    if (text !== undefined) out.print(`  ${label.padEnd(8)} ${text.trimEnd().replaceAll("\n", `\n${" ".repeat(11)}`)}`);
}
