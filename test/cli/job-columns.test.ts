/** Jobs as cells, rows and CSV, and the options that choose among them: pure functions of the CLI. */
import type * as Job from "@muster/core/job/job.ts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { doingOf } from "../../packages/cli/src/doing.ts";
import * as Columns from "../../packages/cli/src/job-columns.ts";
import { label } from "../../packages/cli/src/job-filter.ts";
import { groupsOf } from "../../packages/cli/src/job-groups.ts";
import { label as ofJob } from "../../packages/cli/src/label-option.ts";
import { output } from "../../packages/cli/src/output.ts";
import * as Shown from "../../packages/cli/src/shown.ts";
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

  test("a label of the job's that a map would lose is refused", () => {
    expect(ofJob("team=a", ofJob("x"))).toEqual({ team: "a", x: "" });
    expect(() => ofJob("__proto__=1")).toThrow("is not a name that may be used");
  });

  test("labels are collected", () => {
    expect(label("team=a", label("x"))).toEqual(["x", "team=a"]);
    expect(() => label("a,b")).toThrow("Write one label");
  });
});

const counts = { count: 100, started: 40, running: 3, succeeded: 30, failed: 4, cancelled: 2, timedOut: 1 };

describe("arrays", () => {
  const out = output({}, {});

  test("of their runs, CSV has the values behind the columns", () => {
    const runs = [job({ values: { lr: "0,1", n: "1" } }), job({ values: { lr: "2" } })];
    expect(Columns.csv(runs, ["exit"], ["lr", "n"])).toBe('exit,lr,n\r\n0,"0,1",1\r\n0,2,');
    expect(runs.map(run => Columns.cells(out, run, ["values"], NOW))).toEqual([["lr=0,1 n=1"], ["lr=2"]]);
  });
  const array = job({ id: "job_array", state: "running", runs: counts });

  test("have a column of their runs where there is one", () => {
    expect(Columns.usual([job()])).toEqual(Columns.DEFAULT);
    expect(Columns.usual([job(), array])).toContain("runs");
    expect([job(), array].map(one => Columns.cells(out, one, ["runs"], NOW))).toEqual([["-"], ["37/100"]]);
    const rows = (...jobs: Job.Info[]) =>
      Shown.queue(
        out,
        jobs.map(one => ({ job: one })),
        NOW,
      ).split("\n");
    expect(rows(job())[0]).not.toContain("RUNS");
    expect(rows(job())[1]?.split(/ +/)).toHaveLength(7);
    expect(rows(job(), array).map(line => line.split(/ +/).at(-2))).toEqual(["RUNS", "-", "37/100"]);
  });
});

describe("jobs together", () => {
  const jobs = [
    job({ id: "a", provider: "aws" }),
    job({ id: "b", state: "failed" }),
    job({ id: "c", provider: "aws" }),
  ];
  const ids = (groups: ReturnType<typeof groupsOf>) =>
    Object.entries(groups).map(([value, some]) => [value, some.map(({ id }) => id).join("")]);

  test("by provider, those that have none among them; by cluster; by state", () => {
    expect(ids(groupsOf(jobs, "provider", ["local", "aws"]))).toEqual([
      ["local", ""],
      ["aws", "ac"],
      ["unknown", "b"],
    ]);
    expect(ids(groupsOf(jobs, "cluster"))).toEqual([["demo", "abc"]]);
    expect(ids(groupsOf(jobs, "state"))).toEqual([
      ["succeeded", "ac"],
      ["failed", "b"],
    ]);
    expect(groupsOf([], "state")).toEqual({});
  });
});

test("what a cluster does is told beside its state, until it has come to rest", () => {
  const running = job({ coarse: "running" });
  expect([
    doingOf({ state: "booting" }, []),
    doingOf({ state: "ready" }, []),
    doingOf({ state: "ready" }, [running, running, job({ coarse: "pending" })]),
    doingOf({ state: "ready" }, [job({ coarse: "pending" })]),
    doingOf({ state: "stopped" }, []),
    doingOf({ state: "terminated" }, []),
  ]).toEqual([
    "its hosts start, and their agents report",
    "it waits for jobs",
    "it runs 2 jobs, 1 more waits",
    "1 job waits",
    undefined,
    undefined,
  ]);
});
