/**
 * Packages: real bash and real git; the pip and the conda that the installer calls are stand-ins that write down how they
 * were called (the machine's own pip is in test/long). The control plane is a server of our own.
 */
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Assignment } from "@muster/core/agent/protocol.ts";
import { expect, test } from "vitest";
import { Bench, murder } from "./support/bench.ts";
import { pack, workdirOf } from "./support/bring.ts";
import { GitServer } from "./support/git-server.ts";
import { until } from "./support/until.ts";

/** Puts programs before all others for jobs; each writes its arguments, one a line, and ends with the code in `~/code`; a Python that is asked where packages go says nothing. */
function standIns(bench: Bench, ...names: string[]): void {
  const folder = join(bench.home.jobs, ".local/bin");
  mkdirSync(folder, { recursive: true });
  for (const name of names) {
    const text = `#!/bin/bash
[ "$1" != -c ] || exit 0
{ printf '%s' "${name}"; printf ' <%s>' "$@"; echo " in $PWD"; } >>~/calls
[ ! -e ~/gate ] || until [ -e ~/go ]; do sleep 0.02; done
echo "${name} says $*"
exit "$(cat ~/code 2>/dev/null || echo 0)"
`;
    writeFileSync(join(folder, name), text);
    chmodSync(join(folder, name), 0o755);
  }
}

test.concurrent("each package is installed by its method, before setup, in the job's workdir, and in order", async () => {
  await using bench = await Bench.open();
  standIns(bench, "python3", "conda");
  const workdir = workdirOf(bench, "w", { "sub/requirements.txt": "x", "lib/setup.py": "", "none/a": "b" });
  mkdirSync(join(bench.home.jobs, "own"));
  const packages = [
    pack("pip", "torch==2.4", { args: ["--index-url", "https://x/y z", "$(touch ~/ran)"] }),
    pack("reqs", "sub"),
    pack("reqs", "./none"),
    pack("pip", "./lib"),
    pack("pip", "~/own"),
    pack("conda", "numpy=2", { args: ["-c", "conda-forge"] }),
    pack("local", "lib"),
  ];
  const env = { PYTHONPATH: "/before" };
  bench.plane.assign("job_a", {
    workdir,
    packages,
    env,
    setup: "echo $PYTHONPATH; cat ~/calls",
    run: "echo $PYTHONPATH",
  });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  const at = join(bench.home.jobs, "muster/job_a");
  const calls = [
    `python3 <-m> <pip> <install> <--index-url> <https://x/y z> <$(touch ~/ran)> <torch==2.4> in ${at}`,
    `python3 <-m> <pip> <install> <-r> <requirements.txt> in ${at}/sub`,
    `python3 <-m> <pip> <install> <${at}/lib> in ${at}`,
    `python3 <-m> <pip> <install> <-e> <${bench.home.jobs}/own> in ${at}`,
    `conda <install> <-y> <-c> <conda-forge> <numpy=2> in ${at}`,
    "",
  ].join("\n");
  expect(bench.read("calls")).toBe(calls);
  expect(bench.read("ran")).toBeUndefined();
  const path = `${at}/lib:/before\n`;
  expect(bench.plane.log("job_a", "packages")).toContain(
    `there is no requirements.txt in ${at}/none: nothing to install\n`,
  );
  expect(bench.plane.log("job_a", "packages")).toContain("packages: local:lib\n");
  expect(bench.plane.log("job_a", "setup")).toBe(path + calls);
  expect(bench.plane.log("job_a", "run")).toBe(path);
});

