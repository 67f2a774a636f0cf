import { userInfo } from "node:os";
import { client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import { Name } from "@muster/core/task/task.ts";
import { VERSION } from "@muster/core/version.ts";
import type { Command } from "commander";
import { explained } from "../aws/explained.ts";
import { type Cli, cliOf, define } from "../cli.ts";
import { regionOf } from "../context/endpoint.ts";
import * as SignIn from "../sign-in.ts";

interface Options {
  readonly actor?: string;
  readonly name?: string;
  readonly region?: string;
}

export const bootstrap = (): Command =>
  define(
    "bootstrap",
    "Make the first admin's token with AWS credentials, and log in with it",
    "muster bootstrap https://abc123.execute-api.eu-central-1.amazonaws.com",
  )
    .argument("[endpoint]", "base URL that the deployment printed; asked for when absent")
    .option("--actor <name>", "whom the token speaks for; absent: your name on this machine")
    .option("--region <region>", "AWS region of the deployment, where the endpoint does not say it")
    .option("-n, --name <name>", "what to call it; absent: its host's name")
    .action((endpoint: string | undefined, options: Options, command: Command) =>
      begin(cliOf(command), endpoint, options),
    );

async function begin(cli: Cli, argument: string | undefined, options: Options): Promise<void> {
  SignIn.requireName(options.name);
  const actor = actorOf(options.actor);
  const endpoint = await SignIn.endpoint(cli, argument);
  const region = options.region ?? regionOf(endpoint);
  // What signs is large, and no other command pays for it.
  const [{ credentials }, { signedFetch }] = await Promise.all([
    import("../aws/credentials.ts"),
    import("../aws/signed.ts"),
  ]);
  const api = client({ endpoint, version: VERSION, fetch: signedFetch(region, await credentials()) });
  const { token } = await api.tokens.bootstrap({ body: { actor } }).catch((error: unknown) => {
    throw explained(error, endpoint);
  });
  SignIn.welcome(cli, await SignIn.enter(cli, { endpoint, token, name: options.name }));
}

function actorOf(given: string | undefined): string {
  const name = given ?? userInfo().username.replaceAll(/[^a-z0-9._-]/gi, "-");
  if (Name.safeParse(name).success) return name;
  throw new MusterError("invalid_request", `'${name}' is no name for a person or a program`, {
    hint: "give one: --actor ada",
  });
}
