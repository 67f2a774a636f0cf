/** The packed CLI, as npm makes, installs and runs it away from this repository, with its own control plane and agent. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { EXAMPLES, Home } from "./support/muster.ts";

const PACKAGE = fileURLToPath(new URL("../../packages/cli", import.meta.url));

test("what is packed has no dependencies, installs offline, and runs a job", { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "muster-pack-"));
  try {
    execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: PACKAGE, stdio: "pipe" });
    const [tarball = ""] = readdirSync(folder);
    const prefix = join(folder, "prefix");
    const install = ["install", "--global", "--offline", "--prefix", prefix, join(folder, tarball)];
    execFileSync("npm", install, { cwd: folder, stdio: "pipe" });
    const installed = join(prefix, "lib/node_modules/@muster/cli");
    const files = execFileSync("find", [".", "-type", "f"], { cwd: installed }).toString().trim().split("\n").sort();
    expect(files.filter(file => !/^\.\/dist\/[\w-]+-[A-Z0-9]{8}\.js$/.test(file))).toEqual([
      ...["./README.md", "./bin/muster.js", "./dist/muster.js", "./package.json"],
    ]);
    expect(JSON.parse(readFileSync(join(installed, "package.json"), "utf8")).dependencies).toBeUndefined();
    await using home = new Home({}, join(prefix, "bin/muster"));
    const { code, out, err } = await home.run("launch", join(EXAMPLES, "hello.yaml"));
    expect(out, err).toContain("hello, world\n");
    expect(code).toBe(0);
    // What signs with AWS credentials is in a file that is loaded by this command alone.
    const bootstrap = await home.run("bootstrap", "https://127.0.0.1:1", "--region", "eu-central-1");
    expect([bootstrap.code, bootstrap.err]).toEqual([121, expect.stringContaining("no AWS credentials")]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("an old Node is told what is needed, and nothing else", () => {
  const text = readFileSync(join(PACKAGE, "bin/muster.js"), "utf8");
  const old = text.replace("process.versions.node", '"20.11.0"');
  const input = old.replace("#!/usr/bin/env node\n", "").replaceAll("import.meta.url", '"file:///nowhere/bin/x.js"');
  const run = () => execFileSync(process.execPath, ["--input-type=module"], { input, stdio: "pipe" });
  expect(run).toThrow(/muster: needs Node 24 or newer/);
});
