import type { Grant } from "@muster/aws/grants/grant.ts";
import type { Statement } from "@muster/aws/grants/statement.ts";
import { grants, policyOf, roleStatementsOf, roles, statementsOf } from "@muster/aws/grants.ts";
import {
  type Deployment,
  FUNCTIONS,
  type FunctionName,
  namesOf,
  ROLE_PATH,
  ROLES,
  type RoleName,
} from "@muster/aws/places.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { wrap } from "../format.ts";
import type { Output } from "../output.ts";

interface Options {
  readonly function?: FunctionName;
  readonly role?: RoleName;
  readonly account?: string;
  readonly region?: string;
  readonly deployment?: string;
  readonly table?: string;
  readonly bucket?: string;
  readonly api?: string;
}

/** One role of a deployment. */
interface Shown {
  readonly title: string;
  /** Whose it is. */
  readonly of: string;
  /** What it is found by in JSON. */
  readonly key: { readonly function: FunctionName } | { readonly role: RoleName };
  readonly name: string;
  readonly service: string;
  readonly grants: readonly Grant[];
  readonly statements: readonly Statement[];
}

/** Of text that is indented by four. */
const COLUMNS = 96;

export const iam = (): Command =>
  group("iam", "Show what a deployment may do in AWS", [
    define("print", "Show every role, its grants, and why it has them; asks nobody", "muster iam print --function api")
      .addOption(new Option("--function <name>", "only this function's").choices(FUNCTIONS))
      .addOption(new Option("--role <name>", "only this one, which is no function's").choices(ROLES))
      .option("--account <id>", "AWS account to put into the policies", matching(/^\d{12}$/, "123456789012"))
      .option("--region <region>", "AWS region", matching(/^[a-z]{2}(-[a-z]+)+-\d$/, "eu-central-1"))
      .option(
        "--deployment <name>",
        "name of the deployment, <app>-<stage>",
        matching(/^[a-z][a-z0-9-]{0,40}$/, "muster-prod"),
      )
      .option("--table <name>", "name of its table")
      .option("--bucket <name>", "name of its bucket")
      .option("--api <id>", "id of its HTTP API, the first part of its endpoint", matching(/^[a-z0-9]+$/, "abc123"))
      .action((options: Options, command: Command) => print(cliOf(command), options)),
  ]);

function print({ out }: Pick<Cli, "out">, options: Options): void {
  const at = deploymentOf(options);
  const all = options.function === undefined && options.role === undefined;
  const shown = [
    ...FUNCTIONS.filter(name => all || name === options.function).map(name => ofFunction(name, at)),
    ...ROLES.filter(name => all || name === options.role).map(name => ofRole(name, at)),
  ];
  out.data(shown.map(described));
  for (const [index, role] of shown.entries()) {
    if (index > 0) out.print("");
    out.print(`${out.paint("bold", role.title)}  role of ${role.of}, in ${ROLE_PATH}`);
    for (const grant of role.grants) explain(out, grant);
  }
  if (all) out.note("\nPolicies as JSON, to review or to bound: --json");
}

const ofFunction = (name: FunctionName, at: Deployment): Shown => ({
  title: name,
  of: `the function ${namesOf(at.deployment).function(name)}`,
  key: { function: name },
  name: namesOf(at.deployment).function(name),
  service: "lambda.amazonaws.com",
  grants: grants[name],
  statements: statementsOf(name, at),
});

const ofRole = (name: RoleName, at: Deployment): Shown => ({
  title: namesOf(at.deployment).role(name),
  of: roles[name].of,
  key: { role: name },
  name: namesOf(at.deployment).role(name),
  service: roles[name].service,
  grants: roles[name].grants,
  statements: roleStatementsOf(name, at),
});

/** A role's grants, each with its reason, and the policy that they make. */
const described = ({ key, name, service, grants: some, statements }: Shown) => ({
  ...key,
  name,
  path: ROLE_PATH,
  service,
  grants: some,
  policy: policyOf(statements),
});

function explain(out: Output, { actions, on, when = [], why }: Grant): void {
  const indented = (text: string, indent: string): void => {
    for (const line of wrap(text, COLUMNS)) out.print(`${indent}${line}`);
  };
  indented(why, "  ");
  indented(actions.join(" "), "    ");
  const conditions = when.map(({ variable, values }) => `${variable} is ${values.join(" or ")}`);
  indented(out.paint("dim", [`on ${on.join(", ")}`, ...conditions].join("; ")), "    ");
}

/** Where it stands; what was not said stays a placeholder. */
function deploymentOf({ account, region, deployment, table, bucket, api }: Options): Deployment {
  const where = region ?? "REGION";
  return {
    partition: partitionOf(where),
    region: where,
    account: account ?? "ACCOUNT",
    deployment: deployment ?? "DEPLOYMENT",
    table: table ?? "TABLE",
    bucket: bucket ?? "BUCKET",
    api: api ?? "API",
  };
}

function partitionOf(region: string): string {
  if (region.startsWith("cn-")) return "aws-cn";
  return region.startsWith("us-gov-") ? "aws-us-gov" : "aws";
}

const matching = (pattern: RegExp, example: string) => (given: string) => {
  if (pattern.test(given)) return given;
  throw new InvalidArgumentError(`Write it like ${example}.`);
};
