/** Archives of folders on this machine's disk, read by the system's own tar. */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, describe, expect, test } from "vitest";
import { batches, LEVEL } from "../../packages/cli/src/inputs/batch.ts";
import { Changed, fingerprint } from "../../packages/cli/src/inputs/content.ts";
import { type Entry, largest, list } from "../../packages/cli/src/inputs/list.ts";
import { pack } from "../../packages/cli/src/inputs/pack.ts";
import { clear, folder, temporary } from "./support/folder.ts";

afterEach(clear);

/** All of a folder as one archive, in a file. */
async function archive(root: string, entries: readonly Entry[] = list(root).entries) {
  await using packed = await pack(root, entries);
  const file = join(temporary(), "out.tgz");
  writeFileSync(file, await buffer(packed.read()));
  return { file, sha256: packed.sha256, size: packed.size, entries: packed.entries };
}

/** What the system's tar makes of an archive. */
function unpacked(file: string): string {
  const target = temporary();
  execFileSync("tar", ["-xf", file, "-C", target, "--no-same-owner"]);
  return target;
}

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
    const target = unpacked(file);
    const listed = execFileSync("sh", ["-c", "find . | sort; ./link; cat ./@odd ./-dash; readlink link"], {
      cwd: target,
    });
    expect(listed.toString()).toBe(".\n./-dash\n./@odd\n./bin\n./bin/run\n./empty\n./link\nxybin/run\n");
  });

  test("links that lead out of it are named", () => {
    const root = folder({ "in.txt": "", "sub/": "" });
    symlinkSync("/etc/hosts", join(root, "absolute"));
    symlinkSync("../../elsewhere", join(root, "sub/outside"));
    symlinkSync("../in.txt", join(root, "sub/inside"));
    expect(list(root).stray).toEqual(["absolute", "sub/outside"]);
  });

  test("names of all lengths and bytes, which old archives' fields cannot hold", async () => {
    const long = `${"d".repeat(120)}/${"e".repeat(60)}/${"f".repeat(99)}`;
    const longer = `${"d".repeat(200)}/${"é".repeat(120)}`;
    const names = [
      long,
      longer,
      "new\nline",
      " space ",
      "back\\slash",
      "語.txt",
      `${"g".repeat(99)}/x`,
      "h".repeat(100),
    ];
    const root = folder(Object.fromEntries(names.map(name => [name, name])));
    const odd = Buffer.concat([Buffer.from(`${root}/odd-`), Buffer.of(0xff, 0x41, 0xc3, 0x28)]);
    writeFileSync(odd, "odd");
    mkdirSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0xe9)]));
    writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0xe9), Buffer.from("/in")]), "in");
    symlinkSync(`./${"t".repeat(150)}`, join(root, "link"));
    const target = unpacked((await archive(root)).file);
    expect(tree(target)).toEqual(tree(root));
    expect(tree(root)).toHaveLength(names.length + 8);
  });

  test("what many sizes of files hold, dense and not", async () => {
    const sizes = [0, 1, 511, 512, 513, 16_383, 16_384, 262_143, 262_144, 262_145, 3_000_000];
    const root = folder({});
    for (const size of sizes) {
      writeFileSync(join(root, `dense-${size}`), crypto.getRandomValues(new Uint8Array(Math.min(size, 65_536))));
      appendFileSync(join(root, `dense-${size}`), Buffer.alloc(Math.max(0, size - 65_536), 7));
      writeFileSync(join(root, `text-${size}`), Buffer.alloc(size, "some text\n"));
    }
    const { file, size } = await archive(root);
    expect(tree(unpacked(file))).toEqual(tree(root));
    expect(size).toBeLessThan(1_000_000);
  });

  test("permissions as they are, but for the umask's part and for what would run as somebody else", async () => {
    const root = folder({ secret: "", tool: "", "shared/": "", "closed/in": "" });
    chmodSync(join(root, "secret"), 0o600);
    chmodSync(join(root, "tool"), 0o6775);
    chmodSync(join(root, "shared"), 0o2777);
    chmodSync(join(root, "closed"), 0o555);
    const target = unpacked((await archive(root)).file);
    const modes = ["secret", "tool", "shared", "closed"].map(name => lstatSync(join(target, name)).mode & 0o7777);
    expect(modes.map(mode => mode.toString(8))).toEqual(["600", "755", "755", "755"]);
    chmodSync(join(root, "closed"), 0o755);
  });

  test("sockets and pipes stay, and so does what is gone when its turn comes", async () => {
    const root = folder({ a: "a", b: "b" });
    execFileSync("mkfifo", [join(root, "pipe")]);
    const { entries } = list(root);
    expect(entries.map(entry => entry.path)).toEqual(["a", "b"]);
    rmSync(join(root, "a"));
    const packed = await archive(root, entries);
    expect([packed.entries.map(entry => entry.path), readdirSync(unpacked(packed.file))]).toEqual([["b"], ["b"]]);
  });

  test("a file that is written while it is read is not taken for whole", async () => {
    const root = folder({ log: "x".repeat(600_000) });
    const { entries } = list(root);
    const grow = () => appendFileSync(join(root, "log"), "more");
    await expect(pack(root, entries, { onProgress: grow })).rejects.toThrow(Changed);
    const shrink = () => writeFileSync(join(root, "log"), "");
    await expect(pack(root, list(root).entries, { onProgress: shrink })).rejects.toThrow(Changed);
  });

  test("a file that became a link is not followed", async () => {
    const root = folder({ a: "a" });
    const { entries } = list(root);
    rmSync(join(root, "a"));
    symlinkSync("/etc/hostname", join(root, "a"));
    await expect(pack(root, entries)).rejects.toThrow(Changed);
  });

  test("the hash is of the file's bytes", async () => {
    const root = folder({ "a.txt": "abc" });
    const [entry] = list(root).entries;
    if (entry?.kind !== "file") throw new Error("there is no file");
    expect(await fingerprint(root, entry)).toMatchObject({
      sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      stamp: { size: 3 },
    });
  });

  test("the largest things are summed by folder", () => {
    const root = folder({ "data/x/1": "12345", "data/x/2": "12345", "data/y": "1", "small.txt": "12" });
    expect(largest(list(root).entries, 2)).toEqual([
      { path: "data/x", size: 10 },
      { path: "small.txt", size: 2 },
    ]);
  });
});

