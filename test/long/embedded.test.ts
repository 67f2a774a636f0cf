/**
 * The command line against the real embedded control plane: server, agents and jobs are processes on this machine,
 * started by the commands themselves in a home of their own.
 */
import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { EXAMPLES, Home } from "../cli/support/muster.ts";

interface JobInfo {
  readonly id: string;
  readonly state: string;
  readonly clusterName: string;
}
interface ClusterInfo {
  readonly name: string;
  readonly state: string;
}

// Each test starts several processes, which take as long as the machine lets them.
vi.setConfig({ testTimeout: 60_000 });

const example = (name: string): string => join(EXAMPLES, `${name}.yaml`);
let home: Home;
beforeAll(() => {
  home = new Home();
});
afterAll(() => home[Symbol.asyncDispose](), 60_000);

describe("launch", () => {
  test("the first command starts the control plane, and stdout holds the job's log alone", async () => {
    const { code, out, err } = await home.run("launch", example("hello"), "-c", "demo");
    expect(out).toMatch(/^hello, world\nthis is job job_\w{26} on .*, rank 0 of 1\n$/);
    expect(err).toMatch(/started Muster on this machine/);
    expect(err).toMatch(/cluster +demo\n/);
    expect(err).toMatch(/idle +stops after 30 minutes without a job, terminates 3 days later/);
    expect(err).toMatch(/✓ cluster demo {2}requested → ready {2}\d/);
    expect(err).toMatch(/✓ job job_\w{26} hello {2}succeeded {2}exit 0/);
    expect(code).toBe(0);
    expect(statSync(join(home.path, "token")).mode & 0o777).toBe(0o600);
  });

  test("a job's exit code is the command's", async () => {
    expect((await home.run("launch", example("fail"), "-c", "demo")).code).toBe(3);
    expect((await home.run("launch", "-c", "demo", "--run", "kill -9 $$")).code).toBe(137);
    expect((await home.run("launch", "-c", "demo", "--run", "sleep 60", "--timeout", "1")).code).toBe(124);
  });

  test("under --json the answer is on stdout and the log on stderr", async () => {
    const { out, err } = await home.run("launch", example("hello"), "-c", "demo", "-e", "NAME=json", "--json");
    expect(JSON.parse(out)).toMatchObject({ job: { state: "succeeded", exitCode: 0 }, reused: true, exitCode: 0 });
    expect(err).toContain("hello, json\n");
  });

  test("a dry run changes nothing", async () => {
    const { code, out } = await home.run("launch", example("hello"), "-c", "unborn", "--dry-run");
    expect([code, out]).toEqual([0, expect.stringMatching(/TYPE +WHERE +CPUS[\s\S]*local/)]);
    expect((await home.run("status", "unborn")).code).toBe(122);
  });

  test("hosts of two kinds make one cluster, and its jobs run on those that take them", async () => {
    const planned = await home.run("launch", example("groups"), "-c", "lab", "--dry-run");
    expect(planned.out).toMatch(
      /^head {2}1 host, takes no jobs\n.*TYPE[^\n]*\n1 +local[^\n]*\n\nworkers {2}2 hosts\n.*TYPE[^\n]*\n1 +local/,
    );
    const { code, out, err } = await home.run("launch", example("groups"), "-c", "lab");
    expect([code, out.split("\n").sort()]).toEqual([
      0,
      [
        "",
        expect.stringMatching(/^\(rank 0\) worker 0 of 2, at \d/),
        expect.stringMatching(/^\(rank 1\) worker 1 of 2/),
      ],
    ]);
    expect(err).toMatch(/group +head: 1 × local \(.*\), local, free, takes no jobs\n +group +workers: 2 × local/);
    expect((await home.run("status", "lab")).out).toMatch(
      /lab +ready +3 +2 groups .*\n {2}head +1 +local +free +takes none\n {2}workers +2 +local +free\n/,
    );
    const again = await home.run("launch", example("groups"), "-c", "lab", "--dry-run", "--json");
    expect(JSON.parse(again.out)).toMatchObject({
      reused: true,
      groups: [
        { name: "head", offers: [{ instanceType: "local" }] },
        { name: "workers", offers: [{ instanceType: "local" }] },
      ],
    });
    expect((await home.run("run", example("hello"), "-c", "lab")).out).toMatch(/rank 0 of 1\n$/);
    const wide = await home.run("launch", example("groups"), "-c", "lab", "--groups.1.nodes", "4");
    expect(wide.err).toMatch(/group 'workers' of cluster 'lab' has 2 hosts; 4 were asked for\n.*muster up FILE -c lab/);
    const grown = await home.run("up", example("groups"), "-c", "lab", "--groups.1.nodes", "4");
    expect(grown.err).toMatch(/ grows +by workers: 2 × local .*\n +then +free\n[\s\S]*cluster lab {2}growing → ready/);
    expect([grown.code, (await home.run("status", "lab")).out]).toEqual([
      0,
      expect.stringMatching(/\n {2}workers +4 +local +free\n/),
    ]);
    const failed = await home.run("up", example("groups"), "-c", "lab", "--groups.1.nodes", "70", "--json");
    expect([failed.code, JSON.parse(failed.out)]).toMatchObject([
      124,
      { exitCode: 124, cluster: { state: "ready", nodes: 5, failure: { code: "no_capacity" } } },
    ]);
    expect(failed.err).toContain("the cluster did not grow, and is as it was: ");
    const fewer = await home.run("up", "-c", "lab", "--num_nodes", "1");
    expect([fewer.code, fewer.err]).toEqual([0, expect.stringContaining("clusters do not shrink")]);
    expect((await home.run("down", "lab")).code).toBe(0);
  });

  test("a group's own cloud is refused with the command to type instead", async () => {
    const { code, err } = await home.run("launch", example("groups"), "--groups.1.resources.cloud", "aws");
    expect(err).toContain(`type: muster launch ${example("groups")} --groups.1.resources.cloud local\n`);
    expect(code).toBe(120);
  });

  test("another cloud is refused with the command to type instead", async () => {
    const { code, err } = await home.run("launch", "--run", "echo it", "--resources.cloud", "gcp");
    expect(err).toContain("type: muster launch --run 'echo it' --resources.cloud local\n");
    expect(code).toBe(120);
  });

  test("the working folder is sent once, and several nodes' lines have their ranks", async () => {
    writeFileSync(join(home.path, "data.txt"), "here\n");
    const args = ["-c", "pair", "--num_nodes", "2", "--workdir", home.path, "--run", "cat data.txt"];
    writeFileSync(join(home.path, ".musterignore"), "*\n!data.txt\n!.musterignore\n");
    const first = await home.run("launch", ...args);
    expect(first.out.split("\n").sort()).toEqual(["", "(rank 0) here", "(rank 1) here"]);
    expect(first.err).toContain("✓ pack+upload");
    expect((await home.run("launch", ...args)).err).not.toContain("upload");
  });
});

