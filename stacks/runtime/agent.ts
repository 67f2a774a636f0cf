/** The agent as one file, named by its hash. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type * as Esbuild from "esbuild";

/** @returns SHA-256 of the bundle, which is the name of its file in the folder. */
export function bundleAgent(root: string, folder: string): string {
  // SST's platform has an old esbuild of its own, which a plain import would find.
  const { buildSync } = createRequire(join(root, "package.json"))("esbuild") as typeof Esbuild;
  const { outputFiles } = buildSync({
    entryPoints: [join(root, "packages/agent/src/main.ts")],
    absWorkingDir: root,
    bundle: true,
    platform: "node",
    target: "node24",
    format: "esm",
    minify: true,
    keepNames: true,
    legalComments: "none",
    write: false,
    logLevel: "silent",
  });
  const [bundle] = outputFiles;
  if (bundle === undefined) throw new Error("the agent's bundle is empty");
  const sha256 = createHash("sha256").update(bundle.contents).digest("hex");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, sha256), bundle.contents);
  return sha256;
}
