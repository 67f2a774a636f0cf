/** Setting a pool from a task file that has a setup and no run. */
import type { InputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import { MusterError } from "@muster/core/error.ts";
import { MOST } from "@muster/core/pool/bounds.ts";
import type * as Pool from "@muster/core/pool/pool.ts";
import { Name } from "@muster/core/task/task.ts";
import type { Draft } from "@muster/task/read.ts";
import { InvalidArgumentError, Option } from "commander";
import { type Cli, cliOf } from "../cli.ts";
import { tellKept } from "../inputs/kept.ts";
import * as Inputs from "../inputs.ts";
import { interrupt } from "../interrupt.ts";
import { count, type TaskCommand } from "../task-command.ts";
import { accept, readTask } from "../task-file.ts";
import * as Options from "../task-options.ts";
import * as Secrets from "../task-secrets.ts";

type Body = InputOf<Routes["pools.set"]>["body"];

/** A size that holds from a time on, without its time zone. */
interface At {
  readonly cron: string;
  readonly size: number;
}

interface SetOptions
  extends Options.TaskOptions,
    Options.ClusterOptions,
    Pick<Options.JobOptions, "secret" | "timeout"> {
  readonly size?: number;
  readonly keep?: Pool.Keep;
  readonly at?: readonly At[];
  readonly timeZone: string;
  readonly yes?: boolean;
}

export function setting(): TaskCommand {
  const command = Options.taskCommand(
    "set",
    "Set a pool, or set it anew; from then on its clusters are made in your name",
    "muster pool set gpu examples/pool.yaml --size 2 --at '0 8 * * 1-5=5'",
    "--resources.cloud local   --num_nodes 2",
  )
    .argument("<name>", "its name")
    .argument("[file]", "task file, for what it says of machines, and for its setup")
    .option("--size <number>", "how many clusters it keeps (default: workers of the file's pool)", size)
    .addOption(
      new Option("--keep <how>", "in which state they wait (default: stopped, which costs their disks alone)").choices([
        "running",
        "stopped",
      ]),
    )
    .option("--at <times=size>", "another size from a time on: a line of cron, and the size; again for each", at)
    .option("--time-zone <zone>", "time zone of --at, such as Europe/Paris", "UTC")
    .option("--target <name>", "named place to make them: its provider stands over the file's", Options.named)
    .option("--share", "let others of the workspace take from it");
  Options.addHostOptions(command as TaskCommand);
  return command
    .option("--secret <name>", "give the setup a secret of the workspace, by its name", storedSecret)
    .option("--timeout <time>", "time the setup may take: seconds, or 90m, 12h (default: 1h)", Options.seconds)
    .option("-y, --yes", "ask nothing")
    .action((name: string, file: string | undefined, options: SetOptions) =>
      set(cliOf(command), name, file, options, (command as TaskCommand).overrides),
    ) as TaskCommand;
}

export const size = count(0, MOST);

/** `0 8 * * 1-5=5`. */
export function at(given: string, earlier: readonly At[] = []): At[] {
  const [, cron, number] = /^(.+)=\s*(\d+)\s*$/.exec(given) ?? [];
  if (cron === undefined || number === undefined)
    throw new InvalidArgumentError("Write a line of cron, an equals sign and a size, such as '0 8 * * 1-5=5'.");
  return [...earlier, { cron: cron.trim(), size: size(number) }];
}

/** Nobody is there to give a value when a cluster is made. */
function storedSecret(given: string, earlier: Readonly<Record<string, undefined>> = {}): Record<string, undefined> {
  if (given.includes("=")) throw new InvalidArgumentError("A pool keeps no secrets: store it with muster secrets set.");
  return { ...earlier, [given]: undefined };
}

async function set(
  cli: Cli,
  name: string,
  file: string | undefined,
  options: SetOptions,
  overrides: readonly string[],
): Promise<void> {
  const { out } = cli;
  requireName(name);
  const result = await readTask(cli.cwd, { file, overrides, bare: true, ...options });
  const accepted = accept(out, file, result, true);
  const draft = await Secrets.complete(cli, accepted.draft, options, file);
  requirePrepares(draft, file);
  const wanted = sizeOf(draft, options);
  const inputs = Inputs.find(cli.cwd, draft, file);
  using stop = interrupt();
  const client = await cli.connect();
  const ask = { yes: options.yes ?? false, interactive: out.interactive, signal: stop.signal };
  const sent = await Inputs.send({ out, client, ask, signal: stop.signal }, inputs);
  stop.signal.throwIfAborted();
  const body: Body = {
    size: wanted,
    sizes: sizesOf(options),
    ...keepOf(options),
    launch: launchOf(draft, options, sent),
  };
  const info = await client.pools.set({ params: { name }, body });
  out.data(info);
  out.print(`Set ${info.name}: it keeps ${info.size}, ${info.keep}.`);
  tellKept(out, inputs);
  out.note(
    out.style("dim", `  muster pool show ${info.name} shows them; muster launch FILE --pool ${info.name} takes one`),
  );
}

const timeoutOf = ({ timeout }: SetOptions): Options.JobOptions => (timeout === undefined ? {} : { timeout });

const keepOf = ({ keep }: SetOptions): { keep?: Pool.Keep } => (keep === undefined ? {} : { keep });

const sizesOf = ({ at: all = [], timeZone }: SetOptions): Pool.Turn[] => all.map(one => ({ ...one, timeZone }));

function launchOf(draft: Draft, options: SetOptions, sent: object): Body["launch"] {
  const { resources, ...groups } = Options.hostsOf(draft, options);
  const { target } = options;
  return {
    task: { ...Options.taskOf(draft.task, timeoutOf(options)), resources, ...sent },
    ...groups,
    ...(target !== undefined && { target }),
    ...Options.living(options, draft),
    shared: options.share ?? false,
  };
}

/** What the command says stands over what the file says. */
function sizeOf({ pool }: Draft, options: SetOptions): number {
  const found = options.size ?? pool?.workers;
  if (found !== undefined) return found;
  throw new MusterError("invalid_request", "nothing says how many clusters the pool keeps", {
    hint: "say it: --size 2; or in the file: pool: { workers: 2 }",
  });
}

/** Before anything is sent. */
function requirePrepares({ task }: Draft, file = "the task"): void {
  if (task.run !== undefined)
    throw new MusterError("invalid_request", `${file} has a run, and a pool runs nothing`, {
      issues: [{ path: "run", message: "is for the tasks that are launched from it: muster launch FILE --pool NAME" }],
      hint: "keep what prepares the machines, as setup",
    });
  const [first] = Object.keys(task.secrets);
  if (first === undefined) return;
  throw new MusterError("invalid_request", `a pool keeps no secrets, and the task has ${first}`, {
    hint: `store it in the workspace: muster secrets set ${first}; then give it by its name: --secret ${first}`,
  });
}

function requireName(name: string): void {
  const read = Name.safeParse(name);
  if (!read.success)
    throw new MusterError("invalid_request", `'${name}' cannot be a pool's name: ${read.error.issues[0]?.message}`);
}
