/** The functions' bundles, made as SST makes them: esbuild, ESM, minified, all in one file. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { FunctionName } from "@muster/aws/places.ts";
import { build } from "esbuild";

const ROOT = new URL("../../../", import.meta.url).pathname;

/** What SST 4.17.1 puts before every ESM bundle, so that CommonJS inside it works. */
const BANNER = [
  'import { createRequire as topLevelCreateRequire } from "module";',
  "const require = topLevelCreateRequire(import.meta.url);",
  'import { fileURLToPath as topLevelFileUrlToPath, URL as topLevelURL } from "url";',
  "const __filename = topLevelFileUrlToPath(import.meta.url);",
  'const __dirname = topLevelFileUrlToPath(new topLevelURL(".", import.meta.url));',
].join("\n");

export interface Bundle {
  readonly path: string;
  readonly bytes: number;
}

/** @param folder where the bundle is put, as `<name>.mjs` */
export async function bundle(name: FunctionName, folder: string): Promise<Bundle> {
  const outfile = join(folder, `${name}.mjs`);
  const { outputFiles } = await build({
    entryPoints: [join(ROOT, `functions/lambda/${name}.ts`)],
    absWorkingDir: ROOT,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "es2024",
    mainFields: ["module", "main"],
    keepNames: true,
    minify: true,
    legalComments: "none",
    banner: { js: BANNER },
    outfile,
    write: false,
    logLevel: "silent",
  });
  const [made] = outputFiles;
  if (made === undefined) throw new Error(`the bundle of ${name} is empty`);
  await writeFile(outfile, made.contents);
  return { path: outfile, bytes: made.contents.length };
}
