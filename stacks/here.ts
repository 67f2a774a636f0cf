/** Where everything is deployed: what all stacks need to know. */
import { type Deployment, namesOf } from "@muster/aws/places.ts";
import { type Options, read } from "./options.ts";

export interface Here {
  readonly options: Options;
  readonly production: boolean;
  /** `<app>-<stage>`, the first part of every name. */
  readonly deployment: string;
  readonly names: ReturnType<typeof namesOf>;
  readonly account: $util.Output<string>;
  readonly partition: $util.Output<string>;
}

/** @throws Error for a stage whose name does not fit into the names that AWS allows. */
export function here(): Here {
  const deployment = `${$app.name}-${$app.stage}`;
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(deployment))
    throw new Error(`a stage's name has small letters, digits and dashes, and "${deployment}" at most 41 of them`);
  return {
    options: read(process.env),
    production: $app.stage === "production",
    deployment,
    names: namesOf(deployment),
    account: aws.getCallerIdentityOutput({}).accountId,
    partition: aws.getPartitionOutput({}).partition,
  };
}

/** What of the deployment's data grants point at. */
export interface Kept {
  readonly table: { readonly name: $util.Output<string> };
  readonly bucket: { readonly name: $util.Output<string> };
}

/** What grants are resolved against. @param api its id, for grants that point at it */
export const deploymentOf = (at: Here, kept: Kept, api?: $util.Output<string>): $util.Output<Deployment> =>
  $util
    .all([at.partition, at.account, kept.table.name, kept.bucket.name, api])
    .apply(([partition, account, table, bucket, apiId]) => ({
      partition,
      account,
      region: at.options.region,
      deployment: at.deployment,
      table,
      bucket,
      api: apiId,
      network: at.options.network,
      kmsKey: at.options.kmsKey,
    }));

/** A trust policy: one service, acting for this account; and, where the service says so, for these sources (ARN patterns). */
export const trust = (at: Here, service: string, sources: readonly $util.Input<string>[] = []) =>
  $jsonStringify({
    Version: "2012-10-17",
    Statement: [
      {
        Effect: "Allow",
        Action: "sts:AssumeRole",
        Principal: { Service: service },
        Condition: {
          StringEquals: { "aws:SourceAccount": at.account },
          ...(sources.length > 0 && { ArnLike: { "aws:SourceArn": sources } }),
        },
      },
    ],
  });
