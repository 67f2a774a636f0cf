import { randomUUID } from "node:crypto";
import { MusterError } from "@muster/core/error.ts";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as Find from "../find.ts";
import { interrupt } from "../interrupt.ts";
import { addLabelOption, type LabelOptions } from "../label-option.ts";
import { openCopy } from "../log-copy.ts";
import { count } from "../task-command.ts";
import * as Options from "../task-options.ts";
import { type Given, secretOption } from "../task-secrets.ts";
import { stay } from "../wind-up.ts";

interface RerunOptions extends LabelOptions {
  readonly cluster?: string;
  readonly priority?: number;
  readonly secret?: Given;
  readonly outputFilepath?: string;
  readonly detach?: boolean;
}

export const rerun = (): Command =>
  addLabelOption(define("rerun", "Run a job once more, with its log", "muster rerun job_01JABCDEFGHJKMNPQRSTVWXYZ0"))
    .argument("<job>", "id of a job, or a cluster: its latest")
    .option("-c, --cluster <name>", "cluster to use or create (default: the job's own, or one like it)", Options.named)
    .option("--priority <number>", "0 to 1000; higher runs first (default: as before)", count(0, Options.MAX_PRIORITY))
    .option(
      "--secret <name[=value]>",
      "give the job a secret again; NAME alone: your own variable",
      secretOption(process.env),
    )
    .option("--output-filepath <file>", "write the log to this file, too")
    .option("-d, --detach", "come back at once")
    .option("--no-progress", "no live line, no bars")
    .action((subject: string, options: RerunOptions, command: Command) => again(cliOf(command), subject, options));

async function again(cli: Cli, subject: string, options: RerunOptions): Promise<void> {
  const copy = await openCopy(cli.cwd, options.outputFilepath);
  using stop = interrupt();
  const client = await cli.connect();
  const before = await Find.latestJob(client, subject);
  const { cluster, priority, secret, label: labels } = options;
  const body = {
    ...(cluster !== undefined && { cluster }),
    ...(priority !== undefined && { priority }),
    ...(secret !== undefined && { secrets: valuesOf(secret) }),
    ...(labels && { labels }),
  };
  const launched = await client.jobs.rerun({ params: { job: before.id }, body }, { idempotencyKey: randomUUID() });
  process.exitCode = await stay(cli, { client, launched, stop, detach: options.detach ?? false, copy });
}

/** @throws MusterError `invalid_request` for one that has no value: a job that has run knows no other place for it. */
function valuesOf(given: Given): Record<string, string> {
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => {
      if (value !== undefined) return [name, value];
      throw new MusterError("invalid_request", `${name} is not set here`, {
        hint: `write --secret ${name}=…; or store it, and name it in the task file: muster secrets set ${name}`,
      });
    }),
  );
}
