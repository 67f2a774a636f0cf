/** Sending folders: real folders on this machine's disk, and the real embedded control plane in this process. */
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { openCache } from "../../packages/cli/src/inputs/cache.ts";
import { sendFolder } from "../../packages/cli/src/inputs/folder.ts";
import { type FileEntry, list, unreadable } from "../../packages/cli/src/inputs/list.ts";
import { output } from "../../packages/cli/src/output.ts";
import { type InProcess, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});
const temporary = (): string => {
  made.push(mkdtempSync(join(tmpdir(), "muster-upload-")));
  return made.at(-1)!;
};

const planes: InProcess[] = [];
beforeAll(async () => void planes.push(await openPlane()));
afterAll(async () => {
  for (const plane of planes) await plane.close();
});

/** A person's machine: a working folder, what is remembered of it, and what was said. */
class Machine {
  readonly root = join(temporary(), "work");
  readonly caches = join(temporary(), "cache", "muster");
  readonly notes: string[] = [];
  readonly asked: number[] = [];

  constructor() {
    mkdirSync(this.root);
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(join(this.root, path)), { recursive: true });
    writeFileSync(join(this.root, path), content);
  }

  /** Sends the folder. @returns the hashes of its packs. */
  async send(more: { signal?: AbortSignal; yes?: boolean } = {}): Promise<string[]> {
    const { api } = planes[0]!;
    const say = (line: string): void => void this.notes.push(line);
    const out = { ...output({}, { CI: "true", NO_COLOR: "1" }), note: say, warn: say };
    const uploads: typeof api.uploads = {
      create: (input, options) => {
        this.asked.push(input.body.items.length);
        return api.uploads.create(input, options);
      },
    };
    const { yes = false, signal } = more;
    const ask = { yes, interactive: false };
    const means = { out, client: { uploads }, ask, caches: this.caches, ...(signal && { signal }) };
    this.notes.splice(0);
    this.asked.splice(0);
    return sendFolder(means, { path: this.root, written: ".", title: "work/" });
  }

  /** What a host would have: the packs, fetched and unpacked one after the other. */
  async landed(packs: readonly string[]): Promise<string> {
    const target = temporary();
    const { blobs } = planes[0]!.plane.world;
    for (const sha256 of packs) {
      const bytes = await blobs.get(`uploads/local/${sha256}`);
      const file = join(temporary(), "pack");
      writeFileSync(file, bytes!);
      execFileSync("tar", ["-xf", file, "-C", target]);
    }
    return target;
  }
}

const same = (a: string, b: string): string => execFileSync("diff", ["-r", "--no-dereference", a, b]).toString();

const PLENTY = 9_000_000;
const noise = (size: number): Uint8Array => {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  return bytes;
};

