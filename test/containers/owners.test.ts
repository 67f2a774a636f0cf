/**
 * Whose a job's files are, and who may pull its image; against a real engine, Docker or Podman, and a registry of our own.
 * As root, since it makes a user.
 */
import { execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Bench, bundle, murder } from "../agent/support/bench.ts";
import { until } from "../agent/support/until.ts";
import { containers, engine, engineEnv, imageOf, KIND, makeImage } from "./support/engine.ts";
import { Registry } from "./support/registry.ts";

const image = `${KIND === "podman" ? "localhost/" : ""}muster-owners:1`;
const name = `mc${process.pid}`;
const place = mkdtempSync(join(tmpdir(), "mc-"));
const id = (): number => Number(execFileSync("id", ["-u", name], { encoding: "utf8" }));

beforeAll(() => {
  makeImage(image, ["bash"]);
  chmodSync(place, 0o755);
  execFileSync("useradd", ["--create-home", "--home-dir", join(place, "home"), "--shell", "/bin/bash", name]);
});
afterAll(() => {
  engine("rmi", "-f", image);
  spawnSync("userdel", ["--remove", name]);
  rmSync(place, { recursive: true, force: true });
});

const shell = (line: string): string => execFileSync("sh", ["-c", line], { encoding: "utf8" });

const ownersBelow = (folder: string): number[] => [
  ...new Set(readdirSync(folder, { recursive: true }).map(path => lstatSync(join(folder, String(path))).uid)),
];

test("what root writes inside is the job's user's in the end: in HOME, in the workdir and where outputs are", async () => {
  await using bench = await Bench.open();
  chmodSync(bench.home.root, 0o755);
  const kept = join(place, "kept");
  const jobs = join(place, "home");
  bench.plane.assign("job_a", {
    container: { image, options: [] },
    outputs: { places: [`${kept}/*.txt`], policy: bench.plane.policy("job_a", 1) },
    setup: "mkdir -p ~/deep/er; touch ~/deep/er/one; id -u",
    run: `touch made ${kept}/a.txt; chmod 600 made; mkdir closed; chmod 700 closed; echo up; until [ -e ~/go ]; do sleep 0.05; done`,
  });
  bench.start(["run", "--run-as", name, "--jobs-home", jobs], undefined, engineEnv);
  await until("the script to run", () => bench.plane.log("job_a", "run") === "up\n");
  expect(bench.plane.log("job_a", "setup")).toBe("0\n");
  expect(statSync(join(jobs, "muster/job_a/made")).uid).toBe(0);
  execFileSync("touch", [join(jobs, "go")]);
  expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
  expect(statSync(join(kept, "a.txt")).uid).toBe(id());
  expect(ownersBelow(join(jobs, "deep"))).toEqual([id()]);
  expect(ownersBelow(join(jobs, "muster/job_a"))).toEqual([id()]);
  expect(containers()).toEqual([]);
});

test("what is mounted for a job is seen inside, and where mounts are shared, what is taken away is gone there too", async () => {
  const shared = mkdtempSync(join(place, "shared-"));
  shell(`mount --bind ${shared} ${shared} && mount --make-shared ${shared}`);
  try {
    await using bench = await Bench.open(shared);
    const data = join(bench.home.jobs, "data");
    mkdirSync(data, { recursive: true });
    shell(`mount -t tmpfs none ${data}`);
    writeFileSync(join(data, "x"), "mounted\n");
    bench.plane.assign("job_a", {
      container: { image, options: [] },
      run: "cat ~/data/x; until [ -e ~/go ]; do sleep 0.05; done; cat ~/data/x || echo gone; sudo -E -u root A=b sh -c 'echo $A'",
    });
    await bench.agent(engineEnv);
    await until("the script to run", () => bench.plane.log("job_a", "run") === "mounted\n");
    shell(`umount ${data}`);
    bench.write("go");
    expect(await bench.exit("job_a")).toMatchObject({ exitCode: 0 });
    expect(bench.plane.log("job_a", "run")).toMatch(/^mounted\ncat: .*No such file.*\ngone\nb\n$/);
  } finally {
    shell(`umount ${shared}`);
  }
});

