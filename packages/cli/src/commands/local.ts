import { VERSION } from "@muster/core/version.ts";
import { Command } from "commander";
import { type Cli, cliOf, define, everywhere } from "../cli.ts";
import { ensure, homeOf, recorded, running, stop } from "../embedded.ts";

export const local = (): Command => {
  const command = new Command("local").description("Start, stop or look at the control plane on this machine");
  command.addCommand(
    everywhere(
      define("start", "Start it; other commands do so by themselves", "muster local start").action(
        (_options: object, self: Command) => begin(cliOf(self)),
      ),
    ),
  );
  command.addCommand(
    everywhere(
      define("stop", "Stop it; clusters and jobs on this machine stay as they are", "muster local stop").action(
        (_options: object, self: Command) => end(cliOf(self)),
      ),
    ),
  );
  command.addCommand(
    everywhere(
      define("status", "Say whether it runs, and where", "muster local status").action(
        (_options: object, self: Command) => look(cliOf(self)),
      ),
    ),
  );
  return command;
};

async function begin({ out, env }: Cli): Promise<void> {
  const home = homeOf(env);
  const { endpoint, started } = await ensure(home, VERSION);
  out.data({ running: true, started, endpoint, home });
  out.print(`${started ? "Started" : "Runs already"}: ${endpoint}, home ${home}`);
}

async function end({ out, env }: Cli): Promise<void> {
  const stopped = await stop(homeOf(env));
  out.data({ running: false, stopped });
  out.print(stopped ? "Stopped." : "It was not running.");
}

async function look({ out, env }: Cli): Promise<void> {
  const home = homeOf(env);
  const server = await running(home);
  out.data({ running: server !== undefined, home, ...(server ?? {}) });
  if (server === undefined) {
    const left = recorded(home) === undefined ? "" : "; the last one did not end well, its log is server.log there";
    return out.print(`Not running. Home ${home}${left}`);
  }
  out.print(`Running: ${server.url}, process ${server.pid}, version ${server.version}, home ${home}`);
}
