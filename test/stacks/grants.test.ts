/** The grants against the adapters' own sources: what is sent is granted, and what is granted is sent. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { entries, functionOf, SERVING } from "@muster/api/routes.ts";
import { grants, policyOf, roleStatementsOf, roles, statementsOf } from "@muster/aws/grants.ts";
import { FUNCTIONS, ROLES } from "@muster/aws/places.ts";
import { expect, test } from "vitest";
import { root } from "./harness/platform.ts";

const sources = globSync("packages/aws/src/**/*.ts", { cwd: root })
  .filter(file => !/src\/grants(\.ts|\/\w+\.ts)$/.test(file))
  .map(file => readFileSync(join(root, file), "utf8"));

const PLACE = {
  partition: "aws-cn",
  region: "cn-north-1",
  account: "1".repeat(12),
  deployment: "d",
  table: "t",
  bucket: "b",
};

/** `new XCommand(` of the EC2 client, and `json(aws, "service", "Operation"` of the transport. */
const sent = new Set([
  ...sources.flatMap(text =>
    [...text.matchAll(/\bnew ([A-Z]\w+)Command\(/g)].map(([, operation]) => `ec2:${operation}`),
  ),
  ...sources.flatMap(text =>
    [...text.matchAll(/\bjson\(\s*[\w.]+,\s*"(\w+)",\s*"(\w+)"/g)].map(
      ([, service, operation]) => `${service}:${operation}`,
    ),
  ),
]);

const all = new Set(FUNCTIONS.flatMap(name => grants[name]).flatMap(({ actions }) => actions));

/** IAM checks the parts of a transaction, by the names that their single calls have. */
const IN_PARTS = ["dynamodb:TransactWriteItems"];

test("whatever an adapter sends is granted", () => {
  expect(sent.size).toBeGreaterThan(20);
  expect([...sent].filter(action => !all.has(action) && !IN_PARTS.includes(action))).toEqual([]);
});

/** Checked by AWS beside the call that is sent, or sent by Lambda in the function's name. */
const BESIDE =
  /^(logs|kms|iam):|^ec2:CreateTags$|^ssm:AddTagsToResource$|^dynamodb:(ConditionCheckItem|DescribeStream|GetRecords|GetShardIterator|ListStreams)$|^s3:ListBucket$|^sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes)$/;

test("what no adapter sends is not granted", () => {
  const named = (operation = ""): boolean => sources.some(text => text.includes(`"${operation}"`));
  const unsent = [...all].filter(action => !sent.has(action) && !named(action.split(":")[1]));
  expect(unsent.filter(action => !BESIDE.test(action))).toEqual([]);
});

test("every grant says why, in a sentence", () => {
  const all = [...FUNCTIONS.flatMap(name => grants[name]), ...ROLES.flatMap(name => roles[name].grants)];
  const whys = all.map(({ why }) => why);
  expect(whys.filter(why => !/^[A-Z].{20,}\.$/.test(why))).toEqual([]);
});

test("the functions that face users and hosts cannot touch a machine", () => {
  const touching = SERVING.flatMap(name => grants[name])
    .filter(({ on }) => on.some(place => place !== "secrets"))
    .flatMap(({ actions }) => actions);
  expect(touching.filter(action => /^(ec2|iam|ssm|states):/.test(action))).toEqual([]);
});

test("whoever keeps secrets cannot read them, whoever reads them cannot change them, and nobody else does either", () => {
  const may = (name: (typeof FUNCTIONS)[number], matches: RegExp): string[] =>
    grants[name]
      .filter(({ on }) => !on.includes("public-parameters"))
      .flatMap(({ actions }) => actions.filter(action => matches.test(action)));
  const parameters = Object.fromEntries(FUNCTIONS.map(name => [name, may(name, /^ssm:\w+(Parameter|TagsToResource)/)]));
  expect(parameters).toEqual({
    api: ["ssm:PutParameter", "ssm:AddTagsToResource", "ssm:DeleteParameter"],
    config: ["ssm:PutParameter", "ssm:AddTagsToResource", "ssm:DeleteParameter"],
    admin: [],
    signin: [],
    hooks: [],
    agent: ["ssm:GetParameter"],
    lifecycle: [],
    doorbell: ["ssm:DeleteParameter"],
    outbox: ["ssm:GetParameter", "ssm:DeleteParameter"],
    events: [],
    cron: ["ssm:DeleteParameter", "ssm:DescribeParameters"],
  });
  const [{ resources } = { resources: [] }] = statementsOf("agent", PLACE).filter(({ actions }) =>
    actions.includes("ssm:GetParameter"),
  );
  expect(resources).toEqual(["arn:aws-cn:ssm:cn-north-1:111111111111:parameter/muster/d/*"]);
});

test("a host may call what it signs, where the API is known, and nothing else of it", () => {
  const at = { ...PLACE, api: "abc" };
  const signed = entries.filter(([id, { auth }]) => functionOf(id) === "agent" && auth === "iam");
  const opened = (deployment: typeof PLACE) =>
    roleStatementsOf("host", deployment).filter(({ actions }) => actions.includes("execute-api:Invoke"));
  const routes = signed.map(([, { method, path }]) => `${method}${path.replace(/\{\w+\}/g, "*")}`);
  expect(opened(at).flatMap(({ resources }) => [...resources].sort())).toEqual(
    routes.map(route => `arn:aws-cn:execute-api:cn-north-1:111111111111:abc/*/${route}`).sort(),
  );
  expect(opened(PLACE)).toEqual([]);
});

test("a policy is in the form of IAM, with its conditions by operator and key", () => {
  const statement = { actions: ["a:B"], resources: ["r"] };
  const conditions = [
    { test: "StringEquals", variable: "k", values: ["v"] },
    { test: "StringEquals", variable: "l", values: ["w"] },
    { test: "Bool", variable: "m", values: ["true"] },
  ];
  expect(policyOf([statement, { ...statement, conditions }])).toEqual({
    Version: "2012-10-17",
    Statement: [
      { Effect: "Allow", Action: ["a:B"], Resource: ["r"] },
      {
        Effect: "Allow",
        Action: ["a:B"],
        Resource: ["r"],
        Condition: { StringEquals: { k: ["v"], l: ["w"] }, Bool: { m: ["true"] } },
      },
    ],
  });
});

test("a grant whose option is not set is left out, and the tag is the deployment's", () => {
  const said = statementsOf("cron", PLACE);
  expect(JSON.stringify(said)).not.toMatch(/kms|\{deployment\}|arn:aws:/);
  expect(JSON.stringify(said)).toContain('"variable":"aws:ResourceTag/muster:deployment","values":["d"]');
  expect(JSON.stringify(statementsOf("cron", { ...PLACE, kmsKey: "arn:aws-cn:kms:k" }))).toContain("kms:CreateGrant");
});
