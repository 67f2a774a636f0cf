/** What whoever deploys may set, read by the function that the stacks read it with. */
import { expect, test } from "vitest";
import { read } from "../../stacks/options.ts";
import { KEY, stages } from "./harness/stages.ts";

test("nothing set is a deployment", () => {
  expect(read({})).toEqual({
    region: "us-east-1",
    tags: {},
    reservedConcurrency: false,
    logDays: 90,
    outboundAllow: [],
    origins: [],
  });
  expect(read({ AWS_REGION: "eu-west-1", MUSTER_DEPLOY_VPC: "  " }).region).toBe("eu-west-1");
});

test("everything set is read", () => {
  expect(read(stages.full.env)).toEqual({
    region: "eu-central-1",
    boundary: "arn:aws:iam::123456789012:policy/teams/bound",
    network: { vpc: "vpc-0123456789abcdef0", subnets: ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"] },
    kmsKey: KEY,
    tags: { owner: "ml-platform", "cost-center": "4711" },
    reservedConcurrency: true,
    alarmEmail: "oncall@example.com",
    logDays: 14,
    outboundAllow: ["git.example.com", "203.0.113.0/24"],
    origins: ["https://muster.example.com"],
  });
});

test("a value may hold an equals sign", () => {
  expect(read({ MUSTER_DEPLOY_TAGS: "query=a=b" }).tags).toEqual({ query: "a=b" });
});

test.each([
  ["REGION", "Frankfurt", "eu-central-1"],
  ["BOUNDARY", "bound", "arn:aws:iam::123456789012:policy/bound"],
  ["KMS_KEY", "alias/muster", "arn:aws:kms:"],
  ["KMS_KEY", "arn:aws:kms:eu-central-1:123456789012:alias/muster", "arn:aws:kms:"],
  ["TAGS", "owner", "name=value"],
  ["TAGS", "=ml", "name=value"],
  ["TAGS", "aws:x=y", "reserved"],
  ["TAGS", "muster:deployment=other", "reserved"],
  ["TAGS", "a=1,b=2,c=3,d=4,e=5,f=6,g=7,h=8", "at most seven"],
  ["RESERVED_CONCURRENCY", "yes", "on"],
  ["ALARM_EMAIL", "oncall", "email"],
  ["LOG_DAYS", "0", "1"],
  ["LOG_DAYS", "soon", "number"],
  ["OUTBOUND_ALLOW", "https://git.example.com", "git.example.com"],
  ["ORIGINS", "*", "https://muster.example.com"],
  ["ORIGINS", "http://muster.example.com", "https://muster.example.com"],
  ["VPC", "vpc-0123456789abcdef0", "go together"],
  ["SUBNETS", "subnet-0123456789abcdef0", "go together"],
  ["SUBNET", "subnet-0123456789abcdef0", "SUBNET"],
])("%s = %s is refused, and the refusal says why", (name, value, why) => {
  expect(() => read({ [`MUSTER_DEPLOY_${name}`]: value })).toThrow(why);
});

test("all that is wrong is said at once", () => {
  const wrong = { MUSTER_DEPLOY_REGION: "x", MUSTER_DEPLOY_LOG_DAYS: "0" };
  expect(() => read(wrong)).toThrow(/MUSTER_DEPLOY_REGION[\s\S]*MUSTER_DEPLOY_LOG_DAYS/);
});
