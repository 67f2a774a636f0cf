import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { show } from "./budget.ts";

interface Options {
  readonly stopAll?: boolean;
  readonly terminate?: boolean;
  readonly yes?: boolean;
}

export const freeze = (): Command =>
  define("freeze", "Let nothing begin any more, until it is unfrozen (admins)", "muster freeze --stop-all")
    .option("--stop-all", "stop every cluster that can be stopped, within a minute or two; their disks are kept")
    .option("--terminate", "and end those that cannot be stopped, with what is on their disks")
    .option("-y, --yes", "ask nothing")
    .action((options: Options, command: Command) => hold(cliOf(command), options));

export const unfreeze = (): Command =>
  define("unfreeze", "Let things begin again (admins)", "muster unfreeze").action(
    (_options: object, command: Command) => letGo(cliOf(command)),
  );

async function hold({ out, connect }: Cli, { stopAll = false, terminate = false, yes = false }: Options) {
  const client = await connect();
  const ends = terminate ? ", and ends those that cannot be stopped" : "";
  const matter = `this stops every cluster of the workspace${ends}; jobs that run are cancelled`;
  if (stopAll || terminate)
    await confirm({ ...out, yes }, `${matter[0]?.toUpperCase()}${matter.slice(1)}. Go on?`, matter);
  show(out, await client.freeze.set({ body: { frozen: true, stopAll, terminate } }));
}

async function letGo({ out, connect }: Cli): Promise<void> {
  const client = await connect();
  show(out, await client.freeze.set({ body: { frozen: false } }));
  out.note("Clusters that were stopped stay so until somebody starts them: muster start NAME");
}
