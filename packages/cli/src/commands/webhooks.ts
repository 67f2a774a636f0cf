import type { Client } from "@muster/api/client.ts";
import type { InputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import { Outcome } from "@muster/core/webhook/delivery.ts";
import { type Command, Option } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { label } from "../label-option.ts";
import { all } from "../pages.ts";
import { replay } from "../webhooks/replay.ts";
import * as Shown from "../webhooks/shown.ts";
import { tryOut } from "../webhooks/test.ts";

type Change = InputOf<Routes["webhooks.set"]>["body"];

interface Said {
  readonly url?: string;
  readonly events?: string[];
  readonly format?: "standard" | "slack";
  readonly cluster?: string[];
  readonly label?: Readonly<Record<string, string>>;
}

/** How many deliveries are shown. */
const LATEST = 20;

export const webhooks = (): Command =>
  group("webhooks", "Tell others of what happens: signed requests to addresses of theirs (admins)", [
    saying(define("create", "Make a webhook, and show its secret", `muster webhooks create ci --url ${EXAMPLE}`))
      .argument("<name>", "a name for it")
      .action((name: string, said: Said, command: Command) => create(cliOf(command), name, said)),
    saying(define("set", "Change where a webhook leads, or what it is told", "muster webhooks set ci --events 'job.*'"))
      .argument("<name>", "its name")
      .action((name: string, said: Said, command: Command) => set(cliOf(command), name, said)),
    define("list", "Show the workspace's webhooks", "muster webhooks list").action(
      (_options: object, command: Command) => list(cliOf(command)),
    ),
    define("show", "Show one webhook, and what was delivered last", "muster webhooks show ci")
      .argument("<name>", "its name")
      .action((name: string, _options: object, command: Command) => show(cliOf(command), name)),
    define(
      "test",
      "Send a webhook an event of the kind webhook.test, and wait for the answer",
      "muster webhooks test ci",
    )
      .argument("<name>", "its name")
      .action((name: string, _options: object, command: Command) => tryOut(cliOf(command), name)),
    define("deliveries", "Show what was sent to a webhook in the last 30 days", "muster webhooks deliveries ci")
      .argument("<name>", "its name")
      .addOption(new Option("--outcome <outcome>", "only those").choices(["pending", ...Outcome.options]))
      .option("-a, --all", `all of them, in place of the latest ${LATEST}`)
      .action((name: string, options: Asked, command: Command) => deliveries(cliOf(command), name, options)),
    define("replay", "Deliver anew, with the same id and the same content", "muster webhooks replay ci --dead")
      .argument("<name>", "its name")
      .argument("[id...]", "ids of deliveries, as their list shows them")
      .option("--dead", "all whose tries have all failed")
      .action((name: string, ids: string[], options: { readonly dead?: boolean }, command: Command) =>
        replay(cliOf(command), name, ids, options.dead ?? false),
      ),
    define("rotate", "Give a webhook a new secret; the one before signs as well for a day", "muster webhooks rotate ci")
      .argument("<name>", "its name")
      .option("--now", "the one before signs no more: somebody else may have it")
      .action((name: string, options: { readonly now?: boolean }, command: Command) =>
        rotate(cliOf(command), name, options.now ?? false),
      ),
    acting("enable", "Let webhooks that were disabled go on from now", "Enabled", (client, params) =>
      client.webhooks.enable({ params }),
    ),
    acting("disable", "Tell webhooks nothing until they are enabled", "Disabled", (client, params) =>
      client.webhooks.disable({ params }),
    ),
    define("remove", "Remove webhooks", "muster webhooks remove ci")
      .argument("<name...>", "names, as the list shows them")
      .option("-y, --yes", "ask nothing")
      .action((names: string[], options: { readonly yes?: boolean }, command: Command) =>
        remove(cliOf(command), names, options.yes ?? false),
      ),
  ]);

const EXAMPLE = "https://hooks.example.com/muster";

const saying = (command: Command): Command =>
  command
    .option("--url <url>", "where events are sent to, by https")
    .option("--events <kind...>", "kinds of events, such as job.failed, 'job.*' or '*'; by default the ends of jobs")
    .addOption(new Option("--format <format>", "slack: one line of text").choices(["standard", "slack"]))
    .option("--cluster <name...>", "only of these clusters, by name or id")
    .option("--label <key=value>", "only of jobs with this label; may be given more than once", label);

const changeOf = ({ url, events, format, cluster, label: labels }: Said): Partial<Change> => ({
  ...(url !== undefined && { url }),
  ...(events !== undefined && { events }),
  ...(format !== undefined && { format }),
  ...(cluster !== undefined && { clusters: cluster }),
  ...(labels !== undefined && { labels: { ...labels } }),
});

async function create({ out, connect }: Cli, name: string, said: Said): Promise<void> {
  const client = await connect();
  const { url = "", ...rest } = changeOf(said);
  const made = await client.webhooks.create({ body: { name, webhook: { url, ...rest } } });
  out.data(made);
  out.note(`Made ${made.name}. Its secret, which is not shown again:`);
  out.print(made.secret);
  out.note(`Try it out with: muster webhooks test ${made.name}`);
}

async function set({ out, connect }: Cli, name: string, said: Said): Promise<void> {
  const client = await connect();
  const params = { webhook: name };
  const { url, format, events, clusters, labels } = await client.webhooks.get({ params });
  const before = { url, format, events, ...(clusters && { clusters }), ...(labels && { labels }) };
  const info = await client.webhooks.set({ params, body: { ...before, ...changeOf(said) } });
  out.data(info);
  out.print(`Set ${info.name}.`);
}

async function list({ out, connect }: Cli): Promise<void> {
  const client = await connect();
  const items = await all(cursor => client.webhooks.list({ query: cursor === undefined ? {} : { cursor } }));
  out.data(items);
  if (items.length > 0) return out.print(Shown.list(items, Date.now()));
  out.print(`No webhooks. Make one with: muster webhooks create NAME --url ${EXAMPLE}`);
}

async function show({ out, connect }: Cli, name: string): Promise<void> {
  const client = await connect();
  const params = { webhook: name };
  const info = await client.webhooks.get({ params });
  const { items } = await client.webhooks.deliveries({ params, query: { limit: 5 } });
  out.data({ ...info, deliveries: items });
  Shown.details(out, info, Date.now());
  if (items.length === 0) return;
  out.print("");
  out.print(Shown.deliveries(items, Date.now()));
}

interface Asked {
  readonly outcome?: "pending" | Shown.Outcome;
  readonly all?: boolean;
}

async function deliveries({ out, connect }: Cli, name: string, { outcome, all: isAll }: Asked): Promise<void> {
  const client = await connect();
  const params = { webhook: name };
  const only = outcome === undefined ? {} : { outcome };
  const items = isAll
    ? await all(cursor => client.webhooks.deliveries({ params, query: { ...only, ...(cursor && { cursor }) } }))
    : (await client.webhooks.deliveries({ params, query: { ...only, limit: LATEST } })).items;
  out.data(items);
  out.print(items.length === 0 ? "Nothing was sent to it." : Shown.deliveries(items, Date.now()));
}

async function rotate({ out, connect }: Cli, name: string, now: boolean): Promise<void> {
  const client = await connect();
  const made = await client.webhooks.rotate({ params: { webhook: name }, query: now ? { now: "true" } : {} });
  out.data(made);
  out.note(`The new secret of ${made.name}, which is not shown again:`);
  out.print(made.secret);
  out.note(now ? "The one before signs no more." : "The one before signs as well for 24 hours.");
}

/** A command that does one thing to several of them. */
const acting = (
  name: string,
  summary: string,
  done: string,
  act: (client: Client, params: { webhook: string }) => Promise<Shown.Info>,
): Command =>
  define(name, summary, `muster webhooks ${name} ci`)
    .argument("<name...>", "names, as the list shows them")
    .action(async (names: string[], _options: object, command: Command) => {
      const { out, connect } = cliOf(command);
      const client = await connect();
      const infos: Shown.Info[] = [];
      for (const webhook of names) {
        infos.push(await act(client, { webhook }));
        out.print(`${done} ${webhook}.`);
      }
      out.data(infos);
    });

async function remove({ out, connect }: Cli, names: readonly string[], yes: boolean): Promise<void> {
  const client = await connect();
  // Before anybody is asked.
  for (const webhook of names) await client.webhooks.get({ params: { webhook } });
  const matter = `this removes ${names.join(", ")}: nobody is told anything by ${names.length === 1 ? "it" : "them"} any more`;
  await confirm({ ...out, yes }, `Remove ${names.join(", ")}?`, matter);
  const removed: Shown.Info[] = [];
  for (const webhook of names) {
    removed.push(await client.webhooks.remove({ params: { webhook } }));
    out.print(`Removed ${webhook}.`);
  }
  out.data(removed);
}
