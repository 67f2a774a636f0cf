/**
 * Ran against: the S3 adapter on moto, with a gate of ours before it (support/blobs-gate.ts).
 *
 * Moto stores and lists. It accepts every form and every signed URL, so that these are refused was shown by the gate,
 * which is written from AWS's documentation; S3 itself was not asked. Moto has no path for a key with a line break; how
 * such a key is sent is compared with AWS's SDK instead (blobs-differential.test.ts).
 */
import { randomUUID } from "node:crypto";
import { createBlobs } from "@muster/aws/blobs/blobs.ts";
import { send } from "@muster/aws/call/send.ts";
import { blobsContract, type Subject } from "../contract/blobs.ts";
import { throughGate } from "./support/blobs-gate.ts";
import { startMoto } from "./support/moto.ts";

const keys = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a secret of this suite", sessionToken: "a token+of/it==" };

async function open(): Promise<Subject> {
  const moto = await startMoto();
  const aws = { region: "eu-central-1", endpoint: moto.url, credentials: async () => keys };
  const name = `blobs-${randomUUID()}`;
  await makeBucket(aws, name);
  const clock = { now: () => Date.now() };
  return {
    blobs: createBlobs({ aws, name, clock }),
    now: clock.now,
    fetch: request => throughGate({ now: clock.now, bucket: name, keys }, request),
    close: () => moto.close(),
  };
}

blobsContract("S3 (moto)", open, { cannotStore: ["\n"] });

async function makeBucket(aws: Parameters<typeof send>[0], name: string): Promise<void> {
  const place = `<CreateBucketConfiguration><LocationConstraint>${aws.region}</LocationConstraint></CreateBucketConfiguration>`;
  await send(
    aws,
    {
      service: "s3",
      operation: "CreateBucket",
      method: "PUT",
      origin: aws.endpoint ?? "",
      path: `/${name}`,
      query: {},
      headers: {},
      body: place,
    },
    {
      read: () => undefined,
      problem: ({ status, body }) => ({ code: String(status), message: String(body), body: {} }),
    },
    { attempts: 1, base: 0, timeout: 20_000, repeatable: false },
  );
}