test.concurrent("a list is installed once per host, and anew when its folders, or others since, have changed what is there", async () => {
  await using bench = await Bench.open();
  standIns(bench, "python3");
  const one = workdirOf(bench, "w1", { "requirements.txt": "x" });
  const two = workdirOf(bench, "w2", { "requirements.txt": "y" });
  const packages = [pack("reqs", "."), pack("pip", "tool")];
  bench.plane.assign("job_a", { workdir: one, packages, run: "true" });
  bench.plane.assign("job_b", { workdir: one, packages, run: "true" });
  await bench.agent();
  await bench.exit("job_a");
  await bench.exit("job_b");
  expect(bench.read("calls")?.split("\n").length).toBe(3);
  const next = async (job: string, task: Partial<Assignment>): Promise<number> => {
    bench.plane.assign(job, { ...task, run: "true" });
    await bench.kick();
    await bench.exit(job);
    return (bench.read("calls") ?? "").split("\n").length - 1;
  };
  const tool = [pack("pip", "tool")];
  expect(await next("job_c", { workdir: two, packages })).toBe(4);
  expect(await next("job_d", { workdir: two, packages: tool })).toBe(5);
  expect(await next("job_e", { workdir: one, packages: tool })).toBe(5);
  // Another version was there meanwhile, or was about to be.
  expect(await next("job_f", { packages: [pack("pip", "tool==2")] })).toBe(6);
  expect(await next("job_g", { packages: tool })).toBe(7);
  writeFileSync(join(bench.home.jobs, "code"), "3");
  expect(await next("job_h", { packages: [pack("pip", "tool==3")] })).toBe(8);
  writeFileSync(join(bench.home.jobs, "code"), "0");
  expect(await next("job_i", { packages: tool })).toBe(9);
});

test.concurrent("a package that cannot be installed fails its job by name, and is tried again by the next", async () => {
  await using bench = await Bench.open();
  standIns(bench, "python3");
  writeFileSync(join(bench.home.jobs, "code"), "3");
  const packages = [pack("local", "."), pack("pip", "no-such-thing"), pack("pip", "never")];
  bench.plane.assign("job_a", { packages, setup: "touch ~/ran", run: "touch ~/ran" });
  bench.plane.assign("job_b", { packages: [pack("reqs", "missing")], run: "touch ~/ran" });
  bench.plane.assign("job_c", { packages: [pack("pip", "-r/etc/passwd")], run: "touch ~/ran" });
  bench.plane.assign("job_d", { packages: [pack("reqs", "../other")], run: "touch ~/ran" });
  bench.plane.assign("job_f", { packages: [pack("pip", "https://%zz@github.com/a/b")], run: "touch ~/ran" });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({
    cause: "setup_failed",
    exitCode: 3,
    message: "The package pip:no-such-thing could not be installed: the installer exited with 3; the log says why.",
  });
  expect(bench.plane.log("job_a", "packages")).toContain("python3 says -m pip install no-such-thing");
  expect(await bench.exit("job_b")).toMatchObject({ cause: "setup_failed", exitCode: 1 });
  expect((await bench.exit("job_c")).message).toContain("options belong into args");
  expect(await bench.exit("job_d")).toMatchObject({ cause: "setup_failed", message: expect.stringContaining('".."') });
  expect(await bench.exit("job_f")).toMatchObject({
    cause: "setup_failed",
    message: expect.stringMatching(/^package pip:https:\/\/github.com\/a\/b: .* is not a repository/),
  });
  expect(bench.read("calls")).not.toContain("never");
  writeFileSync(join(bench.home.jobs, "code"), "0");
  bench.plane.assign("job_e", { packages, run: "true" });
  await bench.kick();
  expect(await bench.exit("job_e")).toMatchObject({ exitCode: 0 });
  expect(bench.read("calls")).toContain("never");
  expect(bench.read("ran")).toBeUndefined();
});

test.concurrent("without conda it says so", async () => {
  await using bench = await Bench.open();
  const found = spawnSync("bash", ["-c", "command -v conda"]).status === 0;
  bench.plane.assign("job_a", {
    packages: [pack("conda", "numpy")],
    env: found ? { PATH: "/usr/bin:/bin" } : {},
    run: "true",
  });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "setup_failed", exitCode: 127 });
  expect(bench.plane.log("job_a", "packages")).toContain("conda is not on this host");
});

