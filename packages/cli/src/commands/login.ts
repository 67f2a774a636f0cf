import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import * as SignIn from "../sign-in.ts";

interface Options {
  readonly name?: string;
  readonly tokenFile?: string;
}

export const login = (): Command =>
  define("login", "Log in to a control plane: keep its endpoint and a token", "muster login https://muster.example.com")
    .argument("[endpoint]", "its base URL; asked for when absent")
    .option("-n, --name <name>", "what to call it; absent: its host's name")
    .option("--token-file <file>", "file that holds the token, - for standard input; else MUSTER_TOKEN, else asked for")
    .action((endpoint: string | undefined, options: Options, command: Command) =>
      enter(cliOf(command), endpoint, options),
    );

async function enter(cli: Cli, argument: string | undefined, { name, tokenFile }: Options): Promise<void> {
  SignIn.requireName(name);
  const endpoint = await SignIn.endpoint(cli, argument);
  const token = await SignIn.token(cli, tokenFile);
  SignIn.welcome(cli, await SignIn.enter(cli, { endpoint, token, name }));
}
