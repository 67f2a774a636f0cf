/**
 * Bundles the action into `dist`: plain JavaScript that GitHub's own Node runs, Muster's command line beside it. A release of
 * the action is a commit that has `dist` in it.
 *
 *   node packages/action/bin/bundle.ts [folder]
 */
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundling } from "../../cli/bin/bundling.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const outdir = process.argv[2] ?? at("../dist");
const entryPoints = { main: at("../src/main.ts"), post: at("../src/post.ts"), muster: at("../../cli/src/entry.ts") };

rmSync(outdir, { recursive: true, force: true });
await build({ ...bundling, entryPoints, outdir });