test.concurrent("a repository is cloned into HOME once, brought up to date later, and installed from there", async () => {
  await using server = await GitServer.open();
  await using bench = await Bench.open();
  standIns(bench, "python3");
  const [first] = server.repository("lib", { "requirements.txt": "one", "lib/x.py": "" });
  server.password = "x-access-token:tok-s3cret";
  const url = `${server.url}/lib.git`;
  const run = "cat ~/lib/requirements.txt; echo $PYTHONPATH; echo $GIT_TERMINAL_PROMPT.";
  const secret = { env: { GIT_TOKEN: "tok-s3cret" }, secretNames: ["GIT_TOKEN"] };
  bench.plane.assign("job_a", { ...secret, packages: [pack("reqs", url), pack("local", url)], run });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  expect(bench.plane.log("job_a", "run")).toBe(`one${bench.home.jobs}/lib\n.\n`);
  writeFileSync(join(server.folder, "work/lib/requirements.txt"), "two");
  server.change("lib", "commit", "--quiet", "--all", "--message", "more");
  bench.plane.assign("job_b", { ...secret, packages: [pack("pip", url)], run });
  await bench.kick();
  await bench.exit("job_b");
  expect(bench.plane.log("job_b", "run")).toMatch(/^two/);
  bench.plane.assign("job_c", { ...secret, packages: [pack("pip", url, { revision: first! })], run });
  await bench.kick();
  await bench.exit("job_c");
  expect(bench.plane.log("job_c", "run")).toMatch(/^one/);
  expect(bench.plane.log("job_c", "packages")).toContain(`packages: pip:${url}@${first}\n`);
  bench.plane.assign("job_d", { ...secret, packages: [pack("pip", url, { revision: "nowhere" })], run });
  await bench.kick();
  expect(await bench.exit("job_d")).toMatchObject({ cause: "setup_failed" });
  expect(bench.plane.log("job_d", "packages")).toContain("has no branch, tag or commit nowhere");
  const other = server.repository("other/lib", { a: "b" });
  expect(other.length).toBe(1);
  bench.plane.assign("job_e", { ...secret, packages: [pack("pip", `${server.url}/other/lib.git`)], run });
  await bench.kick();
  expect(await bench.exit("job_e")).toMatchObject({ cause: "setup_failed" });
  expect(bench.plane.log("job_e", "packages")).toContain("is there, and is not a clone of");
  const calls = bench.read("calls") ?? "";
  expect(calls).toContain(`<-e> <${bench.home.jobs}/lib>`);
  expect(calls).not.toContain("s3cret");
  const grep = ["-rls", "--", "tok-s3cret", join(bench.home.jobs, "lib")];
  expect(spawnSync("grep", grep, { encoding: "utf8" })).toMatchObject({ stdout: "", status: 1 });
});

test.concurrent("a token is said to the workdir's host, or the one host of all packages, and to no other that asks", async () => {
  await using server = await GitServer.open();
  await using other = await GitServer.open();
  await using bench = await Bench.open();
  standIns(bench, "python3");
  for (const one of [server, other]) one.repository("lib", { a: "b" });
  for (const one of [server, other]) one.password = "x-access-token:tok-s3cret";
  const secret = { env: { GIT_TOKEN: "tok-s3cret" }, secretNames: ["GIT_TOKEN"], run: "true" };
  const [mine, theirs] = [pack("pip", `${server.url}/lib.git`), pack("pip", `${other.url}/lib.git`)];
  bench.plane.assign("job_a", { ...secret, workdir: { url: mine.source }, packages: [theirs] });
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "setup_failed" });
  bench.plane.assign("job_b", { ...secret, packages: [theirs, mine] });
  await bench.kick();
  expect(await bench.exit("job_b")).toMatchObject({ cause: "setup_failed" });
  for (const job of ["job_a", "job_b"])
    expect(bench.plane.log(job, "packages")).toContain(`GIT_TOKEN is not told to ${other.url}`);
  expect(other.requests).toBeGreaterThan(1);
  expect(other.seen).toEqual([]);
  bench.plane.assign("job_c", { ...secret, workdir: { url: mine.source }, packages: [mine] });
  await bench.kick();
  expect(await bench.exit("job_c")).toMatchObject({ exitCode: 0 });
});

