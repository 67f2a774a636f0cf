import type { OutputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Config from "../context/config.ts";
import { describe, type Target } from "../context/target.ts";
import { duration } from "../format.ts";
import * as Source from "../login/source.ts";

type Who = OutputOf<Routes["tokens.whoami"]>;

export const whoami = (): Command =>
  define("whoami", "Show whom your token speaks for, where, and until when", "muster whoami").action(
    (_options: object, command: Command) => show(cliOf(command)),
  );

async function show({ out, env, target, connect }: Cli): Promise<void> {
  const place = target();
  const who = await (await connect()).tokens.whoami({});
  const where = place.kind === "remote" ? { endpoint: place.endpoint, context: place.context } : { home: place.home };
  out.data({ ...who, ...where });
  out.print(`${who.id}, ${who.role} of workspace ${who.workspace}, on ${describe(place)}, version ${who.version}`);
  for (const line of [fromWhere(env, place, who), untilWhen(place, who)])
    if (line !== undefined) out.print(out.paint("dim", `  ${line}`));
}

/** Of a token: who vouched, or who made it. */
function fromWhere(env: NodeJS.ProcessEnv, place: Target, { issuer, createdBy, origin }: Who): string | undefined {
  const context = place.kind === "remote" ? place.context : undefined;
  const source = context === undefined ? undefined : Config.find(Config.read(Config.pathOf(env)), context)?.source;
  const behind = origin === undefined ? "" : `, for ${origin}`;
  if (source !== undefined) return `signed in at ${Source.describe(source)}${behind}`;
  if (issuer !== undefined) return `signed in at ${issuer}${behind}`;
  return createdBy === undefined ? undefined : `a token that ${createdBy} made${behind}`;
}

function untilWhen(place: Target, { expiresAt }: Who): string | undefined {
  if (expiresAt === undefined) return undefined;
  const when = `ends in ${duration(Math.max(0, expiresAt - Date.now()))}, at ${new Date(expiresAt).toISOString()}`;
  return place.kind === "remote" && place.renews ? `${when}; renewed before that` : when;
}
