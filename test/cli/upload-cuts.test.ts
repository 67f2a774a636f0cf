/** How a folder is cut into packs, over random folders that are on no disk. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cut, weigh } from "../../packages/cli/src/inputs/cut.ts";
import type { Entry, FileEntry, Stamp } from "../../packages/cli/src/inputs/list.ts";

/** fast-check's assert may give a promise; not for properties that give none. */
const verify: <T>(property: fc.IProperty<T>, parameters?: fc.Parameters<T>) => void = fc.assert;

describe("where the cuts are", () => {
  const stamp = (size: number): Stamp => ({ size, mtimeMs: 0, ctimeMs: 0, ino: 0 });
  const fileOf = (path: string, size: number): FileEntry => ({ path, kind: "file", mode: 0o644, stamp: stamp(size) });
  const UNIT = 80_000;
  const sizes = fc.oneof(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 0, max: 100_000 }));
  const folders = fc
    .uniqueArray(fc.tuple(fc.stringMatching(/^[a-z]{1,3}\/[a-z0-9]{4,12}$/), sizes), {
      selector: ([path]) => path,
      minLength: 1,
      maxLength: 600,
    })
    .map(files => sorted(files.map(([path, size]) => fileOf(path, size))));
  const sorted = (files: readonly FileEntry[]) => files.toSorted((a, b) => (a.path < b.path ? -1 : 1));
  const nameOf = (run: readonly Entry[]): string => JSON.stringify(run);
  const changed = (before: readonly Entry[], after: readonly Entry[]): number => {
    const had = new Set(cut(before, UNIT, 10_000).map(nameOf));
    return cut(after, UNIT, 10_000).filter(run => !had.has(nameOf(run))).length;
  };

  test("every entry is in one run, in order, and no run is too large unless one file is", () => {
    verify(
      fc.property(folders, files => {
        const runs = cut(files, UNIT, 10_000);
        expect(sorted(runs.flat() as FileEntry[])).toEqual(files);
        for (const run of runs) {
          expect(run.length).toBeGreaterThan(0);
          expect(run.length === 1 || weigh(run) <= UNIT * 4).toBe(true);
        }
      }),
    );
  });

  test("a file that comes, goes, changes or is renamed changes a few runs", () => {
    const at = fc.nat();
    verify(
      fc.property(folders, at, sizes, (files, index, size) => {
        const place = index % files.length;
        const fresh = fileOf(`${files[place]!.path}x`, size);
        const without = files.toSpliced(place, 1);
        expect(changed(files, sorted([...files, fresh]))).toBeLessThanOrEqual(6);
        expect(changed(files, without)).toBeLessThanOrEqual(6);
        expect(changed(files, sorted([...without, fileOf(files[place]!.path, size)]))).toBeLessThanOrEqual(6);
        expect(changed(files, sorted([...without, fresh]))).toBeLessThanOrEqual(8);
      }),
      { numRuns: 300 },
    );
  });

  test("most of the time, one", () => {
    const files = Array.from({ length: 5000 }, (_, index) => fileOf(`dir/${String(index).padStart(6, "0")}`, 1500));
    const counts = Array.from({ length: 100 }, (_, index) => changed(files, files.toSpliced(index * 50, 1)));
    expect(counts.filter(count => count === 1).length).toBeGreaterThan(70);
    expect(cut(files, UNIT, 10_000).length).toBeGreaterThan(50);
  });

  test("a small project is one run, 2 GB are some 150, and nothing is more than 1000", () => {
    const many = (count: number, size: number) =>
      Array.from({ length: count }, (_, index) => fileOf(`${index % 500}/${index}`, size));
    expect(cut(many(300, 10_000))).toHaveLength(1);
    const usual = cut(many(50_000, 41_000)).length;
    expect(usual > 100 && usual < 250).toBe(true);
    expect(cut(many(4000, 100_000_000)).length).toBeLessThanOrEqual(800);
    expect(cut(many(200_000, 1_000_000)).length).toBeLessThanOrEqual(800);
  });
});
