/**
 * What functions are told, in the shapes of packages/aws/src/settings.ts. Links carry data only: SST's own links of a
 * table or a bucket would allow every action on it, and what a function may do stands in the grants.
 */
import type { Compute } from "./compute.ts";
import type { Data } from "./data.ts";
import type { Here } from "./here.ts";
import type { Machines } from "./lifecycle.ts";
import type { Runtime } from "./runtime.ts";

export type Link = sst.Linkable<Record<string, unknown>>;

export const musterLink = (at: Here, { table, bucket, key }: Data): Link =>
  new sst.Linkable("Muster", {
    properties: {
      deployment: at.deployment,
      region: at.options.region,
      account: at.account,
      table: table.name,
      bucket: bucket.name,
      key: $util.secret(key.base64),
      // What functions make at run time is tagged by them: the provider's default tags do not reach it.
      tags: at.options.tags,
      kmsKey: at.options.kmsKey,
    },
  });

export const fleetLink = (at: Here, api: sst.aws.ApiGatewayV2, { profile, kick }: Compute, runtime: Runtime): Link =>
  new sst.Linkable("Fleet", {
    properties: {
      endpoint: api.url,
      hostProfile: profile.arn,
      kickDocument: kick.name,
      runtime,
      network: at.options.network,
    },
  });

export const outboxLink = (at: Here, deliveries: aws.sqs.Queue): Link =>
  new sst.Linkable("Outbox", { properties: { deliveries: deliveries.url, allow: at.options.outboundAllow } });

export const doorbellLink = (machines: Machines, rings: aws.sqs.Queue): Link =>
  new sst.Linkable("Doorbell", {
    properties: { up: machines["cluster-up"].arn, down: machines["cluster-down"].arn, rings: rings.url },
  });
