/**
 * Packages by the machine's own pip, where it has one, without a network; and how sources are read. The control plane is a
 * server of our own.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Assignment } from "@muster/core/agent/protocol.ts";
import { expect, test } from "vitest";
import { argumentsOf, listKey, pythonPath } from "../../packages/agent/src/attempt/packages.ts";
import { basics } from "../../packages/agent/src/host/surroundings.ts";
import { Bench } from "../agent/support/bench.ts";
import { type Package, pack, workdirOf } from "../agent/support/bring.ts";

const hasPip = spawnSync("python3", ["-m", "pip", "--version"]).status === 0;
const pipTest = hasPip
  ? "the machine's own pip installs a folder of the workdir"
  : "without pip on this machine, the job fails and the log says why";

/** Builds a wheel without any other package: what pip needs of a project that is to be installed offline. */
const BACKEND = `
import zipfile
VERSION = "1"
def build_wheel(folder, settings=None, metadata=None):
    name = "muster_test_thing-" + VERSION + ".dist-info/"
    file = "muster_test_thing-" + VERSION + "-py3-none-any.whl"
    with zipfile.ZipFile(folder + "/" + file, "w") as wheel:
        wheel.writestr("muster_test_thing.py", "print('it is there')\\ndef main(): print(" + VERSION + ")")
        wheel.writestr(name + "METADATA", "Metadata-Version: 2.1\\nName: muster-test-thing\\nVersion: " + VERSION + "\\n")
        wheel.writestr(name + "entry_points.txt", "[console_scripts]\\nmuster-test-thing = muster_test_thing:main\\n")
        wheel.writestr(name + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(name + "RECORD", "")
    return file
`;

const PROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n';
const OFFLINE = ["--no-index", "--no-deps", "--disable-pip-version-check"];

/** A workdir whose folder `lib` is a package of this version. */
const libOf = (bench: Bench, version = "1"): ReturnType<typeof workdirOf> =>
  workdirOf(bench, "w", {
    "lib/pyproject.toml": PROJECT,
    "lib/backend.py": BACKEND.replace('VERSION = "1"', `VERSION = "${version}"`),
    // What decides where packages go takes its modules from Python alone.
    "sysconfig.py": "raise SystemExit(12)",
  });

/** Whether a package would go to the machine's own Python, and its owner lets packages of users be. */
const OWN = `
import os, site, sys, sysconfig
kept = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
sys.exit(0 if sys.prefix == sys.base_prefix and site.ENABLE_USER_SITE and not os.path.exists(kept) else 1)
`;
const isOwn = hasPip && spawnSync("python3", ["-c", OWN]).status === 0;

test.concurrent(pipTest, async () => {
  await using bench = await Bench.open();
  const workdir = libOf(bench);
  const target = join(bench.home.root, "target");
  const args = [...OFFLINE, "--target", target];
  bench.plane.assign("job_a", {
    workdir,
    packages: [pack("pip", "./lib", { args })],
    env: { PYTHONPATH: target },
    run: "cd /; python3 -m muster_test_thing",
  });
  await bench.agent();
  const exit = await bench.exit("job_a", 1, 60_000);
  if (hasPip) expect(bench.plane.log("job_a", "run"), bench.plane.log("job_a")).toBe("it is there\n");
  else expect(exit).toMatchObject({ cause: "setup_failed" });
}, 70_000);

