import { Argument, type Command } from "commander";
import { define } from "../cli.ts";
import { type Shell, script, shells } from "../completion.ts";

export const completion = (program: () => Command): Command =>
  define("completion", "Print a script that completes commands and options", 'eval "$(muster completion bash)"')
    .addArgument(new Argument("<shell>").choices(shells))
    .action((shell: Shell) => {
      process.stdout.write(script(shell, program()));
    });
