/** Which of the control plane's ways to sign in is meant. */
import { client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Option } from "@muster/core/login/login.ts";
import { nearest } from "@muster/core/near.ts";
import { VERSION } from "@muster/core/version.ts";
import { ask } from "../ask.ts";
import type { Cli } from "../cli.ts";

/** All that it has; none where the control plane is of a version that knows no such thing. */
export async function waysOf(endpoint: string, workspace: string | undefined): Promise<readonly Option[]> {
  const api = client({ endpoint, version: VERSION });
  try {
    return (await api.login.options({ query: workspace === undefined ? {} : { workspace } })).items;
  } catch (error) {
    if (error instanceof MusterError && error.code === "not_found") return [];
    throw error;
  }
}

/** What of each kind is needed. */
const NOTHING: Readonly<Record<Option["kind"], string>> = {
  people: "nobody signs in with a browser or a device there",
  github: "it takes no tokens of GitHub Actions",
  gitlab: "it takes no tokens of GitLab",
  program: "it takes no tokens of programs",
  aws: "nobody signs in with AWS credentials there",
};

/** The one way of a kind, or the one that was named, or that whoever sits here chooses. @throws MusterError `not_found` */
export async function choose(
  { out }: Pick<Cli, "out">,
  ways: readonly Option[],
  kind: Option["kind"],
  named: string | undefined,
): Promise<Option> {
  const fitting = ways.filter(way => way.kind === kind);
  const [first, ...others] = fitting;
  if (first === undefined)
    throw new MusterError("not_found", `this control plane has no such issuer: ${NOTHING[kind]}`, {
      hint: "an admin sets one with: muster issuers set FILE; with a token of an admin's: muster login --token-file FILE",
    });
  if (named === undefined && others.length === 0) return first;
  const name = named ?? (out.interactive ? await ask(`Issuer (${listed(fitting)}): `) : undefined);
  const found = fitting.find(way => way.name.toLowerCase() === name?.toLowerCase());
  if (found !== undefined) return found;
  const near =
    name === undefined
      ? undefined
      : nearest(
          name,
          fitting.map(way => way.name),
        );
  const what = name === undefined ? "which issuer?" : `there is no issuer '${name}' there`;
  throw new MusterError("invalid_request", what, {
    hint: near === undefined ? `name one with --issuer: ${listed(fitting)}` : `did you mean ${near}?`,
  });
}

const listed = (ways: readonly Option[]): string => ways.map(way => way.name).join(", ");
