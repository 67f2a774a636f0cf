/** SST's platform: its components and Pulumi's runtime, as `sst install` writes them below `.sst/`. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../../..");
export const dotSst = join(root, ".sst");
export const platform = join(dotSst, "platform");

/** Requires a module as the config program sees it. */
export const fromPlatform = (name: string): unknown => createRequire(join(platform, "package.json"))(name);

/** Vitest's globalSetup: installs the platform where it is missing, in 3 s and from npm's registry only. */
export function setup(): void {
  if (existsSync(join(dotSst, "provider-lock.json")) && existsSync(join(platform, "node_modules/@pulumi/aws"))) return;
  execFileSync(join(root, "node_modules/.bin/sst"), ["install"], {
    cwd: root,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      SST_SKIP_DEPENDENCY_CHECK: "1",
      SST_TELEMETRY_DISABLED: "1",
      SST_STAGE: "dev",
      SST_BUN_PATH: join(root, "node_modules/bun/bin/bun.exe"),
    },
  });
}