test("what does not shrink is only stored; numbers in a row, of which a part is noise, do shrink", () => {
  const noise = crypto.getRandomValues(new Uint8Array(65_536));
  const numbers = new Uint8Array(262_144).map((_, at) => (at % 4 === 0 ? (noise[at / 4] ?? 0) : 63));
  const text = new TextEncoder().encode("loss.backward()\n".repeat(2000));
  const small = noise.subarray(0, 512);
  const found = Array.from(batches([text, small, noise, small, numbers]), ({ bytes, level }) => [bytes.length, level]);
  expect(found).toEqual([
    [text.length + 512, LEVEL],
    [noise.length + 512, 0],
    [numbers.length, LEVEL],
  ]);
});

/** Everything below a folder with what it holds, names as bytes. */
function tree(root: string): string[] {
  const found: string[] = [];
  const walk = (folder: Buffer): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true, encoding: "buffer" })) {
      const path = Buffer.concat([folder, Buffer.from("/"), entry.name]);
      const name = path.subarray(Buffer.byteLength(root)).toString("latin1");
      if (entry.isDirectory()) walk(path);
      const target = entry.isSymbolicLink() ? readlinkSync(path) : "";
      const content = entry.isFile() ? readFileSync(path).toString("latin1") : target;
      found.push(`${name} ${lstatSync(path).mode & 0o777} ${content}`);
    }
  };
  walk(Buffer.from(root));
  return found.sort();
}