describe("leaving", () => {
  test("Ctrl-C leaves the job running, and says how to come back", async () => {
    const launch = home.start(["launch", example("long"), "-c", "demo"]);
    await launch.saw("second 1\n");
    launch.child.kill("SIGINT");
    const { code, err } = await launch.ended;
    const [, job = ""] = /muster logs -f (job_\w+)/.exec(err) ?? [];
    expect([code, err]).toEqual([130, expect.stringContaining(`muster cancel ${job}`)]);
    const follow = home.start(["logs", "-f", "demo"]);
    await follow.saw("second 1\n");
    expect(await home.json("cancel", job)).toMatchObject([{ id: job, state: "cancelled" }]);
    const followed = await follow.ended;
    expect(followed.code).toBe(130);
    const seconds = followed.out
      .trim()
      .split("\n")
      .filter(line => line.startsWith("second"));
    expect(seconds).toEqual(seconds.map((_, index) => `second ${index + 1}`));
  });

  test("in CI a signal cancels the job and removes the cluster that the command made", async () => {
    const launch = home.start(["launch", example("long")], { CI: "true" });
    await launch.saw("second 1\n");
    launch.child.kill("SIGTERM");
    const { code, err } = await launch.ended;
    const [, name = ""] = /✓ cluster (\S+)/.exec(err) ?? [];
    expect(code).toBe(143);
    expect((await home.json<ClusterInfo[]>("status", "--all")).find(one => one.name === name)?.state).toBe(
      "terminated",
    );
    expect(await home.json<JobInfo[]>("queue")).toEqual([]);
  });

  test("in CI a cluster that was there before stays", async () => {
    const launch = home.start(["launch", example("long"), "-c", "demo"], { CI: "true" });
    await launch.saw("second 1\n");
    launch.child.kill("SIGINT");
    expect((await launch.ended).code).toBe(130);
    expect(await home.json("status", "demo")).toMatchObject([{ state: "ready", jobs: [] }]);
  });

  test("a reader that has had enough ends the command quietly", async () => {
    const launch = home.start(["launch", example("long"), "-c", "demo", "-q"]);
    await launch.saw("second 1\n");
    launch.child.stdout?.destroy();
    expect(await launch.ended).toMatchObject({ code: 141, err: "" });
    const [job] = await home.json<JobInfo[]>("queue");
    expect((await home.run("cancel", job?.id ?? "")).code).toBe(0);
  });
});

describe("the control plane on this machine", () => {
  test("it may be killed while a log is followed: the follower starts it again, and no line is lost", async () => {
    const follow = home.start([
      "launch",
      "-c",
      "demo",
      "--run",
      "for i in $(seq 1 8); do echo line $i; sleep 0.5; done",
    ]);
    await follow.saw("line 2\n");
    process.kill(JSON.parse(readFileSync(join(home.path, "server.json"), "utf8")).pid, "SIGKILL");
    const { code, out } = await follow.ended;
    expect([code, out]).toEqual([0, Array.from({ length: 8 }, (_, index) => `line ${index + 1}\n`).join("")]);
  });

  test("two commands at once start one", async () => {
    expect((await home.run("local", "stop")).out).toMatch(/^Stopped\.\n\d clusters with \d+ hosts stay as they are: /);
    expect(existsSync(join(home.path, "server.json"))).toBe(false);
    const answers = await Promise.all([1, 2, 3].map(() => home.run("status", "--json")));
    expect(answers.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(new Set(answers.map(({ out }) => JSON.parse(out).length)).size).toBe(1);
  });

  test("one of another version is replaced", async () => {
    const path = join(home.path, "server.json");
    const before = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...before, version: "0.0.1" }));
    expect((await home.run("status")).err).toContain("started Muster");
    expect(JSON.parse(readFileSync(path, "utf8")).pid).not.toBe(before.pid);
  });
});

