/** Every command, in the order in which help shows them. */

import { VERSION } from "@muster/core/version.ts";
import { Command } from "commander";
import { everywhere } from "./cli.ts";
import { artifacts } from "./commands/artifacts.ts";
import { autostop } from "./commands/autostop.ts";
import { bootstrap } from "./commands/bootstrap.ts";
import { budget } from "./commands/budget.ts";
import { cancel } from "./commands/cancel.ts";
import { catalog } from "./commands/catalog.ts";
import { completion } from "./commands/completion.ts";
import { context } from "./commands/context.ts";
import { cost } from "./commands/cost.ts";
import { deadLetters } from "./commands/deadletters.ts";
import { doctor } from "./commands/doctor.ts";
import { down } from "./commands/down.ts";
import { events } from "./commands/events.ts";
import { exec } from "./commands/exec.ts";
import { exporting } from "./commands/export.ts";
import { freeze, unfreeze } from "./commands/freeze.ts";
import { gc } from "./commands/gc.ts";
import { hold, release } from "./commands/hold.ts";
import { hooks } from "./commands/hooks.ts";
import { iam } from "./commands/iam.ts";
import { image } from "./commands/image.ts";
import { importing } from "./commands/import.ts";
import { issuers } from "./commands/issuers.ts";
import { jobs } from "./commands/jobs.ts";
import { launch } from "./commands/launch.ts";
import { local } from "./commands/local.ts";
import { login } from "./commands/login.ts";
import { logout } from "./commands/logout.ts";
import { logs } from "./commands/logs.ts";
import { pool } from "./commands/pool.ts";
import { queue } from "./commands/queue.ts";
import { quota } from "./commands/quota.ts";
import { rerun } from "./commands/rerun.ts";
import { run } from "./commands/run.ts";
import { schedule } from "./commands/schedule.ts";
import { secrets } from "./commands/secrets.ts";
import { start } from "./commands/start.ts";
import { status } from "./commands/status.ts";
import { stop } from "./commands/stop.ts";
import { targets } from "./commands/targets.ts";
import { tokens } from "./commands/tokens.ts";
import { uninstall } from "./commands/uninstall.ts";
import { up } from "./commands/up.ts";
import { validate } from "./commands/validate.ts";
import { webhooks } from "./commands/webhooks.ts";
import { which } from "./commands/which.ts";
import { whoami } from "./commands/whoami.ts";
import { why } from "./commands/why.ts";
import { workspaces } from "./commands/workspaces.ts";

const groups: readonly (readonly [string, readonly (() => Command)[]])[] = [
  ["Run things:", [launch, run, rerun, exec, schedule, hooks, webhooks, pool, validate, importing]],
  ["Jobs:", [queue, jobs, logs, artifacts, cancel, hold, release, why, events]],
  ["Clusters:", [up, status, start, stop, autostop, down, which, catalog]],
  ["What jobs and clusters use:", [secrets, targets, image]],
  ["Control planes:", [login, logout, context, whoami, bootstrap, doctor, local]],
  [
    "Administration:",
    [tokens, issuers, workspaces, budget, cost, quota, freeze, unfreeze, deadLetters, gc, iam, exporting, uninstall],
  ],
  ["This program:", [() => completion(program)]],
];

/** The whole tree of commands. */
export function program(): Command {
  const root = new Command("muster")
    .description("Create clusters, run jobs on them, and leave nothing running.")
    .version(VERSION, "-v, --version")
    .enablePositionalOptions()
    .addHelpText("after", "\nExample:\n  muster launch examples/hello.yaml -c demo");
  for (const [heading, commands] of groups)
    for (const make of commands) {
      const command = make();
      root.addCommand((command.commands.length > 0 ? command : everywhere(command)).helpGroup(heading));
    }
  return root;
}
