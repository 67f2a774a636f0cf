import type { Client } from "@muster/api/client.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import { HOOK_TIMEOUT } from "@muster/core/cluster/idle.ts";
import { coarseOf } from "@muster/core/job/coarse.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { confirm } from "../confirm.ts";
import * as Find from "../find.ts";
import { duration, plural } from "../format.ts";
import * as LocalDisks from "../local-disks.ts";
import { type Move, moveAll } from "../move.ts";
import * as Shown from "../shown.ts";

interface Options {
  readonly yes?: boolean;
  readonly now?: boolean;
  readonly detach?: boolean;
}

/** Milliseconds. */
const MINUTE = 60_000;

export const stop = (): Command =>
  define("stop", "Stop clusters and keep their disks; jobs that run are cancelled", "muster stop demo")
    .argument("<cluster...>", "names or ids")
    .option("-y, --yes", "ask nothing, also when jobs will be cancelled")
    .option("--now", "without the hook of its idle policy")
    .option("-d, --detach", "do not wait")
    .action((names: string[], options: Options, command: Command) => halt(cliOf(command), names, options));

/** @param now without its hook */
const stopping = (now: boolean): Move => ({
  ask: (client, cluster) => client.clusters.stop({ params: { cluster }, ...(now && { query: { now: "true" } }) }),
  isThere: cluster => cluster.state === "stopped" || Cluster.isLeaving(cluster),
  good: ["stopped"],
});

/** Those that run: what is stopped has lost them already. */
async function emptiedBy(client: Client, clusters: readonly Cluster.Info[]): Promise<string[]> {
  const running = clusters.filter(({ state }) => state !== "stopped");
  const told = await Promise.all(running.map(async one => ({ one, text: await LocalDisks.warning(client, one) })));
  return told.flatMap(({ one, text }) => (text === undefined ? [] : [`${one.name}: ${text}`]));
}

/** What a stop waits for. */
function hookOf({ name, state, idle }: Cluster.Info): string[] {
  if (state === "stopped" || idle === "never" || idle.hook === undefined) return [];
  const most = duration((idle.hook.timeout ?? HOOK_TIMEOUT) * MINUTE);
  return [`${name}: its hook runs first, for ${most} at most; --now leaves it out`];
}

async function halt({ out, connect }: Cli, names: readonly string[], options: Options): Promise<void> {
  const client = await connect();
  const clusters = await Promise.all(names.map(name => Find.living(client, name)));
  const jobs = await Find.activeJobs(client, clusters);
  const waiting = jobs.filter(job => job.state === "queued").length;
  if (waiting > 0) out.note(`${plural(waiting, "job")} in the queue: kept for the next muster start`);
  const cost = Shown.doomed(jobs.filter(job => coarseOf(job.state) !== "pending"));
  const losses = [...(cost === undefined ? [] : [cost]), ...(await emptiedBy(client, clusters))];
  // Without a person there, what a stop is known to do to a disk is no reason not to stop.
  const yes = options.yes === true || (!out.interactive && cost === undefined);
  if (yes) for (const loss of losses) out.note(loss);
  const question = `${losses.join(". ")}. Stop ${clusters.map(({ name }) => name).join(", ")}?`;
  if (losses.length > 0) await confirm({ ...out, yes }, question, losses.join("; "), "or wait until nothing runs");
  const { now = false, detach = false } = options;
  for (const hook of now ? [] : clusters.flatMap(hookOf)) out.note(hook);
  await moveAll(out, client, clusters, stopping(now), detach);
}