test.concurrent("an installer that outlives its agent is followed by the next, runs once, and lets no other in meanwhile", async () => {
  await using bench = await Bench.open();
  standIns(bench, "python3");
  writeFileSync(join(bench.home.jobs, "gate"), "");
  // The one that waits is the first that the next agent looks at.
  bench.plane.assign("job_a", { fence: 2, packages: [pack("pip", "one")], run: "true" });
  const first = await bench.agent();
  await until("the installer", () => bench.read("calls"));
  bench.plane.assign("job_b", { packages: [pack("pip", "two")], run: "true" });
  await bench.kick();
  await until("the other job to wait", () => bench.agentState("job_b-1").includes('"packages"'));
  await murder(first);
  await bench.agent();
  // Whoever has polled has taken up all that there was.
  await until("the next agent", () => bench.plane.polls.at(-1)?.attempts.length === 2);
  expect(bench.read("calls")?.match(/install/g)?.length).toBe(1);
  bench.write("go");
  expect(await bench.exit("job_a", 2)).toMatchObject({ exitCode: 0 });
  expect(await bench.exit("job_b")).toMatchObject({ exitCode: 0 });
  expect(bench.read("calls")?.match(/<(one|two)>/g)).toEqual(["<one>", "<two>"]);
});

test.concurrent("an agent that is killed when an installer has just ended does not install again", async () => {
  await using bench = await Bench.open();
  standIns(bench, "python3");
  writeFileSync(join(bench.home.jobs, "gate"), "");
  bench.plane.assign("job_a", { packages: [pack("pip", "one")], run: "true" });
  const first = await bench.agent();
  await until("the installer", () => bench.read("calls"));
  await murder(first);
  bench.write("go");
  await until("its end", () => existsSync(join(bench.home.attempts, "job_a-1/packages.exit")));
  await bench.agent();
  expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
  bench.plane.assign("job_b", { packages: [pack("pip", "one")], run: "true" });
  await bench.kick();
  await bench.exit("job_b");
  expect(bench.read("calls")?.match(/install/g)?.length).toBe(1);
});

test.concurrent("after its packages a job without a setup is adopted as any other, and can be ended", async () => {
  await using bench = await Bench.open();
  standIns(bench, "python3");
  bench.plane.assign("job_a", { packages: [pack("pip", "one")], run: "touch ~/began; sleep 1000" });
  const first = await bench.agent();
  await until("the script", () => bench.read("began") !== undefined);
  expect(bench.agentState("job_a-1")).toContain('"step":"run"');
  await murder(first);
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.agent();
  await bench.kick();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "cancelled", exitCode: 143 });
  expect(bench.processes()).toEqual([]);
});

test.concurrent("a job that is cancelled while it installs ends at once, and the next one installs", async () => {
  await using bench = await Bench.open();
  standIns(bench, "python3");
  writeFileSync(join(bench.home.jobs, "gate"), "");
  bench.plane.assign("job_a", { packages: [pack("pip", "one")], run: "touch ~/ran" });
  await bench.agent();
  await until("the installer", () => bench.read("calls"));
  bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
  await bench.kick();
  expect(await bench.exit("job_a")).toMatchObject({ cause: "cancelled" });
  bench.write("go");
  bench.plane.assign("job_b", { packages: [pack("pip", "one")], run: "true" });
  await bench.kick();
  expect(await bench.exit("job_b")).toMatchObject({ exitCode: 0 });
  expect(bench.read("calls")?.match(/install/g)?.length).toBe(2);
  expect(bench.read("ran")).toBeUndefined();
});
