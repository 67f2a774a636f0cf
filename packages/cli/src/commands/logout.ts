import { MusterError } from "@muster/core/error.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Config from "../context/config.ts";
import { unknown } from "../context/target.ts";

export const logout = (): Command =>
  define("logout", "Forget a control plane and its token", "muster logout prod")
    .argument("[name]", "name of the context; absent: the current one")
    .action((name: string | undefined, _options: object, command: Command) => forget(cliOf(command), name));

function forget({ out, env }: Cli, named: string | undefined): void {
  const path = Config.pathOf(env);
  const config = Config.read(path);
  const name = named ?? config.current;
  if (name === undefined || name === Config.LOCAL)
    throw new MusterError("invalid_request", "there is nothing to log out of", {
      hint: "see them with: muster context",
    });
  const found = Config.find(config, name);
  // One that is current and not there is a slip of somebody's editor: it may go as well.
  if (found === undefined && name !== config.current) throw unknown(config, name);
  const { [name]: _, ...contexts } = config.contexts;
  const { current, ...rest } = config;
  const stays = current !== undefined && current !== name;
  Config.write(path, { ...rest, contexts, ...(stays && { current }) });
  out.data({ context: name, current: stays ? current : Config.LOCAL });
  out.print(`Forgot ${name}${stays ? "" : "; commands use this machine's own control plane from now on"}.`);
  const id = /^mst_(tok_[0-9A-Z]{26})_/.exec(found?.token ?? "")?.[1];
  if (id !== undefined)
    out.note(out.style("dim", `  the token itself is good until an admin ends it: muster tokens revoke ${id}`));
}
