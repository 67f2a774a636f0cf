/** The grants against the adapters' own sources: what is sent is granted, and what is granted is sent. */
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { grants, statementsOf } from "@muster/aws/grants.ts";
import { FUNCTIONS } from "@muster/aws/places.ts";
import { expect, test } from "vitest";
import { root } from "./harness/platform.ts";

const sources = globSync("packages/aws/src/**/*.ts", { cwd: root })
  .filter(file => !file.endsWith("src/grants.ts"))
  .map(file => readFileSync(join(root, file), "utf8"));

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
  /^(logs|kms|iam):|^ec2:CreateTags$|^dynamodb:(ConditionCheckItem|DescribeStream|GetRecords|GetShardIterator|ListStreams)$|^s3:ListBucket$|^sqs:(ReceiveMessage|DeleteMessage|GetQueueAttributes)$/;

test("what no adapter sends is not granted", () => {
  const named = (operation = ""): boolean => sources.some(text => text.includes(`"${operation}"`));
  const unsent = [...all].filter(action => !sent.has(action) && !named(action.split(":")[1]));
  expect(unsent.filter(action => !BESIDE.test(action))).toEqual([]);
});

test("every grant says why, in a sentence", () => {
  const whys = FUNCTIONS.flatMap(name => grants[name]).map(({ why }) => why);
  expect(whys.filter(why => !/^[A-Z].{20,}\.$/.test(why))).toEqual([]);
});

test("the functions that face users and hosts cannot touch a machine", () => {
  const touching = ["api", "agent"].flatMap(name => grants[name as "api" | "agent"]).flatMap(({ actions }) => actions);
  expect(touching.filter(action => /^(ec2|iam|ssm|states):/.test(action))).toEqual([]);
});

test("a grant whose option is not set is left out, and the tag is the deployment's", () => {
  const at = {
    partition: "aws-cn",
    region: "cn-north-1",
    account: "1".repeat(12),
    deployment: "d",
    table: "t",
    bucket: "b",
  };
  const said = statementsOf("cron", at);
  expect(JSON.stringify(said)).not.toMatch(/kms|\{deployment\}|arn:aws:/);
  expect(JSON.stringify(said)).toContain('"variable":"aws:ResourceTag/muster:deployment","values":["d"]');
  expect(JSON.stringify(statementsOf("cron", { ...at, kmsKey: "arn:aws-cn:kms:k" }))).toContain("kms:CreateGrant");
});
