/** Pure functions of the CLI: numbers, exit codes, options, hints. Nothing runs beside them. */
import { errors, MusterError } from "@muster/core/error.ts";
import { describe, expect, test } from "vitest";
import * as Exit from "../../packages/cli/src/exit.ts";
import { issueLine } from "../../packages/cli/src/fail.ts";
import { age, bar, bytes, duration, moment, price, wrap } from "../../packages/cli/src/format.ts";
import { erase } from "../../packages/cli/src/output.ts";
import { hintFor } from "../../packages/cli/src/retype.ts";
import * as Shown from "../../packages/cli/src/shown.ts";
import { count, envOption, splitOverrides } from "../../packages/cli/src/task-command.ts";
import { minutes } from "../../packages/cli/src/task-options.ts";

const MINUTE = 60_000;

describe("numbers as a person reads them", () => {
  test("ages have one unit", () => {
    expect([0, 59_999, 3 * MINUTE, 119 * MINUTE, 26 * 60 * MINUTE, -5].map(age)).toEqual([
      ...["0s", "59s", "3m", "1h", "1d", "0s"],
    ]);
  });

  test("durations keep the digits that matter", () => {
    expect([40, 1234, 9960, 59_400, 59_600, 185_000, 7_800_000].map(duration)).toEqual([
      ...["0.0 s", "1.2 s", "10 s", "59 s", "1 min 0 s", "3 min 5 s", "2 h 10 min"],
    ]);
  });

  test("sizes are decimal", () => {
    expect([0, 999, 1000, 1_234_567, 5e9, 3e15].map(bytes)).toEqual([
      ...["0 B", "999 B", "1.0 kB", "1.2 MB", "5.0 GB", "3000.0 TB"],
    ]);
  });

  test("what costs nothing is free, and small prices are not rounded away", () => {
    expect([0, 0.0416, 1.2, 32.7726].map(price)).toEqual(["free", "$0.0416/h", "$1.20/h", "$32.77/h"]);
  });

  test("a bar is full at the end, also of an empty file", () => {
    expect(bar(5, 10, 4)).toBe("██░░ 5 B / 10 B");
    expect(bar(0, 0, 4)).toBe("████ 0 B / 0 B");
    expect(bar(20, 10, 4)).toContain("████");
  });

  test("lines break between words, and a word that is too long stands alone", () => {
    expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
    expect(wrap("a enormous b", 4)).toEqual(["a", "enormous", "b"]);
  });

  test("a live line is erased in all the rows that a narrower terminal broke it into", () => {
    expect(erase(0, 80)).toBe("\r\u001b[J");
    expect(erase(80, 80)).toBe("\r\u001b[J");
    expect(erase(70, 30)).toBe("\u001b[2A\r\u001b[J");
  });

  test("jobs that will be cancelled are counted by what they do", () => {
    const told = (...states: ("running" | "queued")[]) => Shown.doomed(states.map(state => ({ state })));
    expect(told()).toBeUndefined();
    expect(told("running")).toBe("1 job is running: it will be cancelled");
    expect(told("queued", "queued")).toBe("2 jobs wait: they will be cancelled");
    expect(told("running", "queued", "queued")).toBe("1 job is running and 2 wait: they will be cancelled");
  });

  test("a cluster of several groups has a row for each below its own; one group has none", () => {
    const out = { paint: (_: unknown, text: string) => text } as Parameters<typeof Shown.clusters>[0];
    const cluster = {
      ...{ id: "clu_1", name: "lab", state: "ready", nodes: 3, hourly: 2.1, createdAt: 0, idle: "never" },
      instanceType: "small",
      groups: [
        { name: "head", nodes: 1, schedulable: false, instanceType: "small", hourly: 0.1 },
        { name: "workers", nodes: 2, schedulable: true },
      ],
    } as unknown as Parameters<typeof Shown.clusters>[1][number];
    const rows = (one: typeof cluster) =>
      Shown.clusters(out, [one], [], 60_000)
        .split("\n")
        .slice(1)
        .map(line => line.split(/ {2,}(?=\S)/));
    expect(rows(cluster)).toEqual([
      ["lab", "ready", "3", "2 groups", "$2.10/h", "never", "1m", "-"],
      ["", "head", "1", "small", "$0.10/h", "takes none"],
      ["", "workers", "2", "-", "-"],
    ]);
    expect(rows({ ...cluster, groups: cluster.groups.slice(1) })).toEqual([
      ["lab", "ready", "3", "small", "$2.10/h", "never", "1m", "-"],
    ]);
  });

  test("a cluster on its way is neither good nor bad, and a move says that it takes long", () => {
    const seen: unknown[] = [];
    const out = { paint: (format: unknown) => void seen.push(format) } as unknown as Parameters<typeof Shown.state>[0];
    for (const name of ["moving", "starting", "ready", "failed", "stopped"]) Shown.state(out, name);
    expect(seen).toEqual(["yellow", "yellow", "green", "red", "dim"]);
    expect([Shown.doing("moving"), Shown.doing("booting")]).toEqual([
      "moving: its disks are copied, which takes minutes to an hour",
      "booting",
    ]);
  });

  test("another day's time has its day", () => {
    const noon = new Date(2026, 10, 21, 12, 0, 0, 7).getTime();
    expect(moment(noon, noon)).toBe("12:00:00.007");
    expect(moment(noon - 86_400_000, noon)).toBe("2026-11-20 12:00:00.007");
  });
});

