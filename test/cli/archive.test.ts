/** The archive of a working folder, from real folders on this machine's disk; ignore rules are held against git's own. */
import { execFileSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { fingerprint, largest, list, pack } from "../../packages/cli/src/archive.ts";

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

const temporary = (): string => {
  made.push(mkdtempSync(join(tmpdir(), "muster-archive-")));
  return made.at(-1)!;
};

/** A folder with these files; a name that ends with `/` is a folder. */
function folder(files: Readonly<Record<string, string>>): string {
  const root = temporary();
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(path.endsWith("/") ? join(root, path) : dirname(join(root, path)), { recursive: true });
    if (!path.endsWith("/")) writeFileSync(join(root, path), content);
  }
  return root;
}

const paths = (root: string): string[] => list(root).entries.map(entry => entry.path);
const archive = (root: string) => pack(list(root), join(temporary(), "out.tgz"));

describe("the same folder is the same bytes", () => {
  test("whatever its times, its owner's umask, and the order in which it was made", async () => {
    const one = folder({ "b.txt": "b", "a/c.txt": "c", "a/": "", "é.txt": "é" });
    const other = folder({ "é.txt": "é", "a/c.txt": "c", "b.txt": "b" });
    utimesSync(join(other, "b.txt"), 1, 1);
    chmodSync(join(other, "b.txt"), 0o664);
    expect((await archive(other)).sha256).toBe((await archive(one)).sha256);
  });

  test("a changed byte, a changed name and a bit that makes it a program are other bytes", async () => {
    const root = folder({ "run.sh": "echo" });
    const before = (await archive(root)).sha256;
    chmodSync(join(root, "run.sh"), 0o755);
    const program = (await archive(root)).sha256;
    writeFileSync(join(root, "run.sh"), "echo!");
    expect(new Set([before, program, (await archive(root)).sha256]).size).toBe(3);
  });

  test("a second name of the same file is a file of its own", async () => {
    const linked = folder({ "a.txt": "same" });
    linkSync(join(linked, "a.txt"), join(linked, "b.txt"));
    const copied = folder({ "a.txt": "same", "b.txt": "same" });
    expect((await archive(linked)).sha256).toBe((await archive(copied)).sha256);
  });
});

describe("what is in it", () => {
  test("the folder as it is: programs stay programs, empty folders and links inside it stay", async () => {
    const root = folder({ "bin/run": "#!/bin/sh\n", "empty/": "", "@odd": "x", "-dash": "y" });
    chmodSync(join(root, "bin/run"), 0o755);
    symlinkSync("bin/run", join(root, "link"));
    const { file } = await archive(root);
    const target = temporary();
    execFileSync("tar", ["-xzf", file, "-C", target]);
    const listed = execFileSync("sh", ["-c", "find . | sort; ./link; cat ./@odd ./-dash; readlink link"], {
      cwd: target,
    });
    expect(listed.toString()).toBe(".\n./-dash\n./@odd\n./bin\n./bin/run\n./empty\n./link\nxybin/run\n");
  });

  test("an empty folder is an archive too", async () => {
    const { file } = await archive(folder({}));
    expect(execFileSync("tar", ["-tzf", file]).toString()).toBe("./\n");
  });

  test("links that lead out of it are named", () => {
    const root = folder({ "in.txt": "", "sub/": "" });
    symlinkSync("/etc/hosts", join(root, "absolute"));
    symlinkSync("../../elsewhere", join(root, "sub/outside"));
    symlinkSync("../in.txt", join(root, "sub/inside"));
    expect(list(root).stray).toEqual(["absolute", "sub/outside"]);
  });

  test("the hash is of the file's bytes", async () => {
    const root = folder({ "a.txt": "abc" });
    expect(await fingerprint(join(root, "a.txt"))).toEqual({
      sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      size: 3,
    });
  });

  test("the largest things are summed by folder", () => {
    const root = folder({ "data/x/1": "12345", "data/x/2": "12345", "data/y": "1", "small.txt": "12" });
    expect(largest(list(root), 2)).toEqual([
      { path: "data/x", size: 10 },
      { path: "small.txt", size: 2 },
    ]);
  });
});

describe("what stays at home", () => {
  test("what never makes sense on a host, at any depth", () => {
    const root = folder({
      ...{ ".git/HEAD": "", ".venv/x": "", "a/node_modules/x": "", "a/__pycache__/x": "", "a/b.py": "", ".env": "" },
    });
    expect(paths(root)).toEqual([".env", "a", "a/b.py"]);
  });

  test("the rules of .musterignore stand over those of .gitignore", () => {
    const root = folder({
      ".gitignore": "*.bin\n",
      ".musterignore": "!model.bin\nnotes/\n!.venv/\n",
      ...{ "model.bin": "", "other.bin": "", "notes/a": "", ".venv/x": "" },
    });
    expect(paths(root)).toEqual([".gitignore", ".musterignore", ".venv", ".venv/x", "model.bin"]);
  });

  test("a folder that is named is sent, even where the repository around it leaves it out", () => {
    const root = folder({
      ".gitignore": "build/\n*.o\n",
      ".git/HEAD": "",
      "build/app": "",
      "src/a.o": "",
      "src/a.c": "",
    });
    expect(paths(join(root, "build"))).toEqual(["app"]);
    expect(paths(join(root, "src"))).toEqual(["a.c"]);
  });

  test("git itself leaves out the same files", () => {
    const root = folder({
      ".gitignore":
        "*.log\n!keep.log\n/top\ndist/\n**/cache/*\n!**/cache/.keep\n# comment\n\\#hash\ntrailing \nfoo[0-9].txt\n",
      "sub/.gitignore": "!*.log\nlocal\n/only-here\n",
      ...{ "a.log": "", "keep.log": "", top: "", "sub/top": "", "dist/x": "", "sub/dist/x": "", "sub/b.log": "" },
      ...{ "x/cache/1": "", "x/cache/.keep": "", "#hash": "", trailing: "", "foo1.txt": "", "foox.txt": "" },
      ...{
        "sub/local/x": "",
        "sub/deep/local": "",
        "sub/only-here": "",
        "sub/deep/only-here": "",
        "sub/deep/c.log": "",
      },
    });
    execFileSync("git", ["init", "-q"], { cwd: root });
    const git = execFileSync("git", ["ls-files", "-co", "--exclude-standard"], { cwd: root }).toString();
    const files = list(root).entries.filter(entry => !isFolder(root, entry.path));
    expect(files.map(entry => entry.path).sort()).toEqual(git.trim().split("\n").map(unquoted).sort());
  });
});

const isFolder = (root: string, path: string): boolean =>
  list(root).entries.some(entry => entry.path.startsWith(`${path}/`));
const unquoted = (line: string): string => (line.startsWith('"') ? JSON.parse(line) : line);
