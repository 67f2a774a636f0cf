import { type Grant, grants, statementsOf } from "@muster/aws/grants.ts";
import { type Deployment, FUNCTIONS, type FunctionName, namesOf, ROLE_PATH } from "@muster/aws/places.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Cli, cliOf, define, group } from "../cli.ts";
import { wrap } from "../format.ts";
import type { Output } from "../output.ts";

interface Options {
  readonly function?: FunctionName;
  readonly account?: string;
  readonly region?: string;
  readonly deployment?: string;
  readonly table?: string;
  readonly bucket?: string;
}

/** Of text that is indented by four. */
const COLUMNS = 96;

export const iam = (): Command =>
  group("iam", "Show what a deployment may do in AWS", [
    define("print", "Show each function's grants and why it has them; asks nobody", "muster iam print --function api")
      .addOption(new Option("--function <name>", "only this function's").choices(FUNCTIONS))
      .option("--account <id>", "AWS account to put into the policies", matching(/^\d{12}$/, "123456789012"))
      .option("--region <region>", "AWS region", matching(/^[a-z]{2}(-[a-z]+)+-\d$/, "eu-central-1"))
      .option(
        "--deployment <name>",
        "name of the deployment, <app>-<stage>",
        matching(/^[a-z][a-z0-9-]{0,40}$/, "muster-prod"),
      )
      .option("--table <name>", "name of its table")
      .option("--bucket <name>", "name of its bucket")
      .action((options: Options, command: Command) => print(cliOf(command), options)),
  ]);

function print({ out }: Pick<Cli, "out">, options: Options): void {
  const names = options.function === undefined ? FUNCTIONS : [options.function];
  const at = deploymentOf(options);
  out.data(names.map(name => described(name, at)));
  for (const [index, name] of names.entries()) {
    if (index > 0) out.print("");
    out.print(
      `${out.paint("bold", name)}  role of the function ${namesOf(at.deployment).function(name)}, in ${ROLE_PATH}`,
    );
    for (const grant of grants[name]) explain(out, grant);
  }
  if (options.function !== undefined) return;
  out.note("\nHosts, state machines and schedules have roles of their own: stacks/compute.ts, lifecycle.ts, cron.ts.");
  out.note("Policies as JSON, to review or to bound: --json");
}

/** A function's grants, each with its reason, and the policy that they make. */
function described(name: FunctionName, at: Deployment) {
  return {
    function: name,
    name: namesOf(at.deployment).function(name),
    path: ROLE_PATH,
    grants: grants[name],
    policy: { Version: "2012-10-17", Statement: statementsOf(name, at).map(statement) },
  };
}

/** In the form of IAM: conditions by operator, then by key. */
function statement({ actions, resources, conditions = [] }: ReturnType<typeof statementsOf>[number]) {
  const byTest = Map.groupBy(conditions, ({ test }) => test);
  const condition = [...byTest].map(([test, some]) => [
    test,
    Object.fromEntries(some.map(({ variable, values }) => [variable, values])),
  ]);
  return {
    Effect: "Allow",
    Action: actions,
    Resource: resources,
    ...(condition.length > 0 && { Condition: Object.fromEntries(condition) }),
  };
}

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
function deploymentOf({ account, region, deployment, table, bucket }: Options): Deployment {
  const where = region ?? "REGION";
  return {
    partition: partitionOf(where),
    region: where,
    account: account ?? "ACCOUNT",
    deployment: deployment ?? "DEPLOYMENT",
    table: table ?? "TABLE",
    bucket: bucket ?? "BUCKET",
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