describe("a folder", () => {
  test("arrives as it is, in several packs, and nothing of it is sent twice", async () => {
    const here = new Machine();
    here.write("big.bin", noise(PLENTY));
    here.write("src/train.py", "print(1)\n");
    here.write("src/run.sh", "#!/bin/sh\n");
    chmodSync(join(here.root, "src/run.sh"), 0o755);
    mkdirSync(join(here.root, "empty"));
    symlinkSync("src/train.py", join(here.root, "link"));
    const first = await here.send();
    expect(here.notes.join("\n")).toMatch(/3 files, 9.0 MB; 2 of 2 packs sent \(9.0 MB\)/);
    const target = await here.landed(first);
    expect([same(here.root, target), readdirSync(target)]).toEqual(["", ["big.bin", "empty", "link", "src"]]);
    expect(statSync(join(target, "src/run.sh")).mode & 0o777).toBe(0o755);
    expect(await here.send()).toEqual(first);
    expect([here.asked, here.notes]).toEqual([[2], ["  work/: 3 files, 9.0 MB; all of it is there already"]]);
  });

  test("without a single file is a pack too", async () => {
    const here = new Machine();
    const packs = await here.send();
    expect(packs).toHaveLength(1);
    expect(readdirSync(await here.landed(packs))).toEqual([]);
  });

  test("of which one file changes is sent again in that file's pack alone; what is deleted is gone", async () => {
    const here = new Machine();
    here.write("big.bin", noise(PLENTY));
    here.write("a.txt", "a");
    here.write("b.txt", "b");
    const first = await here.send();
    here.write("a.txt", "changed");
    rmSync(join(here.root, "b.txt"));
    const second = await here.send();
    expect(here.notes.at(-1)).toMatch(/1 of 2 packs sent/);
    expect(second.filter(pack => first.includes(pack))).toHaveLength(1);
    expect(same(here.root, await here.landed(second))).toBe("");
    expect(readFileSync(join(await here.landed(first), "b.txt"), "utf8")).toBe("b");
  });

  test("is the same packs on another machine, and nothing is sent from there", async () => {
    const here = new Machine();
    for (let file = 0; file < 30; file++) here.write(`d${file % 3}/f${file}`, noise(500_000));
    const first = await here.send();
    const there = new Machine();
    cpSync(here.root, there.root, { recursive: true });
    expect(await there.send()).toEqual(first);
    expect(there.notes.at(-1)).toMatch(/0 of \d+ packs sent \(0 B\)/);
  });

  test("that would send more than a gigabyte is asked about, with what makes it big", async () => {
    const here = new Machine();
    here.write("data/set.bin", "");
    truncateSync(join(here.root, "data/set.bin"), 1_100_000_000);
    here.write("small.txt", "small");
    await expect(here.send()).rejects.toThrow("work/: 1.1 GB would be sent: this needs --yes");
    expect(here.notes).toContain("     1.1 GB  data/set.bin");
    expect(here.asked).toEqual([]);
  });

  test("that cannot be read is refused with the path", async () => {
    const here = new Machine();
    rmSync(here.root, { recursive: true });
    await expect(here.send()).rejects.toThrow(`cannot read ${here.root}: `);
    const closed = unreadable("/data/a", Object.assign(new Error("EACCES: …"), { code: "EACCES" }));
    expect(closed.message).toBe("cannot read /data/a: permission denied");
  });

  test("leaves no file behind when it is interrupted, and goes on from there the next time", async () => {
    const here = new Machine();
    for (let file = 0; file < 6; file++) here.write(`${file}.bin`, noise(PLENTY));
    const stop = new AbortController();
    const before = new Set(readdirSync(tmpdir()));
    const sending = here.send({ signal: stop.signal });
    await until("some packs to be asked for", () => here.asked.length >= 4);
    stop.abort(new Error("interrupted"));
    await expect(sending).rejects.toThrow();
    expect(readdirSync(tmpdir()).filter(name => !before.has(name) && /^muster-[0-9a-f]{8}-/.test(name))).toEqual([]);
    const packs = await here.send();
    expect(packs).toHaveLength(6);
    expect(here.notes.at(-1)).not.toMatch(/6 of 6 packs sent/);
    expect(same(here.root, await here.landed(packs))).toBe("");
  });
});

