/** Builds a config as SST's command line does: with esbuild, with its globals in front of every file of ours. */
import { readFileSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { pathToFileURL } from "node:url";
import type { BuildOptions, BuildResult } from "esbuild";
import type { App } from "./graph.ts";
import { dotSst, fromPlatform, platform, root } from "./platform.ts";

/** Bundles of CommonJS in ESM need what modules have not. */
const BANNER = [
  'import { createRequire as makeRequire } from "node:module";',
  'import { fileURLToPath as toPath } from "node:url";',
  "const require = makeRequire(import.meta.url);",
  "const __filename = toPath(import.meta.url);",
  'const __dirname = toPath(new URL(".", import.meta.url));',
].join("\n");

/** What the program takes from the platform when it runs. */
const EXTERNAL = [
  "@pulumi/*",
  "undici",
  "@pulumiverse/*",
  "@sst-provider/*",
  "@aws-sdk/*",
  "esbuild",
  "archiver",
  "glob",
  "vite",
];

interface Build {
  readonly code: string;
  readonly outfile: string;
  readonly banner?: string;
  readonly globals?: string;
  readonly define?: Record<string, string>;
  readonly inject?: string[];
}

function build({ code, outfile, banner = "", globals = "", define = {}, inject = [] }: Build): Promise<BuildResult> {
  // The platform's own esbuild is the older one that SST pins for this.
  const esbuild = fromPlatform("esbuild") as { build(options: BuildOptions): Promise<BuildResult> };
  return esbuild.build({
    banner: { js: BANNER + banner },
    mainFields: ["module", "main"],
    format: "esm",
    platform: "node",
    stdin: { contents: code, resolveDir: root, sourcefile: "eval.ts", loader: "ts" },
    nodePaths: [join(platform, "node_modules")],
    absWorkingDir: root,
    plugins: [
      {
        name: "globals",
        setup: plugin =>
          plugin.onLoad({ filter: /\.(js|ts|jsx|tsx)$/ }, async ({ path }) =>
            path.startsWith(dotSst)
              ? undefined
              : { contents: `${globals}\n${await readFile(path, "utf8")}`, loader: "default" },
          ),
      },
    ],
    external: EXTERNAL,
    define,
    inject,
    outfile,
    bundle: true,
    metafile: true,
    logLevel: "silent",
  });
}

/** Evaluates `app()`, as SST does before anything else. The files must lie in the platform, where Pulumi is found. */
async function appOf(config: string, stage: string, scratch: string): Promise<App> {
  const outfile = join(platform, `${scratch}.app.mjs`);
  try {
    await build({
      outfile,
      banner: "function $config(input) { return input }",
      define: { $input: JSON.stringify({ stage }) },
      code: `import mod from ${JSON.stringify(config)}; export default await mod.app({ stage: $input.stage });`,
    });
    const { default: app } = (await import(pathToFileURL(outfile).href)) as { default: App };
    return { ...app, stage };
  } finally {
    rmSync(outfile, { force: true });
  }
}

export interface Program {
  readonly app: App;
  /** What is run, by as many as like: it finds its folder, which is its own, in `globalThis.$cli`. */
  readonly outfile: string;
  /** Files of the house that it is made of. */
  readonly files: readonly string[];
}

/** @param scratch the beginning of the names of files in the platform's folder */
export async function programOf(config: string, stage: string, scratch: string): Promise<Program> {
  const app = await appOf(config, stage, scratch);
  const outfile = join(platform, `${scratch}.run.mjs`);
  const providers = JSON.parse(readFileSync(join(dotSst, "provider-lock.json"), "utf8")) as {
    alias: string;
    package: string;
  }[];
  const { metafile } = await build({
    outfile,
    globals: [
      ...providers.map(({ alias, package: name }) => `import * as ${alias} from "${name}";`),
      `import * as sst from "${join(platform, "src/components")}";`,
    ].join("\n"),
    define: { $app: JSON.stringify(app), $cli: "globalThis.$cli", $dev: "false" },
    inject: [join(platform, "src/shim/run.js")],
    code: `import { run } from ${JSON.stringify(join(platform, "src/auto/run.ts"))};
import mod from ${JSON.stringify(config)};
export default () => run(mod.run);`,
  });
  const files = Object.keys(metafile?.inputs ?? {}).map(file => relative(root, join(root, file)));
  return { app, outfile, files: files.filter(file => !/^\.sst|node_modules|^eval\.ts$/.test(file)) };
}

/** What SST's command line says of itself to the program. */
export const cliOf = (work: string): object => ({
  command: "deploy",
  dev: false,
  paths: { home: work, root, work, platform },
  state: { version: {} },
});
