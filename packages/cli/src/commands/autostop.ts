import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { describe, type Idle } from "@muster/core/cluster/idle.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Find from "../find.ts";
import { minutes } from "../task-options.ts";

interface Options {
  readonly idleMinutes: number | "never";
  readonly down?: boolean;
  readonly stop?: boolean;
}

export const autostop = (): Command =>
  define("autostop", "Set when an idle cluster stops or ends", "muster autostop demo -i 60 --down")
    .argument("<cluster>", "name or id")
    .requiredOption("-i, --idle-minutes <minutes>", "minutes without a job, or never", minutes)
    .option("--down", "terminate it then")
    .option("--stop", "stop it then, and keep its disks; with neither, it does what it does now")
    .action((name: string, options: Options, command: Command) => set(cliOf(command), name, options));

async function set({ out, connect }: Cli, name: string, options: Options): Promise<void> {
  const client = await connect();
  const before = await Find.living(client, name);
  const idle = policy(before, options);
  const after = await client.clusters.autostop({ params: { cluster: before.id }, body: { idle } });
  out.data(after);
  out.print(`Cluster ${after.name} ${describe(after.idle)}.`);
}

function policy({ idle }: Cluster.Info, options: Options): Idle {
  const after = options.idleMinutes;
  if (after === "never") return "never";
  if (options.down) return { after, action: "terminate" };
  if (idle === "never") return { after, action: options.stop ? "stop" : "terminate" };
  return { ...idle, after, ...(options.stop && { action: "stop" as const }) };
}
