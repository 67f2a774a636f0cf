/** The command line, from its arguments to its exit code. */
import { errors } from "@muster/core/error.ts";
import { type Command, CommanderError } from "commander";
import * as Exit from "./exit.ts";
import { tell } from "./fail.ts";
import { output } from "./output.ts";
import { program } from "./program.ts";
import { hintFor } from "./retype.ts";

/** Runs one command line. */
export async function main(argv: readonly string[]): Promise<void> {
  // Whoever reads us has had enough, as `muster logs JOB | head` does.
  process.stdout.on("error", (error: NodeJS.ErrnoException) =>
    process.exit(error.code === "EPIPE" ? Exit.BROKEN_PIPE : errors.internal.exit),
  );
  const json = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined).includes("--json");
  const root = prepared(program(), json);
  try {
    if (argv.length === 0) return root.outputHelp();
    await root.parseAsync([...argv], { from: "user" });
  } catch (error) {
    process.exitCode =
      error instanceof CommanderError ? misuse(error, json) : tell(output({ json }), hintFor(argv, error));
  }
}

/** Commander throws rather than exits, in every command of the tree; under --json it leaves the telling to us. */
function prepared(command: Command, json: boolean): Command {
  command.exitOverride();
  command.showHelpAfterError(json ? false : "  --help tells more");
  command.configureOutput({ outputError: (text, write) => json || write(text.replace(/^error:/, "muster:")) });
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
