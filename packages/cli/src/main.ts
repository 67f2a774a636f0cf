/** The command line, from its arguments to its exit code. */
import { errors } from "@muster/core/error.ts";
import { type Command, CommanderError } from "commander";
import * as Exit from "./exit.ts";
import { tell } from "./fail.ts";
import { masked, output } from "./output.ts";
import { program } from "./program.ts";
import { hintFor } from "./retype.ts";

const HELP_COLUMNS = 80;

/** Runs one command line. */
export async function main(argv: readonly string[]): Promise<void> {
  // Whoever reads us has had enough, as `muster logs JOB | head` does.
  process.stdout.on("error", (error: NodeJS.ErrnoException) =>
    process.exit(error.code === "EPIPE" ? Exit.BROKEN_PIPE : errors.internal.exit),
  );
  const json = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined).includes("--json");
  const root = prepared(program(), json);
  try {
    const alone = argv.reduce<Command | undefined>(childOf, root);
    if (alone !== undefined && alone.commands.length > 0) return alone.outputHelp();
    await root.parseAsync([...(misspelled(root, argv) ?? argv)], { from: "user" });
  } catch (error) {
    process.exitCode =
      error instanceof CommanderError ? misuse(error, json) : tell(output({ json }), hintFor(argv, error));
  }
}

/** The words up to a command that there is none of, without the --help behind it, which would be all that is heard. */
function misspelled(root: Command, argv: readonly string[]): readonly string[] | undefined {
  const words = argv[0] === "help" ? argv.slice(1) : argv;
  const at = words.findIndex((word, index) => {
    const parent = words.slice(0, index).reduce<Command | undefined>(childOf, root);
    return word.startsWith("-") || parent === undefined || childOf(parent, word) === undefined;
  });
  const word = words[at];
  if (word === undefined || word.startsWith("-") || word === "help") return undefined;
  const parent = words.slice(0, at).reduce<Command | undefined>(childOf, root);
  return parent !== undefined && parent.commands.length > 0 ? words.slice(0, at + 1) : undefined;
}

const childOf = (parent: Command | undefined, name: string): Command | undefined =>
  parent?.commands.find(child => child.name() === name);

/** Commander throws rather than exits, in every command of the tree; under --json it leaves the telling to us. */
function prepared(command: Command, json: boolean): Command {
  command.exitOverride();
  command.showHelpAfterError(json ? false : "  --help tells more");
  // Long options leave less than commander wants before it wraps.
  command.configureHelp({ minWidthToWrap: 20 });
  command.configureOutput({
    getOutHelpWidth: () => Math.min(process.stdout.columns || HELP_COLUMNS, HELP_COLUMNS),
    getErrHelpWidth: () => Math.min(process.stderr.columns || HELP_COLUMNS, HELP_COLUMNS),
    outputError: (text, write) => json || write(masked(text.replace(/^error:/, "muster:"))),
  });
  for (const child of command.commands) prepared(child, json);
  return command;
}

/** The exit code of a command line that commander did not take; help and version are no failure. */
function misuse({ exitCode, message }: CommanderError, json: boolean): number {
  if (exitCode === 0) return 0;
  const exit = errors.invalid_request.exit;
  if (json)
    output({ json }).warn(
      JSON.stringify({
        code: "invalid_request",
        message: message.replace(/^error: /, ""),
        details: {},
        exitCode: exit,
      }),
    );
  return exit;
}
