import { Role } from "@muster/core/actor/actor.ts";
import { MusterError } from "@muster/core/error.ts";
import * as Id from "@muster/core/id.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { age } from "../format.ts";
import { all } from "../pages.ts";
import { table } from "../table.ts";

interface Made {
  readonly role: Role;
  readonly days?: number;
  readonly workspace?: string;
}

interface Listed {
  readonly mine?: boolean;
  readonly workspace?: string;
}

const MOST_DAYS = 3650;

export const tokens = (): Command =>
  group("tokens", "Make, list or revoke tokens of the control plane", [
    define("create", "Make a token; its text is shown this once", "muster tokens create ada --days 30 > ada.token")
      .argument("<actor>", "whom it is for, such as a person's name")
      .addOption(new Option("--role <role>", "what it may do").choices(Role.options).default("member"))
      .option("--days <days>", "days until it expires; absent: it does not", days)
      .option("--workspace <name>", "for another workspace (admins of the first one)")
      .action((actor: string, options: Made, command: Command) => create(cliOf(command), actor, options)),
    define(
      "list",
      "Show the tokens of the workspace, newest first; your own, unless you are an admin",
      "muster tokens list",
    )
      .option("--mine", "only your own")
      .option("--workspace <name>", "of another workspace (admins of the first one)")
      .action((options: Listed, command: Command) => list(cliOf(command), options)),
    define(
      "revoke",
      "End a token, such as your own: nobody is let in by it any more",
      "muster tokens revoke tok_01JABCDEFGHJKMNPQRSTVWXYZ0",
    )
      .argument("<id...>", "ids, as the list shows them")
      .option("--force", "also the last one of an admin that the workspace has")
      .action((ids: string[], { force }: { force?: boolean }, command: Command) => revoke(cliOf(command), ids, force)),
  ]);

async function create({ out, connect }: Cli, actor: string, { role, days: given, workspace }: Made): Promise<void> {
  const body = {
    actor,
    role,
    ...(given !== undefined && { days: given }),
    ...(workspace !== undefined && { workspace }),
  };
  const made = await (await connect()).tokens.create({ body });
  out.data(made);
  out.print(made.token);
  const until = made.expiresAt === undefined ? "" : `, until ${day(made.expiresAt)}`;
  out.note(`Token ${made.id} for ${made.actor}, ${made.role}${until}. Nobody can show it again.`);
  out.note(out.style("dim", "  whoever gets it uses it with: muster login --token-file FILE ENDPOINT"));
}

async function list({ out, connect }: Cli, { mine, workspace }: Listed): Promise<void> {
  const client = await connect();
  const query = { ...(mine && { mine: "true" }), ...(workspace !== undefined && { workspace }) };
  const items = await all(cursor =>
    client.tokens.list({ query: { ...query, ...(cursor !== undefined && { cursor }) } }),
  );
  out.data(items);
  const now = Date.now();
  const rows = items.map(one => [
    one.id,
    one.actor,
    one.role,
    age(now - one.createdAt),
    one.expiresAt === undefined ? "never" : expiry(one.expiresAt, now),
    one.lastUsedAt === undefined ? "never" : day(one.lastUsedAt),
    one.createdBy ?? "-",
    one.origin ?? "-",
  ]);
  out.print(table(["TOKEN", "FOR", "ROLE", "AGE", "EXPIRES", "LAST USED", "MADE BY", "ORIGIN"], rows));
}

async function revoke({ out, connect }: Cli, ids: readonly string[], force = false): Promise<void> {
  for (const token of ids) requireId(token);
  const client = await connect();
  const revoked = [];
  for (const token of ids) {
    const info = await client.tokens.revoke({ params: { token }, ...(force && { query: { force: "true" } }) });
    out.print(`Revoked ${info.id} of ${info.actor}.`);
    revoked.push(info);
  }
  out.data(revoked);
}

/** People know tokens by whom they are for; those may have several. */
function requireId(token: string): void {
  if (Id.is("token", token)) return;
  throw new MusterError("invalid_request", `'${token}' is no id of a token, such as tok_01J…`, {
    hint: "see whose token has which id with: muster tokens list",
  });
}

const day = (at: number): string => new Date(at).toISOString().slice(0, 10);

const expiry = (at: number, now: number): string => (at <= now ? `expired ${day(at)}` : day(at));

function days(given: string): number {
  const value = Number(given);
  if (/^\d+(\.\d+)?$/.test(given) && value > 0 && value <= MOST_DAYS) return value;
  throw new InvalidArgumentError(`Write a number of days, ${MOST_DAYS} at most.`);
}
