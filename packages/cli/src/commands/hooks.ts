import type { Client } from "@muster/api/client.ts";
import { isCode, MusterError } from "@muster/core/error.ts";
import type * as Hook from "@muster/core/hook/hook.ts";
import { type Command, Option } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { approve } from "../hooks/approve.ts";
import { type Named, readHooks } from "../hooks/file.ts";
import * as Shown from "../hooks/shown.ts";
import { all } from "../pages.ts";

const STATES = ["pending", "launched", "held", "failed", "skipped"] as const;
type State = (typeof STATES)[number];

export const hooks = (): Command =>
  group("hooks", "Launch when GitHub, GitLab or another sender says that something has happened", [
    define(
      "set",
      "Set hooks from a file, new or anew; they launch in your name",
      "muster hooks set examples/hooks.yaml",
    )
      .alias("create")
      .argument("<file>", "YAML or JSON with a hook in each document; - for standard input")
      .action((file: string, _options: object, command: Command) => set(cliOf(command), file)),
    define("list", "Show the workspace's hooks", "muster hooks list").action((_options: object, command: Command) =>
      list(cliOf(command)),
    ),
    define("show", "Show one hook: its address and its rules", "muster hooks show train")
      .argument("<name>", "its name or id")
      .action((name: string, _options: object, command: Command) => show(cliOf(command), name)),
    define("rotate", "Give a hook a new secret; the one before is good for another day", "muster hooks rotate train")
      .argument("<name>", "its name or id")
      .option("--now", "the one before is good no more")
      .action((name: string, options: { readonly now?: true }, command: Command) =>
        rotate(cliOf(command), name, options.now ?? false),
      ),
    define("remove", "Remove hooks; what they launched goes on", "muster hooks remove train")
      .alias("rm")
      .argument("<name...>", "names, as the list shows them")
      .option("-y, --yes", "ask nothing")
      .action((names: string[], options: { readonly yes?: boolean }, command: Command) =>
        remove(cliOf(command), names, options.yes ?? false),
      ),
    define("deliveries", "Show what a hook was sent, and what became of it", "muster hooks deliveries train")
      .argument("<name>", "its name or id")
      .argument("[delivery]", "one of them, with what each rule made of it")
      .addOption(new Option("--state <state>", "only those in this state").choices(STATES))
      .option("-a, --all", "all of the last 30 days, not the latest 100")
      .action((name: string, id: string | undefined, options: Listing, command: Command) =>
        id === undefined ? deliveries(cliOf(command), name, options) : delivery(cliOf(command), name, id),
      ),
    replay(),
    approve(),
  ]);

interface Listing {
  readonly state?: State;
  readonly all?: boolean;
}

const replay = (): Command =>
  define(
    "replay",
    "Look at a delivery once more: what the rules say is launched anew",
    "muster hooks replay train hdl_01J…",
  )
    .argument("<name>", "name or id of the hook")
    .argument("<delivery>", "id of the delivery, as deliveries shows it")
    .action(async (hook: string, id: string, _options: object, command: Command) => {
      const { out, connect } = cliOf(command);
      const client = await connect();
      const info = await client.hooks.replay({ params: { hook, delivery: id } });
      out.data(info);
      out.print(`Replaying ${info.id}.`);
      out.note(out.style("dim", `  muster hooks deliveries ${hook} ${id} shows what becomes of it`));
    });

async function set(cli: Cli, file: string): Promise<void> {
  const { out } = cli;
  const named = await readHooks(cli.cwd, file);
  const client = await cli.connect();
  const infos: unknown[] = [];
  for (const one of named) {
    if (await isThere(client, one.name)) {
      const info = await client.hooks.set({ params: { hook: one.name }, body: one.change });
      out.print(`Set ${info.name}.`);
      infos.push(info);
      continue;
    }
    infos.push(await create(cli, client, one));
  }
  out.data(infos.length === 1 ? infos[0] : infos);
}

