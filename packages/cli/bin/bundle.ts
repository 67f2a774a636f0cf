/**
 * Bundles the CLI, the embedded control plane and the agent into `dist`: plain JavaScript that needs Node and nothing
 * else. `muster.js` is where it begins; what few commands need stands in files of its own, so that the others neither
 * read nor parse it. Run by `npm pack` and `npm publish`.
 */
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundling } from "./bundling.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// The files' names hold hashes: those of an earlier bundle would stay beside the new ones.
rmSync(at("../dist"), { recursive: true, force: true });
await build({ ...bundling, entryPoints: { muster: at("../src/entry.ts") }, outdir: at("../dist") });
