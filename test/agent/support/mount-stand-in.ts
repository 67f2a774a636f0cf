/**
 * Stands for mount-s3: writes down its arguments and its environment, and mounts a folder of the machine's own where the
 * bucket would be. What it proves is how it was called, when, and how often; nothing of S3 or of Mountpoint.
 */

import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Whether this machine lets us mount: as root, with a device for FUSE. */
export function canMount(): boolean {
  if (process.getuid?.() !== 0 || !existsSync("/dev/fuse")) return false;
  const place = mkdtempSync(join(tmpdir(), "ma-mnt-"));
  const can = spawnSync("/bin/mount", ["-t", "tmpfs", "none", place]).status === 0;
  if (can) spawnSync("/bin/umount", [place]);
  rmSync(place, { recursive: true, force: true });
  return can;
}

/** Puts it into a folder of its own, for the agent's PATH; `bucket` is what is mounted, `calls` what is written. */
export function standIn(root: string): { folder: string; bucket: string; calls: string } {
  const folder = join(root, "bin");
  const bucket = join(root, "bucket");
  const calls = join(root, "calls");
  mkdirSync(folder);
  mkdirSync(bucket);
  const text = `#!/bin/bash
{ printf ' <%s>' "$@"; echo; env | grep ^AWS_ | sort; echo "marked=\${MUSTER_ATTEMPT_DIR:-no}"; } >>${calls}
[ ! -e ${root}/hang ] || until [ ! -e ${root}/hang ]; do sleep 0.1; [ -e ${root} ] || exit 1; done
[ ! -e ${root}/refuse ] || { echo "Error: Access Denied" >&2; exit 1; }
mount --bind ${bucket} "\${@: -1}"
`;
  writeFileSync(join(folder, "mount-s3"), text);
  chmodSync(join(folder, "mount-s3"), 0o755);
  return { folder, bucket, calls };
}