async function isThere(client: Client, hook: string): Promise<boolean> {
  try {
    await client.hooks.get({ params: { hook } });
    return true;
  } catch (error) {
    if (error instanceof MusterError && isCode(error.code) && error.code === "not_found") return false;
    throw error;
  }
}

async function create(cli: Cli, client: Client, { name, change }: Named): Promise<Hook.Created> {
  const made = await client.hooks.create({ body: { name, hook: change } });
  cli.out.print(`Made ${made.name}.`);
  tellSecret(cli, made);
  return made;
}

/** What is pasted where, by who sends. */
function tellSecret({ out, target }: Cli, { forge, path, secret, header }: Hook.Created): void {
  const at = target();
  out.print(`URL     ${at.kind === "remote" ? at.endpoint.replace(/\/+$/, "") : ""}${path}`);
  if (forge === "github") out.print(`Secret  ${secret.text}`);
  if (forge === "gitlab") out.print(`Secret token   ${secret.text}\nSigning token  ${secret.standard}  (or this one)`);
  if (forge === "standard") out.print(`Secret  ${secret.standard}`);
  if (forge === "plain")
    out.print(`Secret  ${secret.text}\nHeader  ${header ?? "x-signature-256"}: HMAC-SHA-256 of the body, as hex`);
  out.note(out.style("dim", "  the secret is shown this once; docs/hooks.md says where both go"));
}

async function list({ out, connect }: Cli): Promise<void> {
  const client = await connect();
  const items = await all(cursor => client.hooks.list({ query: cursor === undefined ? {} : { cursor } }));
  out.data(items);
  if (items.length > 0) return out.print(Shown.list(items, Date.now()));
  out.print("No hooks. Make one with: muster hooks set FILE");
}

async function show({ out, connect, target }: Cli, name: string): Promise<void> {
  const hook = await (await connect()).hooks.get({ params: { hook: name } });
  out.data(hook);
  const at = target();
  Shown.details(out, hook, at.kind === "remote" ? at.endpoint.replace(/\/+$/, "") : undefined);
}

async function rotate(cli: Cli, name: string, now: boolean): Promise<void> {
  const made = await (await cli.connect()).hooks.rotate({ params: { hook: name }, body: now ? { now } : {} });
  cli.out.data(made);
  cli.out.print(`${made.name} has a new secret${now ? "" : "; the one before is good for another day"}.`);
  tellSecret(cli, made);
}

async function remove({ out, connect }: Cli, names: readonly string[], yes: boolean): Promise<void> {
  const client = await connect();
  // Before anybody is asked.
  for (const hook of names) await client.hooks.get({ params: { hook } });
  const matter = `this removes ${names.join(", ")}: what is sent there is refused`;
  await confirm({ ...out, yes }, `Remove ${names.join(", ")}?`, matter);
  const removed: Hook.Info[] = [];
  for (const hook of names) {
    removed.push(await client.hooks.remove({ params: { hook } }));
    out.print(`Removed ${hook}.`);
  }
  out.data(removed);
}

async function deliveries({ out, connect }: Cli, hook: string, { state, all: isAll }: Listing): Promise<void> {
  const client = await connect();
  const query = state === undefined ? {} : { state };
  const read = (cursor?: string) =>
    client.hooks.deliveries({ params: { hook }, query: { ...query, ...(cursor !== undefined && { cursor }) } });
  const items = isAll ? await all(read) : (await read()).items;
  out.data(items);
  if (items.length > 0) return out.print(Shown.deliveries(items, Date.now()));
  out.print(`Nothing${state === undefined ? "" : ` ${state}`}: hook ${hook} was sent nothing yet, or not that.`);
}

async function delivery({ out, connect }: Cli, hook: string, id: string): Promise<void> {
  const one = await (await connect()).hooks.delivery({ params: { hook, delivery: id } });
  out.data(one);
  Shown.delivery(out, one, Date.now());
}
