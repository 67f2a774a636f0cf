/**
 * Bundles the CLI, the embedded control plane and the agent into `dist/muster.js`: one file of plain JavaScript that
 * needs Node and nothing else. Run by `npm pack` and `npm publish`.
 */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

await build({
  entryPoints: [at("../src/entry.ts")],
  outfile: at("../dist/muster.js"),
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
