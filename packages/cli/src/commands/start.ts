import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Find from "../find.ts";
import { type Move, moveAll } from "../move.ts";
import { isSettled } from "../watch.ts";

interface Options {
  readonly detach?: boolean;
  readonly move?: boolean;
}

export const start = (): Command =>
  define("start", "Start stopped clusters", "muster start demo")
    .argument("<cluster...>", "names or ids")
    .option("--move", "When its zone has no machines: copy its disks and start it in another one")
    .option("-d, --detach", "do not wait")
    .action((names: string[], options: Options, command: Command) => wake(cliOf(command), names, options));

/** @param elsewhere on other machines, wherever there are some */
const waking = (elsewhere: boolean): Move => ({
  ask: (client, cluster) =>
    client.clusters.start({ params: { cluster }, ...(elsewhere && { query: { move: "true" } }) }),
  isThere: isSettled,
  good: ["ready"],
});

async function wake({ out, connect }: Cli, names: readonly string[], options: Options): Promise<void> {
  const client = await connect();
  const clusters = await Promise.all(names.map(name => Find.living(client, name)));
  await moveAll(out, client, clusters, waking(options.move ?? false), options.detach ?? false);
}
