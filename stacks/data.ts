/** What a deployment keeps: the table, the bucket, and the key that its tokens and cursors are signed with. */
import { INDEXES } from "@muster/core/ports/table.ts";
import type { Here } from "./here.ts";

export interface Data {
  readonly table: sst.aws.Dynamo;
  readonly bucket: sst.aws.Bucket;
  readonly key: random.RandomBytes;
}

export const data = (at: Here): Data => ({
  table: table(at),
  bucket: bucket(at),
  key: new random.RandomBytes("DeploymentKey", { length: 32 }, { protect: at.production }),
});

const table = (at: Here): sst.aws.Dynamo =>
  new sst.aws.Dynamo("Table", {
    fields: {
      pk: "string",
      sk: "string",
      ...Object.fromEntries(
        INDEXES.flatMap(name => [`${name}_pk`, `${name}_sk`]).map(field => [field, "string" as const]),
      ),
    },
    primaryIndex: { hashKey: "pk", rangeKey: "sk" },
    globalIndexes: Object.fromEntries(
      INDEXES.map(name => [name, { hashKey: `${name}_pk`, rangeKey: `${name}_sk`, projection: "all" as const }]),
    ),
    ttl: "expiresAt",
    stream: "new-and-old-images",
    deletionProtection: at.production,
    transform: {
      // SST turns point-in-time recovery on; the key is AWS's own unless an option names one.
      table: args => {
        if (at.options.kmsKey !== undefined)
          args.serverSideEncryption = { enabled: true, kmsKeyArn: at.options.kmsKey };
        return undefined;
      },
    },
  });

/**
 * What jobs bring and leave goes in time: inputs must outlast their place in the queue, checkpoints the wait for the next
 * try, logs and outputs whoever reads them.
 */
const bucket = (at: Here): sst.aws.Bucket => {
  const days = (prefix: string, count: number) => ({ id: prefix, prefix, expiresIn: `${count} days` as const });
  const made = new sst.aws.Bucket("Blobs", {
    lifecycle: [
      ...["logs/", "outputs/"].map(prefix => days(prefix, at.options.logDays)),
      ...["uploads/", "checkpoints/"].map(prefix => days(prefix, 90)),
    ],
    cors: at.options.origins.length > 0 && {
      allowOrigins: at.options.origins,
      allowMethods: ["GET", "POST"],
      maxAge: "1 hour",
    },
    transform: {
      bucket: { forceDestroy: !at.production },
      lifecycle: args => {
        const aborted = {
          id: "parts",
          status: "Enabled",
          filter: { prefix: "" },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
        };
        args.rules = $output(args.rules ?? []).apply(rules => [...rules, aborted]);
        return undefined;
      },
    },
  });
  const { kmsKey } = at.options;
  new aws.s3.BucketServerSideEncryptionConfiguration("BlobsEncryption", {
    bucket: made.name,
    rules: [
      kmsKey === undefined
        ? { applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }
        : {
            applyServerSideEncryptionByDefault: { sseAlgorithm: "aws:kms", kmsMasterKeyId: kmsKey },
            // Otherwise each chunk of a log would be a request to KMS.
            bucketKeyEnabled: true,
          },
    ],
  });
  return made;
};
