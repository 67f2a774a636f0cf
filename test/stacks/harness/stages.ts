/** The deployments that are looked at: as a developer makes one, as production is, and with every option set. */
import type { Wanted } from "./load.ts";
import type { Given } from "./view.ts";

export const KEY = "arn:aws:kms:eu-central-1:123456789012:key/0b3f2a1c-1111-2222-3333-444455556666";

export interface Stage extends Wanted {
  readonly given: Given;
}

const full: Given = {
  boundary: "arn:aws:iam::123456789012:policy/teams/bound",
  vpc: "vpc-0123456789abcdef0",
  subnets: ["subnet-0123456789abcdef0", "subnet-0fedcba9876543210"],
  kmsKey: KEY,
  tags: { owner: "ml-platform", "cost-center": "4711" },
  reserved: true,
  email: "oncall@example.com",
  origins: ["https://muster.example.com"],
  outboundAllow: ["git.example.com", "203.0.113.0/24"],
  logDays: 14,
};

export const stages = {
  dev: { stage: "dev", given: {} },
  production: { stage: "production", given: {} },
  full: {
    stage: "production",
    given: full,
    env: {
      MUSTER_DEPLOY_REGION: "eu-central-1",
      MUSTER_DEPLOY_BOUNDARY: full.boundary ?? "",
      MUSTER_DEPLOY_VPC: full.vpc ?? "",
      MUSTER_DEPLOY_SUBNETS: full.subnets?.join(", ") ?? "",
      MUSTER_DEPLOY_KMS_KEY: KEY,
      MUSTER_DEPLOY_TAGS: "owner=ml-platform, cost-center=4711",
      MUSTER_DEPLOY_RESERVED_CONCURRENCY: "on",
      MUSTER_DEPLOY_ALARM_EMAIL: full.email ?? "",
      MUSTER_DEPLOY_ORIGINS: full.origins?.join() ?? "",
      MUSTER_DEPLOY_OUTBOUND_ALLOW: full.outboundAllow?.join(", ") ?? "",
      MUSTER_DEPLOY_LOG_DAYS: "14",
    },
  },
} as const satisfies Record<string, Stage>;
