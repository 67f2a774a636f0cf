/** Attempts in containers; against a real engine, Docker or Podman, that must answer on this machine. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bench, murder } from "../agent/support/bench.ts";
import { until } from "../agent/support/until.ts";
import { containers, engine, engineEnv, KIND, makeImage } from "./support/engine.ts";

const prefix = KIND === "podman" ? "localhost/" : "";
const image = `${prefix}muster-test:bash`;
const plain = `${prefix}muster-test:sh`;
const container = { image, options: [] };
const gate = "until [ -e ~/go ]; do sleep 0.05; done";

beforeAll(() => {
  makeImage(image, ["bash"]);
  makeImage(plain);
});
afterAll(() => {
  engine("rmi", "-f", image, plain);
});

test("setup and run are in one container, see HOME and workdir at the same paths, and every byte of a variable", async () => {
  await using bench = await Bench.open();
  const odd = "it's $HOME `date`\n\n\ttwo \\ lines\n";
  bench.plane.assign("job_a", {
    container,
    env: { ODD: odd, TOKEN: "very-secret-value" },
    secretNames: ["TOKEN"],
    setup: "echo from setup >/setup-was; echo token $TOKEN",
    run: 'cat /setup-was; printf %s "$ODD" >~/odd; id -u; pwd; [ ! -e /usr/bin/env ] && echo inside; exit 3',
  });
  await bench.agent(engineEnv);
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 3 });
  const workdir = join(bench.home.jobs, "muster/job_a");
  expect(bench.plane.log("job_a", "run")).toBe(`from setup\n0\n${workdir}\ninside\n`);
  expect(bench.plane.log("job_a", "setup")).toBe("token ***\n");
  expect(bench.plane.log("job_a", "packages")).toContain(`container: ${image} runs`);
  expect(bench.read("odd")).toBe(odd);
  expect(containers()).toEqual([]);
});

test("no secret stands on a command line of the host, of the engine or of the job", async () => {
  await using bench = await Bench.open();
  const secret = "never-on-a-command-line";
  bench.plane.assign("job_a", {
    container,
    env: { TOKEN: secret, LAST: "1" },
    secretNames: ["TOKEN"],
    run: `echo up; ${gate}`,
  });
  await bench.agent(engineEnv);
  await until("the script to run", () => bench.plane.log("job_a", "run") === "up\n");
  const lines = readdirSync("/proc").flatMap(pid => commandLine(pid));
  expect(lines.some(line => line.includes("run.sh"))).toBe(true);
  expect(lines.filter(line => line.includes(secret))).toEqual([]);
  bench.write("go");
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
});

test("cancel asks first and kills after the grace, whatever session a process is in; the log is whole", async () => {
  await using bench = await Bench.open();
  const stubborn = "trap 'echo asked' TERM; echo up; while :; do sleep 0.1 || :; done";
  bench.plane.assign("job_a", { container, grace: 1, run: `nohup sleep 4321 >/dev/null 2>&1 & ${stubborn}` });
  await bench.agent(engineEnv);
  await until("the script to run", () => bench.plane.log("job_a", "run").includes("up\n"));
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.kick();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "cancelled", exitCode: 137 });
  expect(bench.plane.log("job_a", "run")).toContain("asked\n");
  expect(sleepers("4321")).toEqual([]);
  expect(containers()).toEqual([]);
});

test("a script that ends well when asked has its say, and its exit code", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", {
    container,
    grace: 20,
    run: "trap 'echo saved; exit 5' TERM; echo up; while :; do sleep 0.1; done",
  });
  await bench.agent(engineEnv);
  await until("the script to run", () => bench.plane.log("job_a", "run").includes("up\n"));
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "timed_out" }];
  await bench.kick();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "timed_out", exitCode: 5 });
  expect(bench.plane.log("job_a", "run")).toContain("saved\n");
});

test("what setup leaves running is ended before run, and what run leaves before the end", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", {
    container,
    setup: "sleep 4322 & nohup sleep 4322 >/dev/null 2>&1 &\necho left",
    run: "ps -e -o args= >~/seen; sleep 4323 &",
  });
  await bench.agent(engineEnv);
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(bench.read("seen")).toContain("run.sh");
  expect(bench.read("seen")).not.toContain("sleep 4322");
  expect([...sleepers("4322"), ...sleepers("4323")]).toEqual([]);
});

test("an attempt goes on under a new agent: its log whole, its exit code right, its container gone", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { container, run: `echo one; ${gate}; echo two; exit 9` });
  const first = await bench.agent(engineEnv);
  await until("the script to run", () => bench.plane.log("job_a", "run").includes("one\n"));
  await murder(first);
  expect(containers()).toEqual(["muster-job_a-1-0"]);
  await bench.agent(engineEnv);
  bench.write("go");
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 9 });
  expect(bench.plane.log("job_a", "run")).toBe("one\ntwo\n");
  expect(containers()).toEqual([]);
});

test("a script that ends while no agent is there has ended with its own code", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { container, run: `echo one; ${gate}; echo two; touch ~/over; exit 9` });
  const first = await bench.agent(engineEnv);
  await until("the script to run", () => bench.plane.log("job_a", "run").includes("one\n"));
  await murder(first);
  bench.write("go");
  await until("the script to end", () => bench.read("over") !== undefined);
  await bench.agent(engineEnv);
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 9 });
  expect(bench.plane.log("job_a", "run")).toBe("one\ntwo\n");
});

test("a container goes when its attempt is revoked, and when all of a host is ended", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { container, grace: 0, run: "echo up; sleep 4324" });
  await bench.agent(engineEnv);
  await until("the script to run", () => bench.plane.log("job_a", "run") === "up\n");
  bench.plane.assignments = [];
  bench.plane.revoked = [{ jobId: "job_a", fence: 1 }];
  await bench.kick();
  await until("the container to go", () => containers().length === 0);
  bench.plane.revoked = [];
  bench.plane.assign("job_b", { container, run: "echo up; sleep 4324" });
  await bench.kick();
  await until("the script to run", () => bench.plane.log("job_b", "run") === "up\n");
  expect(await bench.command("kill")).toBe(0);
  expect(containers()).toEqual([]);
  expect(sleepers("4324")).toEqual([]);
});

test("a container that somebody removes is said to be gone, and is no exit of the script", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { container, run: "echo up; sleep 4325" });
  await bench.agent(engineEnv);
  await until("the script to run", () => bench.plane.log("job_a", "run") === "up\n");
  engine("rm", "-f", "muster-job_a-1-0");
  const exit = await bench.exit("job_a");
  expect(exit).toMatchObject({ cause: "container_failed" });
  // The engine may know it for a moment longer.
  expect(exit.message).toMatch(/^The container (is gone: somebody removed it|ended) while the job ran in it/);
});

test("containers whose attempt's folder is no more are removed before another is made", async () => {
  await using lost = await Bench.open();
  lost.plane.assign("job_a", { container, run: "echo up; sleep 4326" });
  const agent = await lost.agent(engineEnv);
  await until("the script to run", () => lost.plane.log("job_a", "run") === "up\n");
  await murder(agent);
  rmSync(lost.home.agent, { recursive: true });
  await using bench = await Bench.open();
  bench.plane.assign("job_b", { container, run: "true" });
  await bench.agent(engineEnv);
  await bench.exit("job_b");
  expect(containers()).toEqual([]);
});

test("without bash in the image, sh runs the scripts, and the log says so", async () => {
  await using bench = await Bench.open();
  const only = { image: plain, options: [] };
  bench.plane.assign("job_a", { container: only, setup: "echo set", run: "echo first\nfalse\necho never" });
  bench.plane.assign("job_b", { container: only, onError: "continue", run: "false\necho on" });
  await bench.agent(engineEnv);
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 1 });
  expect(bench.plane.log("job_a", "run")).toBe("run: this image has no bash, so sh runs the script\nfirst\n");
  expect(await bench.exit("job_b")).toMatchObject({ cause: "exited", exitCode: 0 });
});

test("failing lines that a script goes over are noted as on the host", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { container, onError: "continue", run: "true\nfalse\ntrue" });
  await bench.agent(engineEnv);
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(bench.plane.log("job_a", "muster")).toContain("line 2 exited with 1 and the script went on");
});

test("an image that is nowhere ends the attempt at once, with the engine's reason in one line", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { container: { image: "127.0.0.1:9/no/such:1", options: [] }, run: "touch ~/ran" });
  await bench.agent(engineEnv);
  const exit = await bench.exit("job_a");
  expect(exit).toMatchObject({ cause: "container_failed" });
  expect(exit.message).toMatch(/^the image 127\.0\.0\.1:9\/no\/such:1 could not be pulled: .*refused/);
  expect(exit.message).not.toContain("\n");
  expect(bench.read("ran")).toBeUndefined();
});

test("options of the task reach the engine; one that it does not know is its error", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", {
    container: { image, options: ["--hostname", "inner", "--network=none"] },
    run: "cat /etc/hostname",
  });
  bench.plane.assign("job_b", { container: { image, options: ["--no-such-option"] }, run: "true" });
  await bench.agent(engineEnv);
  await bench.exit("job_a");
  expect(bench.plane.log("job_a", "run").trim()).toBe("inner");
  expect(await bench.exit("job_b")).toMatchObject({
    cause: "container_failed",
    message: expect.stringContaining("no-such-option"),
  });
});

test("another user inside runs the same scripts", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", {
    container: { image, options: ["--user", "4242"] },
    onError: "continue",
    env: { ODD: "a\nb" },
    run: 'id -u; echo "$ODD"\nfalse\nexit 6',
  });
  await bench.agent(engineEnv);
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 6 });
  expect(bench.plane.log("job_a", "run")).toBe("4242\na\nb\n");
  expect(bench.plane.log("job_a", "muster")).toContain("line 2 exited with 1");
});

const sleepers = (seconds: string): string[] =>
  readdirSync("/proc")
    .flatMap(pid => commandLine(pid))
    .filter(line => line === `sleep\0${seconds}\0`);

function commandLine(pid: string): string[] {
  if (!/^\d+$/.test(pid)) return [];
  try {
    return [readFileSync(`/proc/${pid}/cmdline`, "utf8")];
  } catch {
    // It ended while it was looked at.
    return [];
  }
}