// With Podman, root inside is an agent's own user, where that is not root.
if (KIND === "docker") {
  test("an agent that is not root has the engine give the files away", async () => {
    await using bench = await Bench.open();
    const socket = statSync("/var/run/docker.sock").gid;
    const tool = bundle(place);
    execFileSync("chown", ["-R", name, bench.home.root]);
    bench.plane.assign("job_a", {
      container: { image, options: [] },
      run: "id -u; mkdir deep; touch deep/made; chmod 700 deep; ln -s /etc/passwd link",
    });
    const own = ["--home", bench.home.root, "--endpoint", bench.plane.url, "--enrollment-token-file", bench.tokenFile];
    const who = [`--reuid=${id()}`, `--regid=${id()}`, `--groups=${socket}`];
    const env = { ...engineEnv, HOME: join(place, "home") };
    const agent = spawn("setpriv", [...who, process.execPath, tool, "run", ...own], { env, stdio: "ignore" });
    try {
      expect(await bench.exit("job_a")).toMatchObject({ cause: "exited", exitCode: 0 });
    } finally {
      await murder(agent);
    }
    expect(bench.plane.log("job_a", "run")).toBe("0\n");
    expect(statSync("/etc/passwd").uid).toBe(0);
    expect(ownersBelow(join(bench.home.jobs, "muster/job_a"))).toEqual([id()]);
    expect(containers()).toEqual([]);
  });
}

// Podman takes no registry without TLS unless its own configuration says so.
if (KIND === "docker") {
  test("a private image is pulled with a fresh login, of which nothing is left", async () => {
    await using bench = await Bench.open();
    await using registry = await Registry.open(imageOf(["bash"]), "me", "right-password");
    const wanted = { image: `${registry.host}/team/it:1.0`, options: [] };
    const config = join(homedir(), ".docker/config.json");
    const before = existsSync(config) ? readFileSync(config, "utf8") : undefined;
    const login = (password: string) => ({ MUSTER_REGISTRY_USERNAME: "me", MUSTER_REGISTRY_PASSWORD: password });
    bench.plane.assign("job_a", { container: wanted, env: login("wrong-password"), run: "true" });
    await bench.agent(engineEnv);
    expect(await bench.exit("job_a")).toMatchObject({
      cause: "container_failed",
      message: expect.stringMatching(/^no login at 127\.0\.0\.1:\d+: .*unauthorized/i),
    });
    bench.plane.assign("job_b", { container: wanted, env: {}, run: "true" });
    await bench.kick();
    expect(await bench.exit("job_b")).toMatchObject({
      cause: "container_failed",
      message: expect.stringContaining("MUSTER_REGISTRY_USERNAME"),
    });
    expect(registry.paths).toEqual([]);
    bench.plane.assign("job_c", {
      container: wanted,
      env: login("right-password"),
      run: "echo in; until [ -e ~/go ]; do sleep 0.05; done",
    });
    await bench.kick();
    await until("the script to run", () => bench.plane.log("job_c", "run") === "in\n");
    expect(bench.plane.log("job_c", "packages")).toContain("Pull complete");
    const known = Buffer.from("me:right-password").toString("base64");
    // 1: it is nowhere.
    expect(spawnSync("grep", ["-rqsF", known, bench.home.root]).status).toBe(1);
    bench.write("go");
    expect(await bench.exit("job_c")).toMatchObject({ exitCode: 0 });
    expect(existsSync(config) ? readFileSync(config, "utf8") : undefined).toBe(before);
    bench.plane.assign("job_d", {
      container: { ...wanted, image: `${registry.host}/team/it:2.0` },
      env: login("right-password"),
      run: "true",
    });
    await bench.kick();
    expect(await bench.exit("job_d")).toMatchObject({
      cause: "container_failed",
      message: expect.stringContaining("manifest unknown"),
    });
    engine("rmi", "-f", wanted.image);
  });
}
