import { MusterError } from "@muster/core/error.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Config from "../context/config.ts";
import { unknown } from "../context/target.ts";
import { idOf, signOut } from "../login/sign-out.ts";

export const logout = (): Command =>
  define("logout", "Forget a control plane and its token, and end the token where you signed in", "muster logout prod")
    .argument("[name]", "name of the context; absent: the current one")
    .action((name: string | undefined, _options: object, command: Command) => forget(cliOf(command), name));

async function forget({ out, env }: Cli, named: string | undefined): Promise<void> {
  const path = Config.pathOf(env);
  const { name, found } = chosen(Config.read(path), named);
  const ended = found?.source === undefined ? undefined : await signOut(found);
  const current = drop(path, name);
  out.data({ context: name, current: current ?? Config.LOCAL, ...(ended !== undefined && { ended }) });
  out.print(
    `Forgot ${name}${current === undefined ? "; commands use this machine's own control plane from now on" : ""}.`,
  );
  const left = found && leftOf(found, ended);
  if (left !== undefined) out.note(out.style("dim", `  ${left}`));
}

/** @throws MusterError `invalid_request` */
function chosen(config: Config.Config, named: string | undefined): { name: string; found: Config.Context | undefined } {
  const name = named ?? config.current;
  if (name === undefined || name === Config.LOCAL)
    throw new MusterError("invalid_request", "there is nothing to log out of", {
      hint: "see them with: muster context",
    });
  const found = Config.find(config, name);
  // One that is current and not there is a slip of somebody's editor: it may go as well.
  if (found === undefined && name !== config.current) throw unknown(config, name);
  return { name, found };
}

/** Takes it out of the file as it stands now. @returns the context that commands use from now on */
function drop(path: string, name: string): string | undefined {
  const config = Config.read(path);
  const { [name]: _, ...contexts } = config.contexts;
  const { current, ...rest } = config;
  const stays = current === name ? undefined : current;
  Config.write(path, { ...rest, contexts, ...(stays !== undefined && { current: stays }) });
  return stays;
}

/** What becomes of the token. */
function leftOf({ token, expiresAt }: Config.Context, ended: boolean | undefined): string | undefined {
  if (ended === true) return "the token has ended";
  const id = idOf(token);
  if (id === undefined) return undefined;
  const until = expiresAt === undefined ? "" : `, or until ${new Date(expiresAt).toISOString()}`;
  const why = ended === false ? "nobody could be reached: " : "";
  return `${why}the token itself is good until an admin ends it${until}: muster tokens revoke ${id}`;
}
