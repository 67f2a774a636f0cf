import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { describe } from "../context/target.ts";

export const whoami = (): Command =>
  define("whoami", "Show whom your token speaks for, and where", "muster whoami").action(
    (_options: object, command: Command) => show(cliOf(command)),
  );

async function show({ out, target, connect }: Cli): Promise<void> {
  const place = target();
  const who = await (await connect()).tokens.whoami({});
  const where = place.kind === "remote" ? { endpoint: place.endpoint, context: place.context } : { home: place.home };
  out.data({ ...who, ...where });
  out.print(`${who.id}, ${who.role} of workspace ${who.workspace}, on ${describe(place)}, version ${who.version}`);
}
