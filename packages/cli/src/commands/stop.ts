import * as Cluster from "@muster/core/cluster/cluster.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { type Move, moveAll } from "../move.ts";

interface Options {
  readonly detach?: boolean;
}

export const stop = (): Command =>
  define("stop", "Stop clusters and keep their disks", "muster stop demo")
    .argument("<cluster...>", "names or ids")
    .option("-d, --detach", "do not wait")
    .action((names: string[], options: Options, command: Command) => halt(cliOf(command), names, options));

const MOVE: Move = {
  ask: (client, cluster) => client.clusters.stop({ params: { cluster } }),
  isThere: cluster => cluster.state === "stopped" || Cluster.isLeaving(cluster),
  good: ["stopped"],
};

async function halt({ out, connect }: Cli, names: readonly string[], options: Options): Promise<void> {
  await moveAll(out, await connect(), names, MOVE, options.detach ?? false);
}
