/**
 * Jobs that wait, pipelines and schedules: the command line against the real embedded control plane, whose server, agents
 * and jobs are processes on this machine; and a control plane in the test's own process whose clock a schedule is told.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type * as Job from "@muster/core/job/job.ts";
import { fire } from "@muster/core/schedule/fire.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXAMPLES, Home } from "../cli/support/muster.ts";
import { ended, inState, logOf, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

let home: Home;
beforeAll(() => {
  home = new Home();
});
afterAll(() => home[Symbol.asyncDispose](), 60_000);

const task = (name: string, text: string): string => {
  const file = join(home.path, name);
  writeFileSync(file, text);
  return file;
};
const jobOf = (id: string): Promise<Job.Info> => home.json("why", id).then(answer => (answer as { job: Job.Info }).job);

describe("a file of several tasks", () => {
  test("runs one after the other on one cluster", async () => {
    const { code, out, err } = await home.run("launch", join(EXAMPLES, "pipeline.yaml"), "-c", "steps");
    expect(out).toBe("prepared 100 numbers\ntrained: 5050\nas it should be\n");
    expect(err).toMatch(/1 of 3: prepare[\s\S]*2 of 3: train[\s\S]*3 of 3: judge/);
    expect(code).toBe(0);
  });

  test("ends with the code of the first that fails, and those that wait for it do not run", async () => {
    const mark = join(home.path, "third-ran");
    const file = task(
      "fails.yaml",
      `name: a\nrun: echo one\n---\nname: b\nrun: exit 7\n---\nname: c\nrun: touch ${mark}\n`,
    );
    const { code, out, err } = await home.run(
      "launch",
      file,
      "-c",
      "steps",
      "--output-filepath",
      join(home.path, "log"),
    );
    expect([code, out, existsSync(mark)]).toEqual([7, "one\n", false]);
    expect(err).toMatch(/✗ job job_\w{26} b {2}failed {2}exit 7/);
    expect(err).toMatch(/✗ job job_\w{26} c {2}failed/);
    expect(err).toMatch(/it waited for the success of job_\w{26}, which failed/);
    expect(readFileSync(join(home.path, "log"), "utf8")).toBe("one\n");
  });

  test("says what runs after what, and only that is waited for", async () => {
    const trace = join(home.path, "trace");
    const step = (name: string, after = "") => `name: ${name}\non_error: stop\n${after}run: echo ${name} >> ${trace}\n`;
    const file = task(
      "graph.yaml",
      [
        step("last", "after: [left, right]\n"),
        step("left", "after: first\n"),
        step("right", "after: first\n"),
        step("first"),
      ].join("---\n"),
    );
    const { code } = await home.run("run", file, "-c", "steps");
    const lines = readFileSync(trace, "utf8").trim().split("\n");
    expect([code, lines[0], lines[3], lines.slice(1, 3).toSorted()]).toEqual([0, "first", "last", ["left", "right"]]);
  });

  test("that no one cluster can run is refused with what each asks for", async () => {
    const machine = (name: string, zone: string) => `name: ${name}\nresources: { zone: ${zone} }\nrun: echo x\n`;
    const { code, err } = await home.run("launch", task("apart.yaml", `${machine("a", "x")}---\n${machine("b", "y")}`));
    expect(code).toBe(120);
    expect(err).toContain("task 2 ('b'): resources.zone");
  });

  test("of which one is refused says which were accepted, and how to end them", async () => {
    const file = task("wide.yaml", "name: a\nrun: sleep 60\n---\nname: b\nnum_nodes: 5\nrun: echo x\n");
    const { code, out, err } = await home.run("run", file, "-c", "steps");
    expect([code, out]).toEqual([120, ""]);
    expect(err).toMatch(/Not all of the tasks were accepted[\s\S]*job_\w{26} {2}task 1 \('a'\)/);
    const [, id = ""] = /muster cancel (job_\w{26})/.exec(err) ?? [];
    expect((await home.run("cancel", id)).code).toBe(0);
  });

  test("shows its steps in a dry run, and changes nothing", async () => {
    const { code, err } = await home.run("launch", join(EXAMPLES, "pipeline.yaml"), "-c", "unborn", "--dry-run");
    expect(code).toBe(0);
    expect(err).toMatch(/step 1 +prepare\n.*step 2 +train, after 1\n/);
    expect((await home.run("status", "unborn")).code).toBe(122);
  });
});

describe("a job that waits", () => {
  test("for another begins when that has ended as it should; one that waits in vain is told so", async () => {
    const submit = async (...more: string[]) => (await home.run("run", "-c", "steps", "-d", ...more)).out.trim();
    const one = await submit("--run", "exit 3");
    const whatever = await submit("--run", "echo whatever", "--after", `${one}:end`);
    const vain = await home.run("run", "-c", "steps", "--run", "echo never", "--after", one);
    expect([vain.code, vain.out]).toEqual([123, ""]);
    expect((await home.run("logs", "-f", whatever)).out).toBe("whatever\n");
  });

  test("is held, released, and runs; one that has ended cannot be held", async () => {
    const { out } = await home.run("run", "-c", "steps", "-d", "--hold", "--run", "echo at last");
    const id = out.trim();
    expect((await jobOf(id)).state).toBe("waiting");
    expect((await home.run("why", id)).out).toContain("it is held back by");
    expect((await home.run("release", id)).out).toContain(`${id}  released: queued`);
    expect((await home.run("logs", "-f", id)).out).toBe("at last\n");
    expect((await home.run("hold", id)).code).toBe(123);
  });
});

describe("a schedule", () => {
  test("is set, shown, run now, paused and removed", async () => {
    const hello = join(EXAMPLES, "hello.yaml");
    const set = await home.run(
      "schedule",
      "set",
      "nightly",
      "--cron",
      "0 3 * * 1-5",
      "--tz",
      "Europe/Paris",
      hello,
      "-c",
      "steps",
    );
    expect([set.code, set.out]).toEqual([
      0,
      expect.stringMatching(
        /^Set nightly: 0 3 \* \* 1-5 Europe\/Paris, next \w{3} 20\d\d-\d\d-\d\d 03:00 \+0[12]:00\.\n$/,
      ),
    ]);
    expect((await home.run("schedule", "list")).out).toMatch(
      /nightly +0 3 \* \* 1-5 +Europe\/Paris +in \d+[hd] +- +hello +steps/,
    );
    const shown = (await home.run("schedule", "show", "nightly")).out;
    expect(shown.match(/03:00 \+0[12]:00/g)).toHaveLength(5);
    const ran = await home.run("schedule", "run-now", "nightly");
    expect((await home.run("logs", "-f", ran.out.trim())).out).toContain("hello, world");
    expect((await home.run("schedule", "pause", "nightly")).code).toBe(0);
    expect((await home.run("schedule", "list")).out).toContain("paused");
    expect((await home.run("schedule", "rm", "nightly", "--yes")).out).toBe("Removed nightly.\n");
    expect((await home.run("schedule", "show", "nightly")).code).toBe(122);
  });

  test.each([
    [["--cron", "0 0 30 2 *"], "for the last day of the month write: 0 0 L 2 *"],
    [["--cron", "0 0 3 * * *"], "once a minute is the most"],
    [["--cron", "@daily", "--tz", "Europe/Pari"], "did you mean Europe/Paris?"],
    [["--cron", "@daily", "--secret", "TOKEN=hunter2"], "muster secrets set TOKEN"],
  ])("%s is refused", async (args, told) => {
    const { code, err } = await home.run("schedule", "set", "bad", join(EXAMPLES, "hello.yaml"), ...args);
    expect(code).toBe(120);
    expect(err).toContain(told);
    expect(err).not.toContain("hunter2");
  });

  test("launches at its time, in its owner's name, and the job runs", async () => {
    const plane = await openPlane();
    try {
      const launch = { task: { run: "echo it is time" }, cluster: "timely" };
      const { nextAt = 0 } = await plane.api.schedules.set({
        params: { name: "yearly" },
        body: { cron: "@yearly", launch },
      });
      const then = { ...plane.plane.world, clock: { now: () => nextAt } };
      await Promise.all([1, 2].map(() => fire(then, { workspace: "local", name: "yearly" })));
      const { launched } = await plane.api.schedules.get({ params: { name: "yearly" } });
      const job = { id: launched?.jobId ?? "" };
      expect(await ended(plane, job)).toMatchObject({ state: "succeeded", owner: "usr_ada" });
      expect(await logOf(plane, job)).toBe("it is time\n");
      expect((await plane.api.jobs.list({ query: {} })).items).toHaveLength(1);
    } finally {
      await plane.close();
    }
  });
});

test("a chain of jobs goes to its end on a table that lags and refuses", async () => {
  const plane = await openPlane({ indexLag: { ms: 200 }, refuse: every(5) });
  try {
    const { job: first } = await plane.api.launches.create({
      body: { task: { run: "true" }, cluster: "chain", hold: true },
    });
    let last = first?.id ?? "";
    for (let count = 0; count < 6; count++) {
      const after = [{ job: last, on: "success" as const }];
      const job = await until("a submit that is not refused", () =>
        plane.api.jobs
          .submit({ params: { cluster: "chain" }, body: { task: { run: "true" }, after } })
          .catch(() => undefined),
      );
      last = job.id;
    }
    await inState(plane, { id: last }, "waiting");
    await until("a release that is not refused", () =>
      plane.api.jobs.release({ params: { job: first?.id ?? "" } }).catch(() => undefined),
    );
    expect(await until("the end", async () => ended(plane, { id: last }), 60_000)).toMatchObject({
      state: "succeeded",
    });
  } finally {
    await plane.close();
  }
});

function every(n: number): () => boolean {
  let calls = 0;
  return () => ++calls % n === 0;
}
