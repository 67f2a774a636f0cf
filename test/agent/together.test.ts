/**
 * Jobs that bring the same to one host at the same time: real agents, against a small S3 and a control plane that are our
 * own.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Bench } from "./support/bench.ts";
import { S3 } from "./support/s3.ts";
import { until } from "./support/until.ts";

const text = "0123456789".repeat(10_000);

/** Of an object the first who asks gets the second half when told so. */
function slowToTheFirst(s3: S3): () => void {
  const gate = Promise.withResolvers<void>();
  let asked = 0;
  s3.fault = (_, isList) => (isList || ++asked > 1 ? undefined : gate.promise);
  return gate.resolve;
}

const kinds = {
  "a file": (s3: S3) => ({
    kind: "file" as const,
    path: "~/data/one",
    url: `${s3.url}/${s3.bucket}/set/one`,
    sha256: createHash("sha256").update(text).digest("hex"),
  }),
  "a bucket": (s3: S3) => ({
    kind: "bucket" as const,
    path: "~/data",
    source: `s3://${s3.bucket}/set`,
    mode: "copy" as const,
  }),
};

for (const [name, mountOf] of Object.entries(kinds)) {
  test.concurrent(`${name} that two jobs bring at once is whole for both, and nothing else is left there`, async () => {
    await using s3 = await S3.open();
    await using bench = await Bench.open();
    s3.put({ "set/one": text });
    const goOn = slowToTheFirst(s3);
    const task = { mounts: [mountOf(s3)], env: s3.env, run: "wc -c <~/data/one" };
    bench.plane.assign("job_a", task);
    await bench.agent();
    await until("the first half", () => s3.reads.length > 0);
    bench.plane.assign("job_b", task);
    await bench.kick();
    expect(await bench.exit("job_b")).toMatchObject({ exitCode: 0 });
    goOn();
    expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
    for (const job of ["job_a", "job_b"]) expect(bench.plane.log(job)).toBe(`${text.length}\n`);
    expect(readdirSync(join(bench.home.jobs, "data"))).toEqual(["one"]);
  });

  test.concurrent(`${name} that is given up in the middle leaves nothing behind`, async () => {
    await using s3 = await S3.open();
    await using bench = await Bench.open();
    s3.put({ "set/one": text });
    const goOn = slowToTheFirst(s3);
    bench.plane.assign("job_a", { mounts: [mountOf(s3)], env: s3.env, run: "true" });
    await bench.agent();
    await until("its beginning", () => existsSync(join(bench.home.jobs, "data")) && s3.reads.length > 0);
    await until("a part of it", () => readdirSync(join(bench.home.jobs, "data")).length > 0);
    bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
    await bench.kick();
    expect(await bench.exit("job_a")).toMatchObject({ cause: "cancelled" });
    goOn();
    expect(readdirSync(join(bench.home.jobs, "data"))).toEqual([]);
  });
}

test.concurrent("a secret file that cannot be put in its place leaves no copy beside it", async () => {
  await using bench = await Bench.open();
  mkdirSync(join(bench.home.jobs, ".kube"), { recursive: true });
  const content = Buffer.from("hidden").toString("base64");
  bench.plane.assign("job_a", { secretFiles: [{ path: "~/.kube", content }], run: "true" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "inputs_failed" });
  expect(readdirSync(bench.home.jobs)).toEqual([".kube"]);
});
