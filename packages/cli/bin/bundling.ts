/** How programs of Muster's that run elsewhere are bundled: plain JavaScript that needs Node and nothing else. */
import type { BuildOptions } from "esbuild";

export const bundling = {
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
} as const satisfies BuildOptions;
