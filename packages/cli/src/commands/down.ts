import type { Client } from "@muster/api/client.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { confirm } from "../confirm.ts";
import * as Find from "../find.ts";
import { type Move, moveAll } from "../move.ts";
import { all } from "../pages.ts";
import * as Shown from "../shown.ts";

interface Options {
  readonly yes?: boolean;
  readonly all?: boolean;
  readonly detach?: boolean;
}

export const down = (): Command =>
  define("down", "Cancel the jobs of clusters and terminate their hosts", "muster down demo")
    .argument("[cluster...]", "names or ids")
    .option("-a, --all", "every cluster that you may end")
    .option("-y, --yes", "ask nothing")
    .option("-d, --detach", "do not wait until the hosts have gone")
    .action((names: string[], options: Options, command: Command) => end(cliOf(command), names, options));

const MOVE: Move = {
  ask: (client, cluster) => client.clusters.remove({ params: { cluster } }),
  isThere: Cluster.isOver,
  // One that had failed ends as failed, with no machine left: that is what was asked for.
  good: ["terminated", "failed"],
};

async function end({ out, connect }: Cli, names: readonly string[], options: Options): Promise<void> {
  if (names.length === 0 && !options.all)
    throw new MusterError("invalid_request", "which cluster?", { hint: "muster down NAME, or muster down --all" });
  const client = await connect();
  const doomed = await find(client, names, options.all ?? false);
  if (doomed.length === 0) {
    out.data([]);
    return out.print("No clusters: nothing to end.");
  }
  const titles = doomed.map(cluster => `${cluster.name} (${Shown.hosts(cluster.nodes)})`).join(", ");
  const jobs = await Find.activeJobs(client, doomed);
  const cost = Shown.doomed(jobs);
  // Without a person there, a name is clear enough, where nothing is lost; everything at once is not.
  const yes = options.yes === true || (!out.interactive && !options.all && cost === undefined);
  if (yes && cost !== undefined) out.note(cost);
  const question = `${cost === undefined ? "" : `${cost}. `}End ${titles}?`;
  const matter = `${cost === undefined ? "" : `${cost}; `}this ends ${titles}`;
  await confirm({ ...out, yes }, question, matter);
  await moveAll(out, client, doomed, MOVE, options.detach ?? false);
}

function find(client: Client, names: readonly string[], everything: boolean): Promise<Cluster.Info[]> {
  if (!everything) return Promise.all(names.map(name => Find.living(client, name)));
  return all(cursor => client.clusters.list({ query: cursor === undefined ? {} : { cursor } }));
}
