/** What hosts fetch when they boot: the agent and the Node that it runs on, each under the hash of its bytes. */
import { join } from "node:path";
import * as Keys from "@muster/core/keys.ts";
import { bundleAgent } from "./runtime/agent.ts";
import { NODE, tarball } from "./runtime/tarballs.ts";

/** SHA-256 of each. */
export interface Runtime {
  readonly agent: string;
  readonly nodeX64: string;
  readonly nodeArm64: string;
}

export function runtime(bucket: sst.aws.Bucket): Runtime {
  const folder = join($cli.paths.root, ".sst", "runtime");
  const agent = bundleAgent($cli.paths.root, folder);
  put(bucket, "Agent", agent, join(folder, agent), "text/javascript");
  put(bucket, "NodeX64", NODE.sha256.x64, tarball(folder, "x64"), "application/gzip");
  put(bucket, "NodeArm64", NODE.sha256.arm64, tarball(folder, "arm64"), "application/gzip");
  return { agent, nodeX64: NODE.sha256.x64, nodeArm64: NODE.sha256.arm64 };
}

/** What an earlier deployment put stays: machines that are booting while this one is made still ask for it. */
const put = (bucket: sst.aws.Bucket, name: string, sha256: string, path: string, contentType: string) =>
  new aws.s3.BucketObjectv2(
    `Runtime${name}`,
    { bucket: bucket.name, key: Keys.runtime(sha256), source: $asset(path), contentType },
    { retainOnDelete: true },
  );
