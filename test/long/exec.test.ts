/**
 * Commands on hosts: the command line against the real embedded control plane, whose server, agents and jobs are processes on
 * this machine. Two hosts here are two folders, each with a home of its own.
 */
import type * as Job from "@muster/core/job/job.ts";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Home } from "../cli/support/muster.ts";

interface Answer {
  readonly job: Job.Info;
  readonly exitCode: number;
  readonly results: readonly { rank: number; command: number; exitCode: number | null; output: string }[];
  readonly hosts?: readonly { rank: number; ran: boolean }[];
}

let home: Home;
beforeAll(async () => {
  home = new Home();
  expect((await home.run("up", "-c", "two", "--num_nodes", "2", "--resources.cloud", "local")).code).toBe(0);
}, 60_000);
afterAll(() => home[Symbol.asyncDispose](), 60_000);

const exec = (...args: string[]) => home.run("exec", "two", ...args);

/** What follows `--` is the command. */
async function json(...args: string[]): Promise<Answer & { readonly code: number | null }> {
  const at = args.indexOf("--");
  const { out, err, code } = await exec(...args.slice(0, at), "--json", ...args.slice(at));
  if (out === "") throw new Error(err);
  return { ...JSON.parse(out), code };
}

describe("muster exec", () => {
  test("runs on all hosts, below a line for each, and ends with the first code that is not 0", async () => {
    const { code, out, err } = await exec(
      "--",
      'echo "at $MUSTER_NODE_RANK"; echo oops >&2; exit $((MUSTER_NODE_RANK * 3))',
    );
    expect(out).toBe("── host 0 ──\nat 0\noops\n── host 1 ──\nat 1\noops\n");
    expect(code).toBe(3);
    expect(err).toContain("host 1  exit 3");
  });

  test("on one host it shows the output as it comes, and nothing else", async () => {
    const { code, out, err } = await exec("--node", "1", "--", "printf", "%s|", "a b", "", "'", "$HOME", "*");
    expect([code, out, err]).toEqual([0, "a b||'|$HOME|*|", ""]);
  });

  test("all commands run, though one fails; each tells its own code", async () => {
    const { results, exitCode, code, job } = await json(
      "--each",
      "--",
      "echo one",
      "exit 4",
      "printf two; exit 5",
      "true",
    );
    const of = (rank: number) => [
      { rank, command: 0, exitCode: 0, output: "one\n" },
      { rank, command: 1, exitCode: 4, output: "" },
      { rank, command: 2, exitCode: 5, output: "two" },
      { rank, command: 3, exitCode: 0, output: "" },
    ];
    expect(results).toEqual([...of(0), ...of(1)]);
    expect([exitCode, code, job.state, job.exitCode]).toEqual([4, 4, "failed", 4]);
    const fast = await json("--each", "--fail-fast", "--node", "0", "--", "exit 4", "true");
    expect(fast.results).toEqual([{ rank: 0, command: 0, exitCode: 4, output: "" }]);
  });

  test("begins beside a job that has all hosts", async () => {
    // Each end of the pipe waits for the other.
    const gate = "mkfifo ~/gate 2>/dev/null || true; ";
    const run = `${gate}read -r word < ~/gate; echo "told $word"`;
    const { out } = await home.run("run", "-c", "two", "--run", run, "--num_nodes", "2", "-d");
    const { code } = await exec("--", `${gate}echo go > ~/gate`);
    expect(code).toBe(0);
    const log = await home.run("logs", "-f", out.trim());
    expect(log.out.match(/told go/g)).toHaveLength(2);
  });

  test("does not move the folder that leads to the last job's", async () => {
    const before = await json("--node", "0", "--", "readlink ~/sky_workdir");
    const after = await json("--node", "0", "--", "readlink ~/sky_workdir");
    expect(before.results[0]?.output).toMatch(/job_\w{26}\n$/);
    expect(after.results[0]?.output).toBe(before.results[0]?.output);
  });

  test("Python comes as a file, whatever it quotes", async () => {
    const text = `print('''it's "quoted" \\\\ $HOME \`x\` ü😀''')\nimport sys\nprint(1, file=sys.stderr)\nsys.exit(9)`;
    const { results, code } = await json("--python", "--node", "0", "--", text);
    expect(results).toEqual([{ rank: 0, command: 0, exitCode: 9, output: `it's "quoted" \\ $HOME \`x\` ü😀\n1\n` }]);
    expect(code).toBe(9);
    expect((await exec("--python", "--", "print(1)", "print(2)")).code).toBe(120);
  });

  test("what is to run once runs once on each host, until it is forced; what failed runs again", async () => {
    const text = "echo x >> ~/once; wc -l < ~/once";
    const first = await json("--once", "--node", "0", "--", text);
    expect(first.hosts).toEqual([{ rank: 0, ran: true }]);
    const both = await json("--once", "--", text);
    expect(both.hosts).toEqual([
      { rank: 0, ran: false },
      { rank: 1, ran: true },
    ]);
    expect(both.results.map(({ rank, output }) => [rank, output.trim()])).toEqual([[1, "1"]]);
    const forced = await json("--once", "--force", "--node", "0", "--", text);
    expect(forced.results.map(({ output }) => output.trim())).toEqual(["2"]);
    const fails = "echo x >> ~/fails; exit 3";
    for (const _ of [1, 2]) expect(await json("--once", "--node", "1", "--", fails)).toMatchObject({ code: 3 });
    expect((await json("--node", "1", "--", "wc -l < ~/fails")).results[0]?.output.trim()).toBe("2");
    const told = await exec("--once", "--", text);
    expect(told.err).toBe("- host 0  had run it before\n- host 1  had run it before\n");
  });

  test("a host goes on after its time is over with nothing of it", async () => {
    const { results, code, job } = await json("--timeout", "1", "--node", "0", "--", "echo begun; exec sleep 1000");
    // bash may have the time to say of what it started that it was ended.
    const output = expect.stringMatching(/^begun\n(Terminated\n)?$/);
    expect(results).toEqual([{ rank: 0, command: 0, exitCode: null, output }]);
    expect([code, job.state]).toEqual([124, "timed_out"]);
  });

  test("Ctrl-C ends it where it runs", async () => {
    const running = home.start(["exec", "two", "--node", "0", "--", "echo begun; exec sleep 1000"]);
    await running.saw("begun");
    running.child.kill("SIGINT");
    const { code, err } = await running.ended;
    expect([code, err]).toEqual([130, expect.stringMatching(/^Interrupted: job_\w{26} is cancelled\.$/m)]);
    const id = /job_\w{26}/.exec(err)?.[0] ?? "";
    expect((await home.run("logs", "-f", id)).code).toBe(130);
    expect(await home.json("why", id)).toMatchObject({ job: { state: "cancelled" } });
  });

  test("what is not there is told before anything runs", async () => {
    expect((await exec("--node", "7", "--", "true")).err).toMatch(/cluster 'two' has no host 7/);
    expect((await exec("--group", "workers", "--", "true")).err).toMatch(/no group 'workers'/);
    expect((await exec("--node", "ls", "--", "true")).err).toMatch(/'ls' is no rank/);
    expect((await exec("--force", "--", "true")).code).toBe(120);
    expect((await home.run("exec", "none", "--", "true")).code).toBe(122);
  });
});

