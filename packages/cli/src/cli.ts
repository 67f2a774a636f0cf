/** What every command stands on: its output, its surroundings, its control plane. */
import type { Client } from "@muster/api/client.ts";
import { Command, Option } from "commander";
import { connect } from "./connect.ts";
import { type Choice, choose, type Target } from "./context/target.ts";
import { type Output, output } from "./output.ts";

export interface Cli {
  readonly out: Output;
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** What the command line says of the control plane. */
  readonly choice: Choice;
  /** Which control plane that makes. @throws MusterError `invalid_request` */
  target(): Target;
  /** The control plane, found or started. */
  connect(): Promise<Client>;
}

/** Options that every command takes. */
interface Everywhere extends Choice {
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly progress?: boolean;
}

/** The surroundings of a command that commander is about to run. */
export function cliOf(command: Command): Cli {
  const choice = command.optsWithGlobals<Everywhere>();
  const out = output(choice);
  const { env } = process;
  const target = (): Target => choose(env, choice);
  return { out, env, cwd: process.cwd(), choice, target, connect: async () => connect(out, env, target()) };
}

/** A command with one example of its use. */
export const define = (name: string, summary: string, example: string): Command =>
  new Command(name).description(summary).addHelpText("after", `\nExample:\n  ${example}`);

/** A command that only holds others. */
export function group(name: string, summary: string, commands: readonly Command[]): Command {
  const command = new Command(name).description(summary);
  for (const child of commands) command.addCommand(everywhere(child));
  return command;
}

/** Adds the options that every command takes, after its own. */
export function everywhere(command: Command): Command {
  const options = [
    new Option("--json", "answer as JSON on stdout; errors as JSON on stderr"),
    new Option("--endpoint <url>", "control plane to talk to (MUSTER_ENDPOINT)"),
    new Option("--context <name>", "one that you are logged in to; local: this machine's own"),
    new Option("--insecure", "let the token go over plain http"),
    new Option("-q, --quiet", "say only what was asked for"),
  ];
  for (const option of options) command.addOption(option.helpGroup("Everywhere:"));
  // Last, and so not ahead of the command's own in a heading of its own.
  return command.addHelpOption(new Option("-h, --help", "show this help").helpGroup("Everywhere:"));
}
