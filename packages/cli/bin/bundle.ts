/**
 * Bundles the CLI, the embedded control plane and the agent into `dist`: plain JavaScript that needs Node and nothing
 * else. `muster.js` is where it begins; what few commands need stands in files of its own, so that the others neither
 * read nor parse it. Run by `npm pack` and `npm publish`.
 */
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// The files' names hold hashes: those of an earlier bundle would stay beside the new ones.
rmSync(at("../dist"), { recursive: true, force: true });
await build({
  entryPoints: { muster: at("../src/entry.ts") },
  outdir: at("../dist"),
  splitting: true,
  chunkNames: "[name]-[hash]",
  bundle: true,
  platform: "node",
  target: "node24",
  format: "esm",
  minify: true,
  // Names stay, so that a stack trace in a bug report says something.
  keepNames: true,
  legalComments: "eof",
  // Some dependencies are CommonJS, and ask for node's own modules with require.
  banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  logLevel: "warning",
});
