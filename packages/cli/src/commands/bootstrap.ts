import { userInfo } from "node:os";
import { client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import { Name } from "@muster/core/task/task.ts";
import { VERSION } from "@muster/core/version.ts";
import type { Command } from "commander";
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
    throw error instanceof MusterError ? explained(error, endpoint) : error;
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

/** What API Gateway says of signatures, with what to do about it. */
function explained(error: MusterError, endpoint: string): MusterError {
  const hint = HINTS.find(([pattern]) => pattern.test(error.message))?.[1];
  if (hint === undefined || error.code !== "forbidden") return error;
  const message = `${endpoint} does not take these AWS credentials: ${error.message}`;
  return new MusterError(error.code, message, { ...error.details, hint }, error);
}

const HINTS = [
  [
    /Signature (expired|not yet)|token included in the request is expired/i,
    "the credentials have expired, or this machine's clock is wrong: muster doctor tells",
  ],
  [/scoped to a valid region/i, "give the region of the deployment: --region eu-central-1"],
  [
    /not authorized|explicit deny|^Forbidden$/i,
    "they need the permission execute-api:Invoke on this API, in its account",
  ],
  [/signature|security token|Missing Authentication/i, "check which they are: aws sts get-caller-identity"],
] as const;
