/** What hosts fetch: real tarballs of npm's registry, and the real bundle, started by this machine's Node. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { bundleAgent } from "../../stacks/runtime/agent.ts";
import { NODE, tarball } from "../../stacks/runtime/tarballs.ts";
import { dotSst, root } from "./harness/platform.ts";

const scratch = mkdtempSync(join(tmpdir(), "muster-runtime-"));
afterAll(() => rmSync(scratch, { recursive: true }));

test("hosts run the Node that the house runs", () => {
  const { devDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    devDependencies: Record<string, string>;
  };
  expect(NODE.version).toBe(devDependencies.node);
});

test.each(["x64", "arm64"] as const)("the tarball for %s has its hash, and node where hosts look for it", arch => {
  const path = tarball(join(dotSst, "runtime"), arch);
  expect(createHash("sha256").update(readFileSync(path)).digest("hex")).toBe(NODE.sha256[arch]);
  const node = execFileSync("tar", ["-xzOf", path, "package/bin/node"], { maxBuffer: 1e9 }).subarray(0, 20);
  // An ELF file whose machine is x86-64 (0x3e) or AArch64 (0xb7).
  expect([node.subarray(1, 4).toString(), node.readUInt16LE(18)]).toEqual(["ELF", arch === "x64" ? 0x3e : 0xb7]);
});

test("a file that is there is taken as it is: it has its name for its bytes", () => {
  const path = join(scratch, NODE.sha256.x64);
  writeFileSync(path, "checked before");
  expect(tarball(scratch, "x64")).toBe(path);
});

test("the agent is one small file under its hash, and says its version", () => {
  const sha256 = bundleAgent(root, scratch);
  const bytes = readFileSync(join(scratch, sha256));
  expect(createHash("sha256").update(bytes).digest("hex")).toBe(sha256);
  expect(bundleAgent(root, scratch)).toBe(sha256);
  expect(bytes.length).toBeLessThan(200_000);
  const module = join(scratch, "agent.mjs");
  writeFileSync(module, bytes);
  expect(execFileSync(process.execPath, [module, "version"], { encoding: "utf8" })).toMatch(/^\d+\.\d+\.\d+\s*$/);
});
