/** Runs `sst diff`: the real command line and its bundler, with an AWS and an engine that are stand-ins. */
import { execFile, execFileSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Resource } from "../harness/graph.ts";
import { dotSst, root } from "../harness/platform.ts";
import { aws } from "./aws.ts";

export interface Diff {
  readonly errors: readonly string[];
  readonly resources: readonly Resource[];
  /** What the command line tells the provider to tag everything with. */
  readonly tags: unknown;
  /** Folder of a function's bundle, by the function's name in the program. */
  readonly bundle: (name: string) => string;
  /** What it printed. */
  readonly log: string;
  readonly remove: () => void;
}

/**
 * The house in a folder of its own, by links: the command line writes beside what it reads. The platform must be files,
 * since it tells its own from ours by their real paths; hard links are files and cost nothing.
 */
function house(): string {
  const folder = mkdtempSync(join(dotSst, "cli-"));
  for (const name of ["sst.config.ts", "stacks", "functions", "packages", "node_modules", "package.json"])
    symlinkSync(join(root, name), join(folder, name));
  mkdirSync(join(folder, ".sst"));
  for (const name of ["platform", "provider-lock.json", "runtime"])
    if (existsSync(join(dotSst, name))) execFileSync("cp", ["-al", join(dotSst, name), join(folder, ".sst")]);
  return folder;
}

function engine(folder: string): string {
  const bin = join(folder, "home/sst/bin");
  mkdirSync(bin, { recursive: true });
  const child = join(import.meta.dirname, "engine-child.ts");
  writeFileSync(join(bin, "pulumi"), `#!/bin/sh\nexec "${process.execPath}" "${child}" "${folder}/graph.json" "$@"\n`);
  chmodSync(join(bin, "pulumi"), 0o755);
  return join(folder, "home");
}

/** @throws Error with what the command line said when it did not come to a preview. */
export async function diff(stage: string): Promise<Diff> {
  const folder = house();
  const fake = await aws();
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const env = {
    HOME: folder,
    PATH: `${join(root, "node_modules/.bin")}:${process.env.PATH}`,
    XDG_CONFIG_HOME: engine(folder),
    AWS_ENDPOINT_URL: fake.url,
    AWS_ACCESS_KEY_ID: "nobody",
    AWS_SECRET_ACCESS_KEY: "nothing",
    AWS_EC2_METADATA_DISABLED: "true",
    SST_SKIP_DEPENDENCY_CHECK: "1",
    SST_TELEMETRY_DISABLED: "1",
    NO_BUN: "1",
  };
  const sst = join(root, "node_modules/.bin/sst");
  const ran = promisify(execFile)(sst, ["diff", "--stage", stage, "--print-logs"], {
    cwd: folder,
    env,
    maxBuffer: 1e8,
  });
  const { stdout, stderr } = await ran.catch((error: { stdout: string; stderr: string }) => error);
  fake.close();
  const log = stdout + stderr;
  if (!existsSync(join(folder, "graph.json"))) {
    remove();
    throw new Error(`sst diff came to no preview:\n${log}`);
  }
  const told = JSON.parse(readFileSync(join(folder, "graph.json"), "utf8").replaceAll(folder, root)) as Pick<
    Diff,
    "errors" | "resources" | "tags"
  >;
  return { ...told, bundle: name => join(folder, ".sst/artifacts", `${name}-src`), log, remove };
}
