/** What jobs of these tests bring along. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Assignment } from "@muster/core/agent/protocol.ts";
import type { Bench } from "./bench.ts";

export type Package = Assignment["packages"][number];
export const pack = (method: Package["method"], source: string, more: Partial<Package> = {}): Package => ({
  method,
  source,
  args: [],
  ...more,
});

/** A workdir of these files, on the control plane under a name; its hash is of what is in them alone. */
export function workdirOf(
  bench: Bench,
  name: string,
  files: Record<string, string>,
): NonNullable<Assignment["workdir"]> {
  const folder = mkdtempSync(join(tmpdir(), "ma-tar-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const bytes = execFileSync("tar", ["-czf", "-", "--sort=name", "--mtime=@0", "-C", folder, "."]);
  rmSync(folder, { recursive: true });
  bench.plane.inputs.set(name, bytes);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { packs: [{ url: `${bench.plane.url}/inputs/${name}`, sha256 }] };
}
