/** `muster hooks approve`: a maintainer's word for a stranger's commit. */
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { confirm } from "../confirm.ts";

export const approve = (): Command =>
  define(
    "approve",
    "Let a stranger's commit be run that a delivery waits for (admins)",
    "muster hooks approve train hdl_01JABCDEFGHJKMNPQRSTVWXYZ0",
  )
    .argument("<name>", "name or id of the hook")
    .argument("<delivery>", "id of the delivery, as deliveries shows it; another commit needs a word of its own")
    .option("-y, --yes", "ask nothing")
    .action((hook: string, id: string, options: { readonly yes?: true }, command: Command) =>
      run(cliOf(command), hook, id, options.yes ?? false),
    );

/** Whoever approves sees what of: they should have read that very commit. */
async function run({ out, connect }: Cli, hook: string, id: string, yes: boolean): Promise<void> {
  const client = await connect();
  const {
    sha = "",
    sender,
    repository = "its repository",
    pull,
  } = await client.hooks.delivery({
    params: { hook, delivery: id },
  });
  const where = pull === undefined ? repository : `pull request ${pull} of ${repository}`;
  const what = `commit ${sha.slice(0, 12)} by ${sender} (${where})`;
  await confirm({ ...out, yes }, `Have you read ${what}, and may it run?`, `this runs ${what}`);
  const info = await client.hooks.approve({ params: { hook, delivery: id } });
  out.data(info);
  out.print(`Approved: ${what}.`);
  out.note(out.style("dim", `  muster hooks deliveries ${hook} ${id} shows what becomes of it`));
}