describe("exit codes", () => {
  const job = (fields: object) => Exit.ofJob({ state: "failed", ...fields } as Parameters<typeof Exit.ofJob>[0]);

  test("a job's own code passes through, every one of them", () => {
    for (let code = 1; code < 256; code++)
      expect(job({ exitCode: code, failure: { code: "exited", message: "" } })).toBe(code);
    expect(job({ state: "succeeded", exitCode: 0 })).toBe(0);
  });

  test("a failed job without a code is never a success", () => {
    expect(job({ failure: { code: "host_lost", message: "" } })).toBe(errors.launch_failed.exit);
    expect(job({ failure: { code: "no_capacity", message: "" } })).toBe(errors.no_capacity.exit);
    expect(job({ failure: { code: "something_new", message: "" } })).toBe(errors.internal.exit);
    expect(job({ exitCode: 0, failure: { code: "logs", message: "" } })).toBe(errors.internal.exit);
    expect(job({})).toBe(errors.internal.exit);
  });

  test("a job that asked for what is not there is a mistake, or no machine; never a failure of Muster's own", () => {
    const cause = (code: string) => job({ failure: { code, message: "" } });
    expect(["container_failed", "inputs_failed"].map(cause)).toEqual([120, 120]);
    expect(["gpus_missing", "no_such_gpu"].map(cause)).toEqual([124, 124]);
    expect(["dependency_failed", "cluster_ended"].map(cause)).toEqual([123, 123]);
  });

  test("cancelled and timed out jobs have codes that shells know", () => {
    expect(job({ state: "cancelled" })).toBe(130);
    expect(job({ state: "timed_out", exitCode: 143 })).toBe(124);
  });

  test("a cluster that did not come up has the code of its failure", () => {
    expect(Exit.ofCluster({ failure: { code: "no_capacity", message: "" } })).toBe(124);
    expect(Exit.ofCluster({})).toBe(124);
    expect(Exit.ofCluster({ failure: { code: "unsupported", message: "" } })).toBe(120);
  });
});

describe("keys of the task file on the command line", () => {
  const split = (...argv: string[]) => splitOverrides(argv, flag => ["--name", "--env", "--timeout"].includes(flag));

  test("a key takes its value, in both spellings", () => {
    expect(split("x.yaml", "--resources.cloud", "local", "--num_nodes=2", "-d")).toEqual({
      rest: ["x.yaml", "-d"],
      overrides: ["--resources.cloud", "local", "--num_nodes=2"],
    });
  });

  test("a value may look like anything", () => {
    expect(split("--run", "echo a=b --c")).toEqual({ rest: [], overrides: ["--run", "echo a=b --c"] });
    expect(split("--run=a=b\nc")).toEqual({ rest: [], overrides: ["--run=a=b\nc"] });
    expect(split("--setup", "-x")).toEqual({ rest: [], overrides: ["--setup", "-x"] });
  });

  test("the command's own options stay its own, and so does what is no key", () => {
    expect(split("--name", "run", "--detatch", "--envs.A", "b", "--resourcesX", "y")).toEqual({
      rest: ["--name", "run", "--detatch", "--resourcesX", "y"],
      overrides: ["--envs.A", "b"],
    });
  });

  test("nothing after -- is a key", () => {
    expect(split("--", "--run", "x")).toEqual({ rest: ["--", "--run", "x"], overrides: [] });
  });

  test("a key without a value is passed on, to be refused by name", () => {
    expect(split("--run")).toEqual({ rest: [], overrides: ["--run"] });
  });
});

describe("options", () => {
  test("-e takes a value, or the caller's own", () => {
    const take = envOption({ HF_TOKEN: "secret" });
    expect(take("HF_TOKEN", take("A=b=c\nd"))).toEqual({ A: "b=c\nd", HF_TOKEN: "secret" });
    expect(take("EMPTY=", {})).toEqual({ EMPTY: "" });
    expect(() => take("MISSING", {})).toThrow("MISSING is not set here");
    expect(() => take("=x", {})).toThrow("NAME=value");
  });

  test("numbers are whole and within their bounds", () => {
    expect(count(0, 10)("7")).toBe(7);
    for (const wrong of ["11", "-1", "1.5", "1e1", "", " 1", "0x1"]) expect(() => count(0, 10)(wrong)).toThrow();
    expect([minutes("never"), minutes("-1"), minutes("0")]).toEqual(["never", "never", 0]);
  });
});

describe("failures as they are told", () => {
  test("an issue says where it is and what to write", () => {
    const issue = { path: "resources.acc", line: 3, message: "is not a key", suggestion: "did you mean accelerators?" };
    expect(issueLine(issue, "a.yaml")).toBe("a.yaml:3: resources.acc: is not a key (did you mean accelerators?)");
    expect(issueLine({ path: "", message: "is empty" }, "a.yaml")).toBe("a.yaml: is empty");
    expect(issueLine(issue)).toBe("resources.acc: is not a key (did you mean accelerators?)");
    expect(issueLine({ path: "cpus", message: "4 are there", suggestion: "4 are there" })).toBe("cpus: 4 are there");
  });

  test("a hint that names an option becomes the command to type, quoted for a shell", () => {
    const error = new MusterError("unsupported", "no gcp", { hint: "run it here with: --resources.cloud local" });
    const hinted = hintFor(["launch", "my job.yaml", "--run", "it's"], error) as MusterError;
    expect(hinted.details.hint).toBe(`type: muster launch 'my job.yaml' --run 'it'\\''s' --resources.cloud local`);
    expect(hinted.code).toBe("unsupported");
    expect(hintFor(["status"], error)).toBe(error);
    const secret = hintFor(["launch", "x.yaml", "-e", "HF_TOKEN=abc"], error) as MusterError;
    expect(secret.details.hint).toContain("'HF_TOKEN=***'");
  });
});