describe("clusters", () => {
  test("stop, start, autostop and down, each waited for", async () => {
    expect((await home.run("up", "-c", "other")).err).toMatch(/✓ cluster other {2}requested → ready/);
    await home.run("launch", "-d", "-c", "other", "--run", "sleep 60");
    for (const command of ["stop", "down"]) {
      const { code, err } = await home.run(command, "other");
      expect([code, err]).toEqual([120, expect.stringMatching(/1 job is running: it will be cancelled.*--yes/)]);
    }
    const stopped = await home.run("stop", "other", "--yes");
    expect(stopped.err).toMatch(/^1 job is running: it will be cancelled\n.*ready → stopped/);
    expect((await home.run("up", "-c", "other")).err).toMatch(/→ ready/);
    expect((await home.run("autostop", "other", "-i", "90", "--down")).out).toBe(
      "Cluster other terminates after 90 minutes without a job.\n",
    );
    expect((await home.run("down", "other")).err).toMatch(/ready → terminated/);
    expect((await home.run("start", "other")).code).toBe(122);
    expect((await home.run("status", "other")).out).toMatch(/other +terminated/);
    expect((await home.run("events", "other")).out).toContain("cluster.terminated");
    expect((await home.run("start", "othre")).code).toBe(122);
  });

  test("everything at once wants a word more", async () => {
    const { code, err } = await home.run("down", "--all");
    expect([code, err]).toEqual([120, expect.stringContaining("--yes")]);
  });

  test("events and reasons can be read back", async () => {
    const [job] = [(await home.json<{ job: JobInfo }>("launch", example("hello"), "-c", "demo")).job];
    expect((await home.run("events", job.id)).out).toMatch(/job.queued[\s\S]*job.starting[\s\S]*job.succeeded/);
    expect((await home.run("events", "demo")).out).toMatch(/cluster.requested[\s\S]*cluster.ready/);
    expect((await home.run("why", job.id)).out).toContain(`${job.id} has succeeded on demo`);
    expect((await home.run("logs", job.id)).out).toContain("hello, world");
    expect((await home.run("queue", "demo", "--all")).out).toMatch(/JOB .*EXIT.*\njob_\w+ +hello +succeeded +0 /);
    expect((await home.run("status", "dmeo")).err).toContain("did you mean 'demo'?");
  });

  test("a job goes by its cluster's name, too, and what it waits for is said", async () => {
    const first = (await home.run("launch", "-d", "-c", "demo", "--run", "sleep 60")).out.trim();
    const second = (await home.run("launch", "-d", "-c", "demo", "--run", "sleep 60")).out.trim();
    expect((await home.run("logs", "demo", "--no-follow")).err).toContain(`job ${second}  queued: it wants 1 of 1`);
    expect((await home.run("why", "demo")).out).toContain(`${second} is queued on demo`);
    const unasked = await home.run("cancel", "demo");
    expect([unasked.code, unasked.err]).toEqual([
      120,
      expect.stringMatching(/1 job is running and 1 waits: they will be cancelled: this needs --yes\n/),
    ]);
    const { err } = await home.run("cancel", "demo", "--yes");
    expect(err).toMatch(
      new RegExp(
        `^1 job is running and 1 waits: .*\n.*job ${second}  queued → cancelled.*\n.*job ${first}  .* → cancelled`,
      ),
    );
    expect((await home.run("cancel", "demo")).err).toContain("no job runs or waits on 'demo'");
    const third = (await home.run("launch", "-d", "-c", "demo", "--run", "sleep 60")).out.trim();
    expect(await home.json("cancel", "demo")).toMatchObject([{ id: third, state: "cancelled" }]);
    expect((await home.run("run", "-c", "absent", "--run", "true")).err).toMatch(
      /there is no cluster 'absent'\n.*muster up -c absent/,
    );
    for (const command of ["logs", "cancel", "why"])
      expect((await home.run(command, "job_nope")).err).toMatch(/^muster: there is no job 'job_nope'\n.*muster jobs/);
  });

  test("a log is told as it is when asked for", async () => {
    await home.run("launch", "-c", "demo", "--run", "printf 'a\\033[31mb\\r\\n'");
    expect((await home.run("logs", "demo")).out).toBe("ab\n");
    expect((await home.run("logs", "demo", "--raw")).out).toBe("a\u001b[31mb\r\n");
  });
});
