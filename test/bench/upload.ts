/**
 * What it costs to send a working folder of 2 GB in 50,000 files: the first time, again, and after one file has changed.
 * The control plane is the embedded one, on the same machine and disk. `node test/bench/upload.ts`; it makes and removes
 * 6 GB below the folder for temporary files.
 */
import { spawn } from "node:child_process";
import { randomFillSync } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";
import { build } from "esbuild";
import { clearHome, newHome, type OwnProcess, spawnPlane } from "../support/plane.ts";

const FOLDERS = 500;
const FILES = 100;
const MEAN_BYTES = 41_000;
const NEEDED = 7e9;

/** Half of the bytes are random, as weights and images are; half are text. */
function plant(root: string): void {
  const line = "    loss = criterion(model(batch), target); loss.backward(); optimizer.step()\n";
  for (let folder = 0; folder < FOLDERS; folder++) {
    const path = join(root, `package${folder % 20}`, `module${folder}`);
    mkdirSync(path, { recursive: true });
    for (let file = 0; file < FILES; file++) {
      const size = Math.round(MEAN_BYTES * (0.2 + (1.6 * ((file * 37) % FILES)) / FILES));
      const bytes = Buffer.alloc(size, `${folder} ${file} ${line}`);
      if (file % 2 === 0) randomFillSync(bytes);
      writeFileSync(join(path, file % 2 === 0 ? `part${file}.bin` : `step${file}.py`), bytes);
    }
  }
}

interface Took {
  /** Milliseconds from the start of the process to its end. */
  readonly wall: number;
  readonly ms: number;
  readonly packs: number;
  /** MB at most. */
  readonly rss: number;
  /** Of the whole process, on all cores. */
  readonly cpu: number;
}

/** As it is installed: bundled. */
const bundled = (outfile: string) =>
  build({
    entryPoints: [resolve("test/bench/upload-child.ts")],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    minify: true,
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });

async function upload(program: string, plane: OwnProcess, folder: string, caches: string): Promise<Took> {
  const begun = performance.now();
  const child = spawn(process.execPath, [program, plane.url, plane.token, folder], {
    env: { ...process.env, XDG_CACHE_HOME: caches },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const told: Omit<Took, "wall"> = JSON.parse(await text(child.stdout));
  return { ...told, wall: performance.now() - begun };
}

const say = (what: string, { wall, ms, packs, rss, cpu }: Took, budget = ""): void =>
  console.log(
    `${what.padEnd(28)} ${(ms / 1000).toFixed(2)} s (process ${(wall / 1000).toFixed(2)} s, CPU ${(cpu / 1000).toFixed(2)} s), ${packs} packs, ${rss.toFixed(0)} MB RSS at most  ${budget}`,
  );

const { bavail, bsize } = statfsSync(tmpdir());
if (bavail * bsize < NEEDED) throw new Error(`${tmpdir()} has less than ${NEEDED / 1e9} GB free`);

const work = mkdtempSync(join(tmpdir(), "muster-bench-"));
const home = newHome();
try {
  const folder = join(work, "tree");
  plant(folder);
  const plane = await spawnPlane(home);
  const caches = join(work, "cache");
  const program = join(work, "upload.mjs");
  await bundled(program);
  say("first upload", await upload(program, plane, folder, caches), "≤ 250 MB RSS");
  say("again", await upload(program, plane, folder, caches), "≤ 2 s");
  appendFileSync(join(folder, "package7/module7/step7.py"), "# changed\n");
  say("after one file has changed", await upload(program, plane, folder, caches));
  say("again, with nothing known", await upload(program, plane, folder, join(work, "other-cache")));
  await plane.kill();
} finally {
  clearHome(home);
  rmSync(work, { recursive: true, force: true });
}
