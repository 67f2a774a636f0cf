/** The engine under test, and images for it that are made of programs of this machine: no registry is asked. */
import { execFileSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

export const KIND = process.env.MUSTER_TEST_ENGINE ?? "docker";

/** With which an agent finds this engine: where Podman is meant, Docker does not answer. */
export const engineEnv: Record<string, string> = {
  PATH: "/usr/local/bin:/usr/bin:/bin",
  ...(KIND === "podman" ? { DOCKER_HOST: "unix:///nowhere.sock" } : {}),
};

export const engine = (...words: readonly string[]): string =>
  execFileSync(KIND, words, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();

/** Names of all containers that the label of attempts finds. */
export const containers = (): string[] =>
  engine("ps", "-a", "--filter", "label=muster.attempt", "--format", "{{.Names}}").split("\n").filter(Boolean);

const TOOLS = [
  "sleep",
  "cat",
  "ls",
  "id",
  "env",
  "mkdir",
  "touch",
  "ps",
  "stat",
  "find",
  "chown",
  "chmod",
  "ln",
  "head",
  "nohup",
];

/** An image with these programs of the machine's; `sh` is there always. */
export function makeImage(name: string, programs: readonly string[] = []): void {
  execFileSync(KIND, ["import", "-", name], { input: imageOf(programs), stdio: ["pipe", "ignore", "pipe"] });
}

/** All that is in it, as a tar archive. */
export function imageOf(programs: readonly string[]): Buffer {
  const root = mkdtempSync(join(tmpdir(), "ma-image-"));
  try {
    // Others than root may live in it.
    chmodSync(root, 0o755);
    for (const folder of ["bin", "etc", "proc", "sys", "dev", "tmp", "root"]) mkdirSync(join(root, folder));
    for (const program of ["sh", ...TOOLS, ...programs]) install(root, program);
    writeFileSync(join(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n");
    return execFileSync("tar", ["-c", "-C", root, "."], { maxBuffer: 2 ** 30 });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function install(root: string, program: string): void {
  const path = where(program);
  copyFileSync(path, join(root, "bin", program));
  const libraries = execFileSync("sh", ["-c", 'ldd "$1"', "sh", path], { encoding: "utf8" }).match(/\/\S+/g) ?? [];
  for (const library of libraries) {
    mkdirSync(join(root, dirname(library)), { recursive: true });
    copyFileSync(library, join(root, library));
  }
}

function where(program: string): string {
  return execFileSync("sh", ["-c", `command -v ${program}`], { encoding: "utf8" }).trim();
}
