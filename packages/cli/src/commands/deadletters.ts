import type { OutputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { age, plural } from "../format.ts";
import { all, EVERY } from "../pages.ts";
import { table } from "../table.ts";

type Info = OutputOf<Routes["deadLetters.get"]>;

interface Options {
  readonly all?: boolean;
  readonly yes?: boolean;
}

export const deadLetters = (): Command =>
  group("deadletters", "See what failed three times and was put aside, and have it tried anew (admins)", [
    define("list", "Show the dead letters", "muster deadletters list").action((_options: object, command: Command) =>
      list(cliOf(command)),
    ),
    define("show", "Show one dead letter", "muster deadletters show dl_0123456789abcdef")
      .argument("<id>", "its id")
      .action((id: string, _options: object, command: Command) => show(cliOf(command), id)),
    define("replay", "Have dead letters tried anew", "muster deadletters replay --all")
      .argument("[id...]", "ids, as the list shows them")
      .option("-a, --all", "all that can be")
      .action((ids: string[], options: Options, command: Command) => replay(cliOf(command), ids, options)),
    define("drop", "Forget dead letters: they are not tried anew", "muster deadletters drop dl_0123456789abcdef")
      .argument("[id...]", "ids, as the list shows them")
      .option("-a, --all", "all of them")
      .option("-y, --yes", "ask nothing")
      .action((ids: string[], options: Options, command: Command) => drop(cliOf(command), ids, options)),
  ]);

const every = async ({ connect }: Cli): Promise<Info[]> => {
  const client = await connect();
  return all(cursor => client.deadLetters.list({ query: cursor === undefined ? {} : { cursor } }), EVERY);
};

async function list(cli: Cli): Promise<void> {
  const { out } = cli;
  const items = (await every(cli)).sort((a, b) => b.lastAt - a.lastAt);
  out.data(items);
  if (items.length === 0) return out.print("No dead letters: nothing has failed three times.");
  const now = Date.now();
  const rows = items.map(one => [
    one.id,
    one.what,
    String(one.times),
    age(now - one.lastAt),
    one.replayedAt === undefined ? one.reason : `is tried anew: ${one.reason}`,
  ]);
  out.print(table(["ID", "WHAT", "FAILED", "LAST", "REASON"], rows));
}

async function show({ out, connect }: Cli, letter: string): Promise<void> {
  const client = await connect();
  const info = await client.deadLetters.get({ params: { letter } });
  out.data(info);
  const at = (time: number) => new Date(time).toISOString();
  const facts: readonly (readonly [string, string])[] = [
    ["id", info.id],
    ["what", info.what],
    ["failed", `${plural(info.times, "time")}, first ${at(info.firstAt)}, last ${at(info.lastAt)}`],
    ["reason", info.reason],
    ["replay", info.canReplay ? `muster deadletters replay ${info.id}` : "it comes again by itself"],
    ...(info.replayedAt === undefined ? [] : [["tried anew", `${info.replayedBy}, ${at(info.replayedAt)}`] as const]),
  ];
  const width = Math.max(...facts.map(([label]) => label.length));
  for (const [label, text] of facts) out.print(`${out.paint("dim", label.padEnd(width))}  ${text}`);
}

async function replay(cli: Cli, ids: readonly string[], options: Options): Promise<void> {
  const { out } = cli;
  const chosen = await choose(cli, ids, options, one => one.canReplay);
  const client = await cli.connect();
  const done = await each(chosen, options, letter => client.deadLetters.replay({ params: { letter } }));
  out.data(done);
  for (const { what } of done) out.print(`Tried anew: ${what}.`);
  if (done.length > 0) out.note("What is done leaves the list; what fails again stays: muster deadletters list");
}

async function drop(cli: Cli, ids: readonly string[], options: Options): Promise<void> {
  const { out } = cli;
  const chosen = await choose(cli, ids, options, () => true);
  if (chosen.length === 0) return out.data([]);
  const what = plural(chosen.length, "dead letter");
  await confirm({ ...out, yes: options.yes ?? false }, `Forget ${what}?`, `this forgets ${what}`);
  const client = await cli.connect();
  const done = await each(chosen, options, letter => client.deadLetters.drop({ params: { letter } }));
  out.data(done);
  for (const { what: one } of done) out.print(`Forgotten: ${one}.`);
}

/** One after the other. Of all there are, one may be done, and gone, by the time it is its turn. */
async function each(
  letters: readonly string[],
  options: Options,
  act: (letter: string) => Promise<Info>,
): Promise<Info[]> {
  const done: Info[] = [];
  for (const letter of letters) {
    const isGone = (error: unknown) => options.all && error instanceof MusterError && error.code === "not_found";
    const one = await act(letter).catch(error => {
      if (!isGone(error)) throw error;
    });
    if (one !== undefined) done.push(one);
  }
  return done;
}

/** Those that are named, or all that will do. */
async function choose(
  cli: Cli,
  ids: readonly string[],
  options: Options,
  isFit: (one: Info) => boolean,
): Promise<readonly string[]> {
  if (options.all === ids.length > 0)
    throw new MusterError("invalid_request", "name dead letters, or say --all", {
      hint: "see what there is with: muster deadletters list",
    });
  if (!options.all && ids.length === 0)
    throw new MusterError("invalid_request", "which dead letters?", { hint: "name them, or say --all" });
  if (!options.all) return ids;
  const found = (await every(cli)).filter(isFit).map(({ id }) => id);
  if (found.length === 0) cli.out.print("There are none.");
  return found;
}
