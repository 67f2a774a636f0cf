/** What every command stands on: its output, its surroundings, its control plane. */
import type { Client } from "@muster/api/client.ts";
import { Command, Option } from "commander";
import { connect } from "./connect.ts";
import { type Output, output } from "./output.ts";

export interface Cli {
  readonly out: Output;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** The control plane, found or started. */
  connect(): Promise<Client>;
}

/** Options that every command takes. */
interface Everywhere {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly endpoint?: string;
  readonly progress?: boolean;
}

/** The surroundings of a command that commander is about to run. */
export function cliOf(command: Command): Cli {
  const choice = command.optsWithGlobals<Everywhere>();
  const out = output(choice);
  return {
    out,
    env: process.env,
    cwd: process.cwd(),
    connect: () => connect(out, process.env, choice.endpoint),
  };
}

/** A command with one example of its use. */
export const define = (name: string, summary: string, example: string): Command =>
  new Command(name).description(summary).addHelpText("after", `\nExample:\n  ${example}`);

/** Adds the options that every command takes, after its own. */
export function everywhere(command: Command): Command {
  const options = [
    new Option("--json", "answer as JSON on stdout; errors as JSON on stderr"),
    new Option("--endpoint <url>", "control plane to talk to (MUSTER_ENDPOINT); absent: this machine's own"),
    new Option("-q, --quiet", "say only what was asked for"),
  ];
  for (const option of options) command.addOption(option.helpGroup("Everywhere:"));
  // Last, and so not ahead of the command's own in a heading of its own.
  return command.addHelpOption(new Option("-h, --help", "show this help").helpGroup("Everywhere:"));
}