if (isOwn) {
  const listed = (): string =>
    spawnSync("python3", ["-m", "pip", "list", "--format=freeze"], { encoding: "utf8" }).stdout;

  test.concurrent("what a host installs is its own: no other host and not the machine has it, and its programs are found", async () => {
    expect(listed()).toContain("pip==");
    await using one = await Bench.open();
    await using two = await Bench.open();
    const run =
      "muster-test-thing; command -v muster-test-thing; python3 -m pip list --format=freeze 2>/dev/null | grep muster-test";
    for (const [bench, version] of [
      [one, "1"],
      [two, "2"],
    ] as const) {
      bench.plane.assign("job_a", {
        workdir: libOf(bench, version),
        packages: [pack("pip", "./lib", { args: OFFLINE })],
        setup: "muster-test-thing",
        run,
      });
      await bench.agent();
    }
    for (const [bench, version] of [
      [one, "1"],
      [two, "2"],
    ] as const) {
      const exit = await bench.exit("job_a", 1, 60_000);
      expect(exit, bench.plane.log("job_a", "packages")).toMatchObject({ exitCode: 0 });
      const program = `${bench.home.jobs}/.local/bin/muster-test-thing`;
      const lines = ["it is there", version, program, `muster-test-thing==${version}`, ""];
      expect(bench.plane.log("job_a", "run")).toBe(lines.join("\n"));
      expect(bench.plane.log("job_a", "setup")).toBe(`it is there\n${version}\n`);
    }
    expect(listed()).not.toContain("muster-test");
  }, 120_000);

  test.concurrent("a virtual environment that the job takes gets its packages", async () => {
    await using bench = await Bench.open();
    const venv = join(bench.home.root, "venv");
    spawnSync("python3", ["-m", "venv", "--without-pip", "--system-site-packages", venv]);
    bench.plane.assign("job_a", {
      workdir: libOf(bench),
      packages: [pack("pip", "./lib", { args: OFFLINE })],
      env: { PATH: `${venv}/bin:${process.env.PATH}` },
      run: "command -v muster-test-thing",
    });
    await bench.agent();
    const exit = await bench.exit("job_a", 1, 60_000);
    expect(exit, bench.plane.log("job_a", "packages")).toMatchObject({ exitCode: 0 });
    expect(bench.plane.log("job_a", "run")).toBe(`${venv}/bin/muster-test-thing\n`);
    expect(existsSync(join(bench.home.jobs, ".local/lib"))).toBe(false);
  }, 70_000);

  test.concurrent("a Python that takes no packages of its user says so", async () => {
    await using bench = await Bench.open();
    bench.plane.assign("job_a", {
      workdir: libOf(bench),
      packages: [pack("pip", "./lib", { args: [...OFFLINE, "--dry-run"] })],
      env: { PYTHONNOUSERSITE: "1" },
      run: "true",
    });
    await bench.agent();
    await bench.exit("job_a", 1, 60_000);
    expect(bench.plane.log("job_a", "packages")).toContain("packages: this python3 takes no packages of its user");
    expect(existsSync(join(bench.home.jobs, ".local/lib"))).toBe(false);
  }, 70_000);
}

test.concurrent("the folder of a host's own programs is in front of all others, once", () => {
  const machine = { bash: "/bin/bash", smi: undefined, user: "u", account: undefined, lang: undefined, engine: {} };
  const pathOf = (path: string): string | undefined => basics({ ...machine, path }, "/h").PATH;
  expect(pathOf("/usr/bin:/bin")).toBe("/h/.local/bin:/usr/bin:/bin");
  expect(pathOf("/usr/bin:/h/.local/bin:/bin:/h/.local/bin")).toBe("/h/.local/bin:/usr/bin:/bin");
});

test.concurrent("sources are names, paths or repositories, and keep their passwords to themselves", () => {
  const bases = { home: "/h", workdir: "/h/w" };
  const kinds = (method: Package["method"], source: string): string =>
    argumentsOf([pack(method, source)], bases)
      .slice(1, 4)
      .join(" ");
  expect(kinds("pip", "torch")).toBe("name torch ");
  expect(kinds("pip", "git+https://github.com/a/b")).toBe("name git+https://github.com/a/b ");
  expect(kinds("pip", "https://github.com/a/b/releases/x.whl")).toBe("name https://github.com/a/b/releases/x.whl ");
  expect(kinds("pip", "https://github.com/a/b")).toBe("git https://github.com/a/b /h/b");
  expect(kinds("reqs", "git@github.com:a/b.git")).toBe("git git@github.com:a/b.git /h/b");
  expect(kinds("reqs", "x/y")).toBe("path /h/w/x/y copy");
  expect(kinds("pip", "~/x")).toBe("path /h/x edit");
  expect(() => kinds("pip", "https://me:pw@github.com/a/b")).toThrow(/^package https:\/\/github.com\/a\/b: give/);
  const job = { packages: [pack("local", "src")], env: {}, mounts: [] } as unknown as Assignment;
  expect(pythonPath(job, bases)).toBe("/h/w/src");
  const key = (more: object): string => listKey({ ...job, ...more }, bases, undefined);
  expect(key({})).toBe(key({}));
  expect(key({ workdir: { packs: [{ url: "u", sha256: "1" }] } })).not.toBe(key({}));
  expect(key({ workdir: { packs: [{ url: "v", sha256: "1" }] } })).toBe(
    key({ workdir: { packs: [{ url: "u", sha256: "1" }] } }),
  );
});
