/** Every command, in the order in which help shows them. */

import { VERSION } from "@muster/core/version.ts";
import { Command } from "commander";
import { everywhere } from "./cli.ts";
import { autostop } from "./commands/autostop.ts";
import { cancel } from "./commands/cancel.ts";
import { completion } from "./commands/completion.ts";
import { down } from "./commands/down.ts";
import { events } from "./commands/events.ts";
import { launch } from "./commands/launch.ts";
import { local } from "./commands/local.ts";
import { logs } from "./commands/logs.ts";
import { queue } from "./commands/queue.ts";
import { run } from "./commands/run.ts";
import { start } from "./commands/start.ts";
import { status } from "./commands/status.ts";
import { stop } from "./commands/stop.ts";
import { up } from "./commands/up.ts";
import { validate } from "./commands/validate.ts";
import { which } from "./commands/which.ts";
import { why } from "./commands/why.ts";

const groups: readonly (readonly [string, readonly (() => Command)[]])[] = [
  ["Run things:", [launch, run, validate]],
  ["Jobs:", [queue, logs, cancel, why, events]],
  ["Clusters:", [up, status, start, stop, autostop, down, which]],
  ["This program:", [local, () => completion(program)]],
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
