import { randomUUID } from "node:crypto";
import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import type * as Image from "@muster/core/image/image.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { confirm } from "../confirm.ts";
import { age } from "../format.ts";
import { all } from "../pages.ts";
import { step } from "../progress.ts";
import { table } from "../table.ts";
import { named } from "../task-options.ts";
import { until } from "../watch.ts";

type Info = Image.Info;

interface SaveOptions {
  readonly name?: string;
  readonly detach?: boolean;
}

export const image = (): Command =>
  group("image", "Save what a cluster's disk holds, and start others from it", [
    define("save", "Save the disk of a stopped cluster's first host as an image", "muster image save demo --name base")
      .argument("<cluster>", "name or id of a stopped cluster")
      .option("-n, --name <name>", "the image's name (default: the cluster's)", named)
      .option("-d, --detach", "do not wait until it is ready")
      .action((cluster: string, options: SaveOptions, command: Command) => save(cliOf(command), cluster, options)),
    define("list", "Show the workspace's images", "muster image list").action((_options: object, command: Command) =>
      list(cliOf(command)),
    ),
    define("remove", "Remove images; machines made from them stay", "muster image remove base")
      .argument("<name...>", "names or ids, as the list shows them")
      .option("-y, --yes", "ask nothing")
      .action((names: string[], options: { readonly yes?: boolean }, command: Command) =>
        remove(cliOf(command), names, options.yes ?? false),
      ),
  ]);

async function save({ out, connect }: Cli, cluster: string, { name, detach }: SaveOptions): Promise<void> {
  const client = await connect();
  const body = { cluster, ...(name !== undefined && { name }) };
  const asked = await client.images.save({ body }, { idempotencyKey: randomUUID() });
  const { state, failure, ...info } = detach ? asked : await ready(out, client, asked);
  if (state === "saving" || state === "ready") {
    out.data({ ...info, state });
    const use = `muster launch FILE --image ${info.name}`;
    out.note(out.style("dim", `  ${state === "ready" ? "use it with" : "when it is ready"}: ${use}`));
    return out.print(info.name);
  }
  throw new MusterError("launch_failed", failure?.message ?? `image '${info.name}' is ${state}`, {
    ...(failure?.hint !== undefined && { hint: failure.hint }),
    image: { ...info, state, failure },
  });
}

/** Watched by its id: its name may be another's by then. */
async function ready(out: Cli["out"], client: Client, asked: Info): Promise<Info> {
  using progress = step(out, `image ${asked.name}`);
  const read = () => client.images.get({ params: { image: asked.id } });
  const doing = ({ state, takenAt }: Info): string => {
    if (state !== "saving") return state;
    return takenAt === undefined ? "saving" : `saving; ${asked.cluster} may be started again`;
  };
  const found = await until(
    async () => {
      const info = await read();
      progress.show(doing(info));
      return info;
    },
    ({ state }) => state !== "saving",
    () => undefined,
  );
  if (found.state === "ready") progress.done("saved");
  else progress.fail(found.state);
  return found;
}

async function list({ out, connect }: Cli): Promise<void> {
  const client = await connect();
  const items = await all(cursor => client.images.list({ query: cursor === undefined ? {} : { cursor } }));
  out.data(items);
  if (items.length === 0) return out.print("No images. Save one with: muster stop NAME; muster image save NAME");
  const now = Date.now();
  const head = ["IMAGE", "STATE", "CLUSTER", "WHERE", "GIB", "OWNER", "AGE"];
  out.print(
    table(
      head,
      items.map(one => row(one, now)),
    ),
  );
  for (const { name, failure } of items) if (failure) out.note(`${name}: ${failure.message}`);
}

const row = (one: Info, now: number): string[] => [
  one.name,
  one.state,
  one.cluster,
  [one.provider, one.region, one.architecture].filter(part => part !== undefined).join(" "),
  one.size === undefined ? "-" : String(one.size),
  one.owner,
  age(now - one.createdAt),
];

async function remove({ out, connect }: Cli, names: readonly string[], yes: boolean): Promise<void> {
  const client = await connect();
  // Before anybody is asked.
  const doomed = await Promise.all(names.map(name => client.images.get({ params: { image: name } })));
  const matter = `this removes ${names.join(", ")}: nothing can be launched from ${names.length === 1 ? "it" : "them"} any more`;
  await confirm({ ...out, yes }, `Remove ${names.join(", ")}?`, matter);
  const removed: Info[] = [];
  for (const { id, name } of doomed) {
    removed.push(await client.images.remove({ params: { image: id } }));
    out.print(`Removed ${name}.`);
  }
  out.data(removed);
}
