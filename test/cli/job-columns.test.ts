/** Jobs as cells, rows and CSV, and the options that choose among them: pure functions of the CLI. */
import type * as Job from "@muster/core/job/job.ts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import * as Columns from "../../packages/cli/src/job-columns.ts";
import { label } from "../../packages/cli/src/job-filter.ts";
import { output } from "../../packages/cli/src/output.ts";
import { instant } from "../../packages/cli/src/time-option.ts";

const NOW = Date.UTC(2026, 0, 31, 12);

const job = (more: Partial<Job.Info> = {}): Job.Info => ({
  id: "job_01J00000000000000000000000",
  state: "succeeded",
  coarse: "succeeded",
  done: true,
  clusterId: "clu_01J00000000000000000000000",
  clusterName: "demo",
  owner: "usr_ada",
  priority: 500,
  nodes: 2,
  attempts: 1,
  down: false,
  createdAt: NOW - 120_000,
  changedAt: NOW,
  startedAt: NOW - 90_000,
  endedAt: NOW - 30_000,
  exitCode: 0,
  ...more,
});

/** Reads RFC 4180, as a reader that this project has not written its own writer against would. */
function parsed(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/gy)) {
    rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === "\r\n") rows.push([]);
    if (end === "") break;
  }
  return rows;
}

describe("columns", () => {
  const out = output({}, {});

  test("are cells as people read them", () => {
    expect(Columns.cells(out, job(), ["job", "name", "exit", "took", "waited", "submitted"], NOW)).toEqual([
      ...["job_01J00000000000000000000000", "-", "0", "1 min 0 s", "30 s", "2m"],
    ]);
  });

  test("are values in CSV: times in ISO 8601, durations in seconds, nothing where there is none", () => {
    expect(Columns.csv([job({ labels: { team: "a,b", x: "" } })], ["name", "labels", "took", "submitted"])).toBe(
      'name,labels,took,submitted\r\n,"team=a,b x",60,2026-01-31T11:58:00.000Z',
    );
  });

  test("whatever a text holds, CSV gives it back", () => {
    void fc.assert(
      fc.property(
        fc.array(fc.string({ unit: fc.constantFrom("a", '"', ",", "\r", "\n", "é") }), { minLength: 1 }),
        names => {
          const jobs = names.map(name => job({ name }));
          expect(parsed(Columns.csv(jobs, ["name", "job"]))).toEqual([
            ["name", "job"],
            ...names.map(name => [name, "job_01J00000000000000000000000"]),
          ]);
        },
      ),
    );
  });

  test("put jobs in order, rising or falling, and what has no value last", () => {
    const jobs = [
      job({ name: "b", nodes: 1 }),
      job({ nodes: 3 }),
      job({ name: "a", nodes: 2 }),
      job({ name: "a", nodes: 9 }),
    ];
    const order = (text: string) => Columns.sorted(jobs, Columns.orders(text)).map(one => [one.name, one.nodes]);
    expect(order("name,-hosts")).toEqual([
      ["a", 9],
      ["a", 2],
      ["b", 1],
      [undefined, 3],
    ]);
    expect(order("-name")).toEqual([
      ["b", 1],
      ["a", 2],
      ["a", 9],
      [undefined, 3],
    ]);
    expect(order("hosts").map(([, nodes]) => nodes)).toEqual([1, 2, 3, 9]);
  });

  test("that there are not are told, with the one that may have been meant", () => {
    expect(() => Columns.columns("job,stat")).toThrow("(Did you mean state?)");
    expect(() => Columns.orders("-nothing-like-it")).toThrow("Columns are: job, name");
  });
});

describe("options", () => {
  test("moments are so long ago, or a day, or a time of it", () => {
    expect(
      [instant("90m", NOW), instant("1.5h", NOW), instant("3d", NOW), instant("1w", NOW)].map(at => NOW - at),
    ).toEqual([...[5_400_000, 5_400_000, 259_200_000, 604_800_000]]);
    expect(instant("2026-01-31")).toBe(new Date(2026, 0, 31).getTime());
    expect(instant("2026-01-31T10:00Z")).toBe(Date.UTC(2026, 0, 31, 10));
    for (const wrong of ["", "yesterday", "5y", "-3d", "2026-13-01", "1e9d"])
      expect(() => instant(wrong)).toThrow("Write how long ago");
  });

  test("labels are collected", () => {
    expect(label("team=a", label("x"))).toEqual(["x", "team=a"]);
    expect(() => label("a,b")).toThrow("Write one label");
  });
});