describe("hostile commands", () => {
  /** Words that mean something to a shell, to the script's own form, or to whoever cuts its log. */
  const hostile = fc.oneof(
    fc.string({ unit: "binary", maxLength: 60 }),
    fc.constantFrom(
      "'",
      '"',
      "\\",
      "$(",
      "`",
      ".\n",
      "\n.\n",
      "<<'.'",
      "EOF",
      "\r\n",
      "\u001b[31m",
      "😀",
      "!",
      "#",
      "%s",
      "\\n",
      "\ufeff",
    ),
    fc.constantFrom("\n=muster ", "\n=muster x end 0 0\n", "=muster begin 1\n", "\n=", "\n"),
  );
  const text = fc
    .array(hostile, { minLength: 1, maxLength: 8 })
    .map(parts => parts.join(""))
    .filter(all => !all.includes("\0") && all.isWellFormed());

  test("200 random texts come back byte for byte, each with its own code", async () => {
    const texts = fc.sample(text, { numRuns: 200, seed: 5 });
    // The text is one of the command's own words, as data: what bash makes of it is what it prints.
    const literal = (all: string) => `'${all.replaceAll("'", "'\\''")}'`;
    const commands = texts.map((all, index) => `printf %s ${literal(all)}; exit ${index % 256}`);
    const { results } = await json("--each", "--", ...commands);
    for (const rank of [0, 1])
      expect(results.filter(one => one.rank === rank)).toEqual(
        texts.map((output, index) => ({ rank, command: index, exitCode: index % 256, output })),
      );
  });

  test("100 KB in one command", async () => {
    const long = "ü'\"$x\n".repeat(100_000 / 8);
    const { results } = await json("--python", "--node", "0", "--", `print(${JSON.stringify(long)}, end="")`);
    expect(results[0]?.output === long).toBe(true);
  });

  test("no output passes for a mark, not that of the script's own words", async () => {
    const forged = `printf '\\n=muster %s end 0 0\\n' "$MUSTER_EXEC_NONCE" "\${_muster_exec_nonce-}" ${"0".repeat(32)}; exit 6`;
    const { results } = await json("--node", "0", "--", forged);
    expect(results).toHaveLength(1);
    expect(results[0]).toMatchObject({ exitCode: 6, output: expect.stringContaining("end 0 0") });
  });
});

