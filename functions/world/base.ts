/** What every function's world is made of. Read once, when the function starts. */
import { createBlobs } from "@muster/aws/blobs/blobs.ts";
import { type Aws, lambdaCredentials } from "@muster/aws/call/aws.ts";
import { catalogReader } from "@muster/aws/catalog/reader.ts";
import { createLog } from "@muster/aws/log.ts";
import type { Place } from "@muster/aws/secrets/place.ts";
import { Muster } from "@muster/aws/settings.ts";
import { openTable } from "@muster/aws/table/table.ts";
import { createDigest } from "@muster/node/digest.ts";
import { createRandom } from "@muster/node/random.ts";
import { link } from "./settings.ts";

export const muster = link("Muster", Muster);
const clock = { now: Date.now };
const digest = createDigest(Buffer.from(muster.key, "base64"));
const log = createLog(muster.deployment, clock, line => process.stdout.write(`${line}\n`));

export const aws: Aws = {
  region: muster.region,
  credentials: lambdaCredentials(process.env),
  endpoint: process.env.AWS_ENDPOINT_URL,
};

const { deployment, kmsKey, tags } = muster;
/** Where secrets are. */
export const parameters: Place = { aws, deployment, kmsKey, tags };

const blobs = createBlobs({ aws, name: muster.bucket, clock });
export const catalog = catalogReader({ blobs, clock, log }, muster.region);

export const base = {
  table: openTable({ aws, name: muster.table, digest }),
  blobs,
  clock,
  random: createRandom(clock),
  digest,
  log,
};
