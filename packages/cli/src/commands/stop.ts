import * as Cluster from "@muster/core/cluster/cluster.ts";
import { coarseOf } from "@muster/core/job/coarse.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { confirm } from "../confirm.ts";
import * as Find from "../find.ts";
import { plural } from "../format.ts";
import { type Move, moveAll } from "../move.ts";
import * as Shown from "../shown.ts";

interface Options {
  readonly yes?: boolean;
  readonly detach?: boolean;
}

export const stop = (): Command =>
  define("stop", "Stop clusters and keep their disks; jobs that run are cancelled", "muster stop demo")
    .argument("<cluster...>", "names or ids")
    .option("-y, --yes", "ask nothing, also when jobs will be cancelled")
    .option("-d, --detach", "do not wait")
    .action((names: string[], options: Options, command: Command) => halt(cliOf(command), names, options));

const MOVE: Move = {
  ask: (client, cluster) => client.clusters.stop({ params: { cluster } }),
  isThere: cluster => cluster.state === "stopped" || Cluster.isLeaving(cluster),
  good: ["stopped"],
};

async function halt({ out, connect }: Cli, names: readonly string[], options: Options): Promise<void> {
  const client = await connect();
  const clusters = await Promise.all(names.map(name => Find.living(client, name)));
  const jobs = await Find.activeJobs(client, clusters);
  const waiting = jobs.filter(job => job.state === "queued").length;
  if (waiting > 0) out.note(`${plural(waiting, "job")} in the queue: kept for the next muster start`);
  const cost = Shown.doomed(jobs.filter(job => coarseOf(job.state) !== "pending"));
  if (cost !== undefined) {
    const yes = options.yes === true;
    if (yes) out.note(cost);
    const question = `${cost}. Stop ${clusters.map(({ name }) => name).join(", ")}?`;
    await confirm({ ...out, yes }, question, cost, "or wait until nothing runs");
  }
  await moveAll(out, client, clusters, MOVE, options.detach ?? false);
}