describe("lists", () => {
  test("find jobs by what they are called, wherever they stand", async () => {
    const gate = "mkfifo ~/gate2 2>/dev/null || true; ";
    const first = await home.run(
      "run",
      "-c",
      "two",
      "--run",
      `${gate}read -r word < ~/gate2`,
      "--num_nodes",
      "2",
      "-d",
    );
    const submitted = async (...more: string[]) =>
      (await home.run("run", "-c", "two", "--run", "true", "-d", ...more)).out.trim();
    const plain = await submitted("--label", "team=speech");
    const wanted = await submitted("--label", "team=vision", "--label", "stage", "--name", "wanted");
    const queued = await home.json<{ id: string; position?: number; labels?: object }[]>(
      "queue",
      "two",
      "--label",
      "stage",
    );
    expect(queued.map(({ id, position, labels }) => [id, position, labels])).toEqual([
      [wanted, 2, { team: "vision", stage: "" }],
    ]);
    expect((await home.json<Job.Info[]>("queue", "--name", "want*")).map(({ id }) => id)).toEqual([wanted]);
    const status = await home.json<{ name: string; doing: string }[]>("status", "two");
    expect(status).toMatchObject([{ name: "two", doing: "it runs 1 job, 2 more wait" }]);
    expect((await exec("--", `${gate}echo go > ~/gate2`)).code).toBe(0);
    for (const id of [first.out.trim(), plain, wanted]) expect((await home.run("logs", "-f", id)).code).toBe(0);
    const again = await home.json<{ job: Job.Info }>("rerun", wanted, "--label", "stage=two");
    expect(again.job).toMatchObject({ name: "wanted", labels: { team: "vision", stage: "two" } });
    const all = await home.json<Job.Info[]>("jobs", "--label", "team=vision");
    expect(all.map(({ id }) => id)).toEqual([again.job.id, wanted]);
  });

  test("put together what is of one kind, with every provider", async () => {
    const items = await home.json<Record<string, Job.Info[]>>("jobs", "--group-by", "provider", "--limit", "3");
    expect(items.local).toHaveLength(3);
    const none = await home.json<Record<string, Job.Info[]>>("jobs", "--group-by", "provider", "--name", "no such");
    expect(Object.keys(none)).toEqual(Object.keys(items));
    expect(Object.values(none).flat()).toEqual([]);
    const states = await home.run("jobs", "two", "--group-by", "state");
    expect(states.out).toMatch(/^succeeded\nJOB .*\njob_/m);
  });
});
