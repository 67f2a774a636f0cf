import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Config from "../context/config.ts";
import { unknown } from "../context/target.ts";
import { table } from "../table.ts";

export const context = (): Command =>
  define("context", "Show the control planes that you are logged in to, or choose one", "muster context prod")
    .argument("[name]", "the one to use from now on; local: this machine's own")
    .action((name: string | undefined, _options: object, command: Command) =>
      name === undefined ? show(cliOf(command)) : choose(cliOf(command), name),
    );

function show({ out, env }: Cli): void {
  const { current = Config.LOCAL, contexts } = Config.read(Config.pathOf(env));
  const known = Object.entries(contexts).map(([name, { endpoint }]) => ({ name, endpoint }));
  const items = [{ name: Config.LOCAL, endpoint: undefined }, ...known].map(one => ({
    ...one,
    current: one.name === current,
  }));
  out.data(items);
  const rows = items.map(one => [one.current ? "*" : "", one.name, one.endpoint ?? "this machine"]);
  out.print(table(["", "NAME", "ENDPOINT"], rows));
  shadowed({ out, env });
}

function choose({ out, env }: Cli, name: string): void {
  const path = Config.pathOf(env);
  const config = Config.read(path);
  const found = Config.find(config, name);
  if (found === undefined && name !== Config.LOCAL) throw unknown(config, name);
  const { current: _, ...rest } = config;
  Config.write(path, { ...rest, ...(found !== undefined && { current: name }) });
  const endpoint = found?.endpoint;
  out.data({ name, endpoint, current: true });
  out.print(`Commands talk to ${endpoint ?? "this machine's own control plane"} from now on.`);
  shadowed({ out, env });
}

function shadowed({ out, env }: Pick<Cli, "out" | "env">): void {
  if (env.MUSTER_ENDPOINT)
    out.note(
      `${out.style("yellow", "warning:")} MUSTER_ENDPOINT is set, and goes before contexts: unset MUSTER_ENDPOINT`,
    );
}
