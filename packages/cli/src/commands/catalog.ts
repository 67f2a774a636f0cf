import type { CatalogEntry } from "@muster/core/provider/look.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { price } from "../format.ts";
import { table } from "../table.ts";

interface Options {
  readonly all?: boolean;
  readonly provider?: string;
}

export const catalog = (): Command =>
  define("catalog", "Show machine types and their prices, cheapest first", "muster catalog A100")
    .argument("[accelerator]", "only machines with this accelerator, such as H100; a part of its name will do")
    .option("-a, --all", "also machines without accelerators")
    .option("--provider <name>", "only this provider's")
    .action((accelerator: string | undefined, options: Options, command: Command) =>
      show(cliOf(command), accelerator, options),
    );

async function show({ out, connect }: Cli, accelerator: string | undefined, { all, provider }: Options): Promise<void> {
  const query = {
    ...(accelerator !== undefined && { accelerator }),
    ...(provider !== undefined && { provider }),
    ...(all && { all: "true" }),
  };
  const { items } = await (await connect()).providers.catalog({ query });
  out.data(items);
  if (items.length === 0) return out.print(none(accelerator, all ?? false));
  const head = ["ACCELERATORS", "GIB EACH", "TYPE", "VCPUS", "GIB", "ON DEMAND", "SPOT", "WHERE", "ZONES"];
  out.print(table(head, items.map(row)));
}

const row = (one: CatalogEntry): string[] => [
  accelerators(one),
  one.acceleratorMemory === undefined ? "-" : String(one.acceleratorMemory),
  one.instanceType,
  String(one.cpus),
  String(one.memory),
  one.hourly === undefined ? "-" : price(one.hourly),
  one.spotHourly === undefined ? "-" : price(one.spotHourly),
  [one.provider, one.region].filter(part => part !== undefined).join(" "),
  one.zones.length === 0 ? "-" : String(one.zones.length),
];

const accelerators = (one: CatalogEntry): string =>
  Object.entries(one.accelerators)
    .map(([name, count]) => `${name}×${count}`)
    .join(", ") || "-";

function none(accelerator: string | undefined, all: boolean): string {
  if (accelerator !== undefined) return `No machine has a '${accelerator}'. Those that there are: muster catalog`;
  return all
    ? "No machine types are known. See why: muster doctor"
    : "No machine has an accelerator. Others: muster catalog --all";
}