describe("what is remembered", () => {
  const LATER = () => Date.now() + 60_000;
  const entryOf = (root: string, path: string): FileEntry => {
    const entry = list(root).entries.find(one => one.path === path);
    if (entry?.kind !== "file") throw new Error(`there is no file ${path}`);
    return entry;
  };
  /** A folder with one file, whose content is remembered. */
  function known(): Machine & { readonly entry: FileEntry } {
    const here = new Machine();
    here.write("a.txt", "one");
    const entry = entryOf(here.root, "a.txt");
    const cache = openCache(here.caches, here.root, LATER);
    cache.learnContent("a.txt", entry.stamp, "1".repeat(64), LATER());
    cache.save(list(here.root));
    return Object.assign(here, { entry });
  }
  const recalled = (here: Machine): string | undefined =>
    openCache(here.caches, here.root).contentOf(entryOf(here.root, "a.txt"));

  test("a file that nobody touched", () => {
    expect(recalled(known())).toBe("1".repeat(64));
  });

  test("not one that was touched, changed with its time set back, or replaced", () => {
    const touched = known();
    const [now] = [new Date()];
    utimesSync(join(touched.root, "a.txt"), now, now);
    const changed = known();
    const { mtimeMs } = changed.entry.stamp;
    changed.write("a.txt", "two");
    utimesSync(join(changed.root, "a.txt"), mtimeMs / 1000, mtimeMs / 1000);
    const replaced = known();
    writeFileSync(join(replaced.root, "beside"), "two");
    renameSync(join(replaced.root, "beside"), join(replaced.root, "a.txt"));
    expect([touched, changed, replaced].map(recalled)).toEqual([undefined, undefined, undefined]);
  });

  test("not one that was written so shortly before it was read that it could be written again unseen", () => {
    const here = known();
    const cache = openCache(here.caches, here.root);
    cache.learnContent("a.txt", here.entry.stamp, "2".repeat(64), here.entry.stamp.ctimeMs + 1);
    expect(cache.contentOf(here.entry)).toBeUndefined();
  });

  test("not by a file that was changed, cut short, or is another folder's", () => {
    const spoil: ((path: string) => void)[] = [
      path => writeFileSync(path, readFileSync(path, "utf8").replace("1111", "2222")),
      path => truncateSync(path, statSync(path).size - 100),
      path => writeFileSync(path, ""),
      path => appendFileSync(path, "\n"),
    ];
    for (const change of spoil) {
      const here = known();
      expect(recalled(here)).toBeDefined();
      change(join(here.caches, readdirSync(here.caches)[0]!));
      expect(recalled(here)).toBeUndefined();
    }
    const [one, other] = [known(), known()];
    const place = join(one.caches, readdirSync(one.caches)[0]!);
    mkdirSync(other.caches, { recursive: true });
    writeFileSync(join(other.caches, readdirSync(other.caches)[0]!), readFileSync(place));
    expect(recalled(other)).toBeUndefined();
  });

  test("for its owner alone, and no more folders than a hundred", () => {
    const here = known();
    expect(statSync(here.caches).mode & 0o777).toBe(0o700);
    for (let folder = 0; folder < 110; folder++) {
      const root = temporary();
      const cache = openCache(here.caches, root);
      cache.learnArchive("d", { sha256: "a", size: 1 });
      cache.save({ entries: [] });
    }
    const names = readdirSync(here.caches);
    expect(names).toHaveLength(100);
    expect(names.map(name => statSync(join(here.caches, name)).mode & 0o777)).toEqual(names.map(() => 0o600));
  });

  test("a file that is touched, and holds what it held, is read but not packed again", async () => {
    const here = new Machine();
    here.write("big.bin", noise(PLENTY));
    const first = await here.send();
    const later = new Date(Date.now() + 5000);
    utimesSync(join(here.root, "big.bin"), later, later);
    expect(await here.send()).toEqual(first);
    expect(here.notes).toEqual(["  work/: 1 file, 9.0 MB; all of it is there already"]);
  });

  test("a change that keeps size and time is sent, however soon after the first time", async () => {
    const here = new Machine();
    here.write("a.txt", "one");
    const time = statSync(join(here.root, "a.txt")).mtime;
    await here.send();
    here.write("a.txt", "two");
    utimesSync(join(here.root, "a.txt"), time, time);
    expect(readFileSync(join(await here.landed(await here.send()), "a.txt"), "utf8")).toBe("two");
  });

  test("a control plane that lost the packs gets them again", async () => {
    const here = new Machine();
    here.write("a.txt", "one");
    const first = await here.send();
    await planes[0]!.plane.world.blobs.remove(`uploads/local/${first[0]}`);
    expect(await here.send()).toEqual(first);
    expect(same(here.root, await here.landed(first))).toBe("");
  });
});
