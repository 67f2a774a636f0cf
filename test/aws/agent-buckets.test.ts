/**
 * Ran against: the agent's copying of buckets, by a real agent, on moto's S3, which is not ours.
 *
 * Moto stores, lists and sends; it checks no signature by itself, and knows one place for all regions. Signatures are
 * compared with AWS's own code in test/agent/sign.test.ts, faults come from test/agent/support/s3.ts.
 */
import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bench } from "../agent/support/bench.ts";
import { type Moto, startMoto } from "./support/moto.ts";

const credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a secret of this suite" };
const BUCKET = "agent-buckets";

let moto: Moto;
let client: S3Client;
beforeAll(async () => {
  moto = await startMoto();
  client = new S3Client({ region: "eu-central-1", endpoint: moto.url, forcePathStyle: true, credentials });
  const where = { LocationConstraint: "eu-central-1" } as const;
  await client.send(new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: where }));
});
afterAll(async () => {
  client.destroy();
  await moto.close();
});

const put = async (key: string, body: string | Buffer): Promise<void> =>
  void (await client.send(
    new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body, ContentLength: Buffer.byteLength(body) }),
  ));

/** What a job of this moto needs to know. */
const env = (): Record<string, string> => ({
  AWS_ENDPOINT_URL: moto.url,
  AWS_REGION: "eu-central-1",
  AWS_ACCESS_KEY_ID: credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
});

const from = (path: string, source: string) => ({ kind: "bucket" as const, path, source, mode: "copy" as const });

test("what lies under a prefix comes to the host, whatever its names and sizes, and in more than one page", async () => {
  await using bench = await Bench.open();
  const names = ["plain", "with space+plus", "é/日本", "a&b<c>", "%41%2F", "q?x=1", "it's (1)!*~"];
  for (const name of names) await put(`set/odd/${name}`, name);
  await put("set/folder/", "");
  await put("settings", "no");
  const large = randomBytes(9_000_000);
  await put("set/large", large);
  const many = Array.from({ length: 1_100 }, (_, index) => index);
  for (let at = 0; at < many.length; at += 50)
    await Promise.all(many.slice(at, at + 50).map(index => put(`set/many/${index}`, `${index}`)));
  bench.plane.assign("job_a", {
    mounts: [from("~/data", `s3://${BUCKET}/set`), from("one", `s3://${BUCKET}/set/many/7`)],
    env: env(),
    run: "ls ~/data/many | wc -l; cat one",
  });
  await bench.agent();
  expect(await bench.exit("job_a", 1, 60_000)).toMatchObject({ exitCode: 0 });
  expect(bench.plane.log("job_a")).toBe("1100\n7");
  for (const name of names) expect(bench.read(`data/odd/${name}`), name).toBe(name);
  expect(readFileSync(join(bench.home.jobs, "data/large")).equals(large)).toBe(true);
  expect(statSync(join(bench.home.jobs, "data/folder")).isDirectory()).toBe(true);
  expect(bench.read("data/many/1099")).toBe("1099");
});

test("a bucket that is not there, and a prefix with nothing under it, are told apart", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { mounts: [from("~/d", "s3://no-such-bucket-here/x")], env: env(), run: "true" });
  bench.plane.assign("job_b", { mounts: [from("~/d", `s3://${BUCKET}/nothing`)], env: env(), run: "true" });
  await bench.agent();
  expect((await bench.exit("job_a")).message).toContain("there is no bucket no-such-bucket-here (NoSuchBucket");
  expect((await bench.exit("job_b")).message).toContain(`there is nothing at s3://${BUCKET}/nothing`);
});
