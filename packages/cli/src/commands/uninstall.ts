import { setTimeout as pause } from "node:timers/promises";
import type { Client } from "@muster/api/client.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import { errors } from "@muster/core/error.ts";
import { type Command, InvalidArgumentError } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { describe, type Target } from "../context/target.ts";
import * as Find from "../find.ts";
import { plural, price } from "../format.ts";
import type { Output } from "../output.ts";
import { all } from "../pages.ts";
import { step } from "../progress.ts";
import { next } from "../removal.ts";
import * as Shown from "../shown.ts";
import { seconds } from "../task-options.ts";

interface Options {
  readonly yes?: boolean;
  /** Seconds. */
  readonly timeout: number;
  readonly stage: string;
}

const LOOK_MS = 1000;

export const uninstall = (): Command =>
  define("uninstall", "End every cluster, and say how to remove the deployment itself", "muster uninstall --stage prod")
    .option("-y, --yes", "ask nothing")
    .option("--timeout <time>", "how long to wait until all have gone", seconds, 1800)
    .option("--stage <stage>", "stage that was deployed, for what is told at the end", stage, "production")
    .action((options: Options, command: Command) => run(cliOf(command), options));

async function run({ out, target, connect }: Cli, options: Options): Promise<void> {
  const place = target();
  const client = await connect();
  const clusters = await living(client);
  if (clusters.length > 0) {
    await agree(out, client, place, clusters, options.yes ?? false);
    await removeAll(out, client, clusters);
  }
  const left = await gone(out, client, options.timeout);
  const remaining = left.map(({ id, name, state }) => ({ id, name, state }));
  const { commands, leftovers, lines } = next(place, options.stage);
  out.data({ ended: clusters.length - remaining.length, remaining, next: commands, leftovers });
  if (remaining.length > 0) return stuck(out, left, options.timeout);
  out.print(
    clusters.length === 0
      ? "No cluster is there."
      : `All of ${plural(clusters.length, "cluster")} ended: no machine is left.`,
  );
  for (const line of lines) out.print(line);
}

const living = (client: Client): Promise<Cluster.Info[]> =>
  all(cursor => client.clusters.list({ query: cursor === undefined ? {} : { cursor } }));

/** Shows what would end, and what it costs, and asks. */
async function agree(
  out: Output,
  client: Client,
  place: Target,
  clusters: readonly Cluster.Info[],
  yes: boolean,
): Promise<void> {
  const jobs = await Find.activeJobs(client, clusters);
  for (const line of Shown.clusters(out, clusters, jobs, Date.now()).split("\n")) out.note(line);
  const hourly = clusters.reduce((sum, { hourly: one = 0 }) => sum + one, 0);
  const cost = Shown.doomed(jobs);
  const what = `${plural(clusters.length, "cluster")} on ${describe(place)}, ${price(hourly)} in all`;
  if (yes) out.note(`Ending ${what}${cost === undefined ? "" : `. ${cost}`}`);
  const question = `${cost === undefined ? "" : `${cost}. `}End ${what}?`;
  await confirm({ ...out, yes }, question, `this ends ${what}`);
}

/** Asks for the end of each. One that cannot be ended does not keep the others. */
async function removeAll(out: Output, client: Client, clusters: readonly Cluster.Info[]): Promise<void> {
  const asked = await Promise.allSettled(clusters.map(({ id }) => client.clusters.remove({ params: { cluster: id } })));
  for (const [index, result] of asked.entries())
    if (result.status === "rejected")
      out.warn(`${out.style("red", "✗")} cluster ${clusters[index]?.name}  ${Object(result.reason).message}`);
}

/** Waits until no cluster is left, and none that came meanwhile. @returns those that are still there after that time. */
async function gone(out: Output, client: Client, timeout: number): Promise<Cluster.Info[]> {
  const deadline = performance.now() + timeout * 1000;
  using progress = step(out, "clusters");
  for (;;) {
    const left = (await living(client)).filter(cluster => !Cluster.isOver(cluster));
    if (left.length === 0) {
      progress.clear();
      return [];
    }
    // One that nobody has asked to end will not.
    const waiting = left.some(({ state }) => state === "draining");
    if (!waiting || performance.now() > deadline) return left;
    progress.show(`${plural(left.length, "cluster")} left`);
    await pause(LOOK_MS);
  }
}

function stuck(out: Output, left: readonly Cluster.Info[], timeout: number): void {
  const names = left.map(({ name, state }) => `${name} (${state})`).join(", ");
  const draining = left.some(({ state }) => state === "draining");
  out.warn(`${out.style("red", "muster:")} still there${draining ? ` after ${timeout} seconds` : ""}: ${names}`);
  out.warn("  Keep the deployment while they are: nothing else ends their machines. Say it again: muster uninstall");
  process.exitCode = errors.conflict.exit;
}

function stage(given: string): string {
  if (/^[a-z0-9][a-z0-9-]*$/i.test(given)) return given;
  throw new InvalidArgumentError("Write letters, digits and dashes.");
}
