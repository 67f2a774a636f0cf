/**
 * Vitest's globalSetup of a suite that starts the CLI hundreds of times: it starts what `npm pack` makes of it, which takes
 * Node half the time of reading its sources. The other suites start the sources.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundling } from "../../packages/cli/bin/bundling.ts";

const cli = (path: string): string => fileURLToPath(new URL(`../../packages/cli/${path}`, import.meta.url));

export async function setup(): Promise<() => void> {
  const folder = mkdtempSync(join(tmpdir(), "muster-bundled-"));
  mkdirSync(join(folder, "bin"));
  for (const path of ["package.json", "bin/muster.js"]) copyFileSync(cli(path), join(folder, path));
  await build({ ...bundling, entryPoints: { muster: cli("src/entry.ts") }, outdir: join(folder, "dist") });
  process.env.MUSTER_TEST_BIN = join(folder, "bin/muster.js");
  return () => rmSync(folder, { recursive: true, force: true });
}
