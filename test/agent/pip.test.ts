/**
 * Packages by the machine's own pip, where it has one, without a network; and how sources are read. The control plane is a
 * server of our own.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import type { Assignment } from "@muster/core/agent/protocol.ts";
import { expect, test } from "vitest";
import { argumentsOf, listKey, pythonPath } from "../../packages/agent/src/attempt/packages.ts";
import { Bench } from "./support/bench.ts";
import { type Package, pack, workdirOf } from "./support/bring.ts";

const hasPip = spawnSync("python3", ["-m", "pip", "--version"]).status === 0;
const pipTest = hasPip
  ? "the machine's own pip installs a folder of the workdir"
  : "without pip on this machine, the job fails and the log says why";

/** Builds a wheel without any other package: what pip needs of a project that is to be installed offline. */
const BACKEND = `
import zipfile
def build_wheel(folder, settings=None, metadata=None):
    name = "muster_test_thing-1.dist-info/"
    with zipfile.ZipFile(folder + "/muster_test_thing-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("muster_test_thing.py", "print('it is there')")
        wheel.writestr(name + "METADATA", "Metadata-Version: 2.1\\nName: muster-test-thing\\nVersion: 1\\n")
        wheel.writestr(name + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(name + "RECORD", "")
    return "muster_test_thing-1-py3-none-any.whl"
`;

test.concurrent(pipTest, async () => {
  await using bench = await Bench.open();
  const project = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n';
  const workdir = workdirOf(bench, "w", { "lib/pyproject.toml": project, "lib/backend.py": BACKEND });
  const target = join(bench.home.root, "target");
  const args = ["--no-index", "--no-deps", "--target", target, "--disable-pip-version-check"];
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
