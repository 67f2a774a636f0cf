/** What of a working folder stays at home, from real folders on this machine's disk; git itself is asked too. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { isLeftOut, list } from "../../packages/cli/src/inputs/list.ts";
import { clear, folder } from "./support/folder.ts";

afterEach(clear);

const paths = (root: string): string[] => list(root).entries.map(entry => entry.path);

describe("what stays at home", () => {
  test("what never makes sense on a host, at any depth", () => {
    const root = folder({
      ...{ ".git/HEAD": "", ".venv/x": "", "a/node_modules/x": "", "a/__pycache__/x": "", "a/b.py": "", ".env": "" },
    });
    expect(paths(root)).toEqual([".env", "a", "a/b.py"]);
  });

  test("environments of Python's, by what marks them and whatever they are called, unless their names are taken back", () => {
    const root = folder({
      ...{ "myenv/pyvenv.cfg": "", "myenv/lib/x": "", "tools/conda/conda-meta/history": "", "tools/conda/bin/x": "" },
      ...{ "kept/pyvenv.cfg": "", "meta/conda-meta/other": "", ".gitignore": "!kept/\n!*.py\n!*/\n", "venv.py": "" },
    });
    expect(paths(root)).toEqual([
      ...[".gitignore", "kept", "kept/pyvenv.cfg", "meta", "meta/conda-meta", "meta/conda-meta/other"],
      ...["tools", "venv.py"],
    ]);
    expect(isLeftOut(root, "myenv/lib/x")).toBe(true);
    expect(isLeftOut(root, "kept/pyvenv.cfg")).toBe(false);
  });

  test("rules that let through all that others keep do not let through the repository itself", () => {
    const root = folder({
      ".gitignore": "*\n!*/\n!*.py\n",
      ".git/x.py": "",
      "node_modules/x.py": "",
      "a/b.py": "",
      "a/c": "",
    });
    expect(paths(root)).toEqual(["a", "a/b.py"]);
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
