/**
 * Jobs under another user's name; the control plane is a server of our own. Run as root, this makes a user for the time of
 * the tests and runs real jobs as that user; run as anybody else, it can only check that the agent says no.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join, resolve } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bench, codeOf, isAlive, murder } from "./support/bench.ts";
import { GitServer } from "./support/git-server.ts";
import { S3 } from "./support/s3.ts";
import { until } from "./support/until.ts";

if (process.getuid?.() === 0) asRoot();
else asAnybody();

test.concurrent("an agent that runs as the user already has nothing to change", async () => {
  await using bench = await Bench.open();
  bench.plane.assign("job_a", { run: "id -un; echo $USER" });
  bench.start(["run", "--run-as", userInfo().username, "--jobs-home", bench.home.jobs]);
  await bench.exit("job_a");
  expect(bench.plane.log("job_a")).toBe(`${userInfo().username}\n${userInfo().username}\n`);
  expect(statSync(bench.home.agent).mode & 0o777).toBe(0o700);
});

function asAnybody(): void {
  test.concurrent("without being root, the agent refuses another user's name", async () => {
    await using bench = await Bench.open();
    const agent = bench.start(["run", "--run-as", "root"]);
    expect(await text(agent.stderr ?? Readable.from([]))).toContain(
      "--run-as root: only root can run jobs under another name",
    );
    expect(await codeOf(agent)).toBe(1);
  });
}

function asRoot(): void {
  const name = `mt${process.pid}`;
  const place = mkdtempSync(join(tmpdir(), "mt-"));

  beforeAll(() => {
    chmodSync(place, 0o755);
    execFileSync("useradd", ["--create-home", "--home-dir", join(place, "home"), "--shell", "/bin/bash", name]);
  });

  afterAll(() => {
    // Quietly: it would miss the mailbox that the user never had.
    const gone = spawnSync("userdel", ["--remove", name]);
    rmSync(place, { recursive: true, force: true });
    expect(gone.status === 0 || gone.status === 12).toBe(true);
  });

  const id = (): number => Number(execFileSync("id", ["-u", name], { encoding: "utf8" }));

  async function opened(): Promise<Bench> {
    const bench = await Bench.open();
    chmodSync(bench.home.root, 0o711);
    return bench;
  }

  test("a host has a key of the user's, and lets the job's other hosts in while the job runs", async () => {
    await using bench = await opened();
    const ssh = join(place, "home", ".ssh");
    const peers = [{ address: "10.0.0.2", sshKey: `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"a".repeat(43)}` }];
    bench.plane.assign("job_a", { peers, run: "stat -c '%U %a' ~/.ssh ~/.ssh/*; cat ~/.ssh/authorized_keys" });
    bench.start(["run", "--run-as", name]);
    await bench.exit("job_a");
    const [key] = bench.plane.enrollments.map(({ facts }) => facts.sshKey);
    expect(readFileSync(join(ssh, "muster_ed25519.pub"), "utf8")).toBe(`${key} muster\n`);
    expect(bench.plane.log("job_a", "run").split("\n")).toEqual([
      `${name} 700`,
      ...[`${name} 600`, `${name} 600`, `${name} 600`, `${name} 600`],
      ...[expect.stringContaining("begin"), `from="10.0.0.2" ${peers[0]?.sshKey} muster`, expect.any(String), ""],
    ]);
    expect(readFileSync(join(ssh, "authorized_keys"), "utf8")).toBe("");
  });

  const flags = (bench: Bench): string[] => ["run", "--run-as", name, "--jobs-home", bench.home.jobs];

  test.concurrent("setup and run have the user's name, groups and home, and write to their log in every way", async () => {
    await using bench = await opened();
    bench.plane.assign("job_a", {
      setup: "echo setup $(id -un)",
      run: "id -un; id -gn; id -Gn; echo $HOME $USER $LOGNAME; pwd; echo error >/dev/stderr; echo out | tee /dev/stderr >/dev/null; touch ~/mine ./here; exit 4",
    });
    bench.start(["run", "--run-as", name]);
    const exit = await bench.exit("job_a");
    const home = join(place, "home");
    expect(bench.plane.log("job_a")).toBe(
      `setup ${name}\n${name}\n${name}\n${name}\n${home} ${name} ${name}\n${home}/muster/job_a\nerror\nout\n`,
    );
    expect(exit).toMatchObject({ cause: "exited", exitCode: 4 });
    for (const path of ["mine", "muster", "muster/job_a", "muster/job_a/here", "sky_workdir"])
      expect(statSync(join(home, path)).uid, path).toBe(id());
  });

  test.concurrent("a hook and the idle command run as the user, and can change nothing of the machine's", async () => {
    await using bench = await opened();
    bench.plane.pollAfter = 200;
    const mode = statSync("/dev/null").uid;
    const rank = "cat /proc/self/oom_score_adj";
    const watch = { command: `id -un >~/asked; ${rank} >~/oom; [ ! -w /etc ]` };
    const run = `id -un; echo $HOME; pwd; echo more >/dev/stderr; ${rank}; touch ~/hooked`;
    const agent = bench.start(["run", "--run-as", name]);
    // Other than what jobs have; less than usual, as on machines, only the kernel's own root may say.
    writeFileSync(`/proc/${agent.pid}/oom_score_adj`, "500");
    Object.assign(bench.plane, { watch, hook: { id: "a", run, timeout: 30 } });
    await until("the hook", () => bench.plane.polls.at(-1)?.hooked);
    const home = join(place, "home");
    const said = JSON.stringify(`${name}\n${home}\n${home}\nmore\n0\n`);
    expect(bench.agentLog()).toContain(`"what":"a hook has ended","id":"a","code":0,"isCut":false,"said":${said}`);
    expect(statSync(join(home, "hooked")).uid).toBe(id());
    await until("the command", () => statSync(join(home, "asked"), { throwIfNoEntry: false })?.size);
    expect([readFileSync(join(home, "asked"), "utf8"), statSync(join(home, "asked")).uid]).toEqual([`${name}\n`, id()]);
    expect(readFileSync(join(home, "oom"), "utf8")).toBe("0\n");
    expect(statSync("/dev/null").uid).toBe(mode);
  });

  test.concurrent("inputs belong to the user, wherever they go, and what was there stays whose it was", async () => {
    await using bench = await opened();
    const source = mkdtempSync(join(place, "input-"));
    mkdirSync(join(source, "sub"));
    writeFileSync(join(source, "sub", "file"), "content");
    const archive = execFileSync("tar", ["-czf", "-", "-C", source, "."]);
    const taken = join(place, "taken");
    mkdirSync(taken, { mode: 0o700 });
    const input = (bytes: Buffer): { url: string; sha256: string } => {
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      bench.plane.inputs.set(sha256, bytes);
      return { url: `${bench.plane.url}/inputs/${sha256}`, sha256 };
    };
    bench.plane.assign("job_a", {
      workdir: { packs: [input(archive)] },
      mounts: [
        { ...input(Buffer.from("plain")), path: "~/deep/er/plain", kind: "file" },
        { ...input(Buffer.from("#!/bin/sh\necho ran")), path: join(taken, "new", "tool"), kind: "file", mode: 0o700 },
        { packs: [input(archive)], path: join(taken, "folder"), kind: "folder" },
        { packs: [input(archive)], path: taken, kind: "folder" },
      ],
      run: `echo more >>sub/file; cat sub/file ~/deep/er/plain; ls -ld ${taken}`,
    });
    bench.start(flags(bench));
    expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
    expect(bench.plane.log("job_a")).toMatch(/^contentmore\nplaind.* root root .*\n$/);
    const jobs = bench.home.jobs;
    const given = [jobs, `${jobs}/muster/job_a/sub/file`, `${jobs}/deep`, `${jobs}/deep/er/plain`];
    for (const path of [...given, `${taken}/new`, `${taken}/new/tool`, `${taken}/folder/sub/file`, `${taken}/sub/file`])
      expect(statSync(path).uid, path).toBe(id());
    expect(statSync(taken).uid).toBe(0);
    expect(statSync(join(taken, "new", "tool")).mode & 0o777).toBe(0o700);
  });

  test.concurrent("repositories, buckets, secret files and packages are the user's own", async () => {
    await using server = await GitServer.open();
    await using s3 = await S3.open();
    await using bench = await opened();
    server.repository("repo", { "train.py": "one" });
    server.password = "x-access-token:tok-s3cret";
    s3.put({ "set/a/b": "c" });
    const url = `${server.url}/repo.git`;
    bench.plane.assign("job_a", {
      workdir: { url },
      mounts: [{ kind: "bucket", path: "~/data", source: `s3://${s3.bucket}/set`, mode: "copy" }],
      secretFiles: [
        { path: "~/.ssh/key", content: Buffer.from("private").toString("base64") },
        { path: "own.key", content: Buffer.from("mine").toString("base64") },
      ],
      packages: [{ method: "local", source: url, args: [] }],
      env: { ...s3.env, GIT_TOKEN: "tok-s3cret" },
      secretNames: ["GIT_TOKEN"],
      run: "git status --short; cat ~/.ssh/key own.key ~/data/a/b; touch ~/data/a/more; stat -c %a ~/.ssh ~/.ssh/key own.key; ls -d $PYTHONPATH",
    });
    bench.start(flags(bench));
    expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
    const { jobs } = bench.home;
    // The file that the user put beside the repository's own is new to it.
    expect(bench.plane.log("job_a", "run")).toBe(`?? own.key\nprivateminec700\n600\n600\n${jobs}/repo\n`);
    const work = `${jobs}/muster/job_a`;
    for (const path of [
      work,
      `${work}/train.py`,
      `${work}/.git/HEAD`,
      `${jobs}/.ssh`,
      `${jobs}/.ssh/key`,
      `${jobs}/data/a/b`,
      `${jobs}/repo/.git`,
    ])
      expect(statSync(path).uid, path).toBe(id());
  });

  test.concurrent("lines that failed are noted, as without another name", async () => {
    await using bench = await opened();
    bench.plane.assign("job_a", { onError: "continue", run: "false\necho on" });
    bench.start(flags(bench));
    await bench.exit("job_a");
    expect(bench.plane.log("job_a")).toContain("line 1 exited with 1 and the script went on");
  });

  test.concurrent("a job reads nothing of the agent's, and cannot talk to it", async () => {
    await using bench = await opened();
    bench.plane.assign("job_b", { run: "sleep 1000", env: { KEY: "very-secret" }, secretNames: ["KEY"] });
    bench.plane.assign("job_a", {
      run: `until [ -e ~/go ]; do sleep 0.02; done
cd ${bench.home.agent}
ls . attempts attempts/job_b-1 && echo LISTED
for file in host.json nonce agent.log fences attempts/job_b-1/{assignment.json,state.json,wrap.sh,out/run.log}; do
  cat $file && echo "READ $file"
  { echo >>$file; } && echo "WROTE $file"
done
touch attempts/job_b-1/halted && echo MADE
python3 -c 'import socket; socket.socket(socket.AF_UNIX).connect("sock")' && echo TALKED
true`,
    });
    bench.start(flags(bench));
    await until("both", () => bench.plane.states("job_b").includes("running"));
    bench.write("go");
    expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
    const log = bench.plane.log("job_a", "run");
    expect(log.match(/ermission denied/gi)?.length).toBeGreaterThanOrEqual(20);
    expect(log).not.toMatch(/LISTED|READ|WROTE|MADE|TALKED|very-secret/);
  });

  test.concurrent("cancel ends all processes, also those that became root, forgot their environment, and ignore TERM", async () => {
    await using bench = await opened();
    // What sudo does, without its configuration: a program that makes whoever calls it root.
    const sudo = join(place, "become");
    copyFileSync("/usr/bin/setpriv", sudo);
    chmodSync(sudo, 0o4755);
    const root = `${sudo} --reuid=0 --regid=0 --clear-groups --`;
    bench.plane.assign("job_a", {
      grace: 1,
      run: `touch ~/pids ~/ids
${root} sh -c 'id -u >>${bench.home.jobs}/ids; echo $$ >>${bench.home.jobs}/pids; exec sleep 1000' &
${root} setsid -f sh -c 'echo $$ >>${bench.home.jobs}/pids; exec sleep 1000'
${root} env -i /usr/bin/setsid /bin/sh -c 'trap "" TERM; echo $$ >>${bench.home.jobs}/pids; while :; do /bin/sleep 0.1; done' &
sh -c 'echo $$ >>~/pids; exec sleep 1000' &
wait`,
    });
    bench.start(flags(bench));
    const pids = await until("the family", () => {
      const found = (bench.read("pids") ?? "").split("\n").filter(line => line !== "");
      return found.length === 4 && found.map(Number);
    });
    expect(bench.read("ids")).toBe("0\n");
    expect(pids.every(isAlive)).toBe(true);
    bench.plane.held = [{ jobId: "job_a", fence: 1, cancel: "cancelled" }];
    await bench.kick();
    expect(await bench.exit("job_a")).toMatchObject({ cause: "cancelled", exitCode: 143, logsComplete: true });
    expect(pids.filter(isAlive)).toEqual([]);
  });

  test.concurrent("a timeout ends the user's script, and a killed agent's successor brings it home", async () => {
    await using bench = await opened();
    bench.plane.assign("job_a", { run: "echo begun; exec sleep 1000", timeout: 2 });
    bench.plane.assign("job_b", {
      run: "echo $$ >~/began; until [ -e ~/go ]; do sleep 0.02; done; echo whole; exit 7",
    });
    const first = bench.start(flags(bench));
    await until("the job", () => bench.read("began"));
    await murder(first);
    bench.write("go");
    bench.start(flags(bench));
    expect(await bench.exit("job_b")).toMatchObject({ cause: "exited", exitCode: 7, logsComplete: true });
    expect(bench.plane.log("job_b")).toBe("whole\n");
    expect(await bench.exit("job_a")).toMatchObject({ cause: "timed_out", exitCode: 143 });
  });

  test.concurrent("it says why jobs cannot run under a name", async () => {
    await using bench = await opened();
    const said = async (agent: ReturnType<Bench["start"]>): Promise<string> => {
      const words = await text(agent.stderr ?? Readable.from([]));
      expect(await codeOf(agent)).toBe(1);
      return words;
    };
    expect(await said(bench.start(["run", "--run-as", "no-such-user"]))).toContain("there is no such user");
    chmodSync(bench.home.root, 0o700);
    expect(await said(bench.start(["run", "--run-as", name]))).toContain("take a home that everybody may enter");
    const own = mkdtempSync(join(place, "own-"));
    chmodSync(own, 0o777);
    const flags = ["run", "--home", own, "--endpoint", bench.plane.url, "--run-as", "root"];
    const main = resolve("packages/agent/src/main.ts");
    const user = ["--reuid", name, "--regid", name, "--clear-groups", process.execPath, main];
    expect(await said(spawn("setpriv", [...user, ...flags], { stdio: ["ignore", "pipe", "pipe"] }))).toContain(
      "only root can run jobs under another name",
    );
  });
}
