import { type Command, InvalidArgumentError } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { type How, hasPeople, isSigningIn, signIn } from "../login/sign-in.ts";
import * as SignIn from "../sign-in.ts";

interface Options extends How {
  readonly name?: string;
  readonly tokenFile?: string;
}

export const login = (): Command =>
  define("login", "Log in to a control plane: sign in, or give a token", "muster login https://muster.example.com")
    .argument("[endpoint]", "its base URL; asked for when absent")
    .option("-n, --name <name>", "what to call it; absent: its host's name")
    .option("--browser", "sign in with a browser on this machine, as is done where there is one")
    .option("--device", "sign in on another device, by a code")
    .option("--aws", "sign in with this machine's AWS credentials")
    .option("--github", "sign in as the job of GitHub Actions that this is")
    .option("--id-token-file <file>", "sign in with an issuer's ID token, such as GitLab's; - for standard input")
    .option("--issuer <name>", "which issuer, where the control plane has several")
    .option("--workspace <name>", "which workspace, where you may come into several")
    .option("--region <region>", "AWS region of the deployment, for --aws, where the endpoint does not say it")
    .option("--audience <text>", "whom GitHub's token is for; absent: as the control plane says")
    .option("--port <number>", "port of this machine that the browser comes back to; absent: any", port)
    .option("--token-file <file>", "file that holds a token, - for standard input; else MUSTER_TOKEN")
    .action((endpoint: string | undefined, options: Options, command: Command) =>
      enter(cliOf(command), endpoint, options),
    );

async function enter(cli: Cli, argument: string | undefined, options: Options): Promise<void> {
  const { name, tokenFile } = options;
  SignIn.requireName(name);
  const endpoint = await SignIn.endpoint(cli, argument);
  const access = (await isToSignIn(cli, endpoint, options))
    ? await signIn(cli, endpoint, options)
    : { token: await SignIn.token(cli, tokenFile) };
  SignIn.welcome(cli, await SignIn.enter(cli, { endpoint, name, ...access }));
}

/** Whoever says nothing and sits here signs in where people can; what is piped in is a token. */
async function isToSignIn({ out, env }: Cli, endpoint: string, options: Options): Promise<boolean> {
  if (isSigningIn(options)) return true;
  if (options.tokenFile !== undefined || env.MUSTER_TOKEN || !out.interactive) return false;
  return hasPeople(endpoint, options);
}

const LAST_PORT = 65_535;

function port(given: string): number {
  const value = Number(given);
  if (/^\d+$/.test(given) && value > 0 && value <= LAST_PORT) return value;
  throw new InvalidArgumentError("Write the number of a port.");
}
