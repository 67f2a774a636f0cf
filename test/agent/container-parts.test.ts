/** What a container is made with: options, logins, texts. Pure, but for scripts that real shells read. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { failureOf } from "../../packages/agent/src/container/begin.ts";
import { Containers, sudoOf } from "../../packages/agent/src/container/containers.ts";
import { ContainerError } from "../../packages/agent/src/container/engine.ts";
import { pullOf } from "../../packages/agent/src/container/login.ts";
import { isShared, optionsOf, visibleGpus } from "../../packages/agent/src/container/options.ts";
import { ENDER, exportsOf, portable } from "../../packages/agent/src/container/texts.ts";
import { codeIn } from "../../packages/agent/src/script/watch.ts";
import { until } from "./support/until.ts";

const never = new AbortController().signal;

test("an exit code that a job has written itself is one that can be told", () => {
  const path = join(mkdtempSync(join(tmpdir(), "mc-")), "run.code");
  const read = (text: string): number | undefined => {
    writeFileSync(path, text);
    return codeIn(path);
  };
  expect(["7\n", "99999\n", "7", "-1\n", "x\n", "9".repeat(1_000_000)].map(read)).toEqual([
    ...[7, 255],
    ...[undefined, undefined, undefined, undefined],
  ]);
});

test("what root has left since a container was made becomes the user's, and what was root's before stays so", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mc-"));
  const inside = join(folder, "in");
  mkdirSync(join(inside, "bin"), { recursive: true });
  const said = join(folder, "said");
  const program = join(folder, "engine");
  writeFileSync(program, `#!/bin/sh\necho "$*" >>${said}\n`, { mode: 0o755 });
  writeFileSync(join(folder, "before"), "");
  // Times of files are no finer than some milliseconds.
  execFileSync("touch", ["-d", "@1700000000", join(folder, "before")]);
  await until("the next tick", () => Date.now() > statSync(join(folder, "before")).ctimeMs + 20);
  writeFileSync(sudoOf(inside), "");
  await until("the next tick", () => Date.now() > statSync(sudoOf(inside)).mtimeMs + 20);
  const containers = new Containers({ folder, journal: { note: () => undefined, warn: () => undefined } });
  const engine = { kind: "docker" as const, program, isRootless: false, env: { PATH: process.env.PATH ?? "" } };
  containers.add({ attempt: "job_a-1", name: "c", engine, own: [folder, inside], owner: { uid: 4711, gid: 4712 } });
  writeFileSync(join(folder, "after"), "");
  await containers.release("job_a-1");
  const owners = ["before", "after"].map(name => statSync(join(folder, name)).uid);
  const root = process.getuid?.() === 0;
  expect(owners).toEqual(root ? [0, 4711] : [process.getuid?.(), process.getuid?.()]);
  // Where the agent is not root, root inside does it.
  if (!root) expect(readFileSync(said, "utf8")).toContain(`-xdev -cnewer ${sudoOf(inside)} -user 0 -exec chown`);
});

describe("options of run", () => {
  const base = { paths: ["/home/a"], workdir: "/home/a/w", labels: { x: "y" }, hasGpus: true, options: [] };
  const options = (kind: "docker" | "podman", more: object): string[] =>
    optionsOf({ kind }, { ...base, gpus: undefined, ...more });

  test.each([
    ["docker", undefined, ["--gpus", "all"]],
    ["docker", [0, 2], ["--gpus", '"device=0,2"']],
    ["docker", [], ["--env=NVIDIA_VISIBLE_DEVICES=void"]],
    ["podman", undefined, ["--device=nvidia.com/gpu=all"]],
    ["podman", [0, 2], ["--device=nvidia.com/gpu=0", "--device=nvidia.com/gpu=2"]],
  ] as const)("%s gives the GPUs %j", (kind, gpus, wanted) => {
    expect(options(kind, { gpus })).toEqual(expect.arrayContaining([...wanted]));
    expect(options(kind, { gpus, hasGpus: false }).join()).not.toMatch(/gpu|NVIDIA/);
  });

  test("what the task says stands in the place of what Muster would", () => {
    const said = ["--network", "none", "--ipc=private", "-u", "1000"];
    expect(options("docker", { options: said }).filter(word => /^--(network|ipc|user)|^-u/.test(word))).toEqual([
      "--network",
      "--ipc=private",
      "-u",
    ]);
    expect(options("docker", {})).toEqual(expect.arrayContaining(["--network=host", "--ipc=host", "--user=0:0"]));
    // Podman takes no size for memory that is the host's.
    expect(options("podman", { options: ["--shm-size=1g"] })).not.toContain("--ipc=host");
  });

  test("a path with a comma or a quote stays one path", () => {
    const [mount] = options("docker", { paths: ['/a,b"c'] }).filter(word => word.startsWith("type=bind"));
    expect(mount).toMatch(/^type=bind,"source=\/a,b""c","target=\/a,b""c"/);
  });

  test("whether mounts are shared is the nearest one's matter", () => {
    const table = `22 1 0:1 / / rw shared:1 - ext4 a rw
23 22 0:2 / /home rw - ext4 b rw
24 23 0:3 / /home/a rw,relatime master:3 - ext4 c rw
`;
    const shared = (path: string): boolean => isShared(path, table);
    expect(["/", "/x", "/home", "/home/b", "/homes", "/home/a", "/home/a/w"].map(shared)).toEqual([
      ...[true, true, false, false, true],
      ...[true, true],
    ]);
    expect(isShared("/x", "")).toBe(false);
  });

  test("inside, a job's GPUs are counted from 0, unless it says otherwise itself", () => {
    const visible = (gpus: number[] | undefined, said: string) =>
      visibleGpus({ ...(gpus && { gpus }), env: { CUDA_VISIBLE_DEVICES: said } });
    expect(visible([2, 5], "2,5")).toEqual({ CUDA_VISIBLE_DEVICES: "0,1" });
    expect(visible([2, 5], "5")).toEqual({});
    expect(visible(undefined, "0,1")).toEqual({});
  });
});

describe("logins", () => {
  const skypilot = (server: string, more = {}) => ({
    ...{ SKYPILOT_DOCKER_USERNAME: "u", SKYPILOT_DOCKER_PASSWORD: "p", SKYPILOT_DOCKER_SERVER: server },
    ...more,
  });
  const login = (server: string) => ({ server, user: "u", password: "p" });

  test.each([
    ["it", {}, "it", undefined],
    ["a/b", skypilot("r.example.com"), "r.example.com/a/b", login("r.example.com")],
    ["r.example.com/a/b", skypilot("r.example.com"), "r.example.com/a/b", login("r.example.com")],
    ["a/b", skypilot("docker.io"), "docker.io/a/b", login("docker.io")],
    ["a/b", skypilot("https://index.docker.io/v1/"), "docker.io/a/b", login("docker.io")],
    ["a/b", { SKYPILOT_DOCKER_USERNAME: "u", SKYPILOT_DOCKER_PASSWORD: "p" }, "a/b", login("docker.io")],
    ["ghcr.io/a/b", { MUSTER_REGISTRY_USERNAME: "u", MUSTER_REGISTRY_PASSWORD: "p" }, "ghcr.io/a/b", login("ghcr.io")],
    [
      "ghcr.io/a/b",
      { MUSTER_REGISTRY_USERNAME: "u", MUSTER_REGISTRY_PASSWORD: "p", MUSTER_REGISTRY_SERVER: "quay.io" },
      "ghcr.io/a/b",
      undefined,
    ],
    ["123456789012.dkr.ecr.eu-west-1.amazonaws.com/a", {}, "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a", undefined],
  ])("%s with %j is %s", async (image, env, whole, wanted) => {
    expect(await pullOf(image, env, never)).toEqual({ image: whole, login: wanted });
  });

  test("half a login is none, and half of AWS's credentials is no access to ECR", async () => {
    await expect(pullOf("a/b", { SKYPILOT_DOCKER_USERNAME: "u" }, never)).rejects.toThrow(ContainerError);
    const ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/a";
    await expect(pullOf(ecr, { AWS_ACCESS_KEY_ID: "A" }, never)).rejects.toThrow("give both AWS_ACCESS_KEY_ID");
  });
});

describe("scripts", () => {
  const shells = ["sh", "bash"];
  const folder = mkdtempSync(join(tmpdir(), "ma-parts-"));
  const run = (shell: string, ...args: string[]): string =>
    execFileSync(shell, args, {
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });

  test("every byte of a variable comes through, in any shell", async () => {
    const value = fc.string({ unit: "grapheme" }).filter(text => !text.includes("\0"));
    const some = fc.array(fc.oneof(value, fc.constantFrom("'", "\n", "\\", "$(x)", "`", '"', "\n\n")), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(some, fc.constantFrom(...shells), async (parts, shell) => {
        const wanted = parts.join("");
        writeFileSync(join(folder, "env"), exportsOf({ A: wanted, UID: "7", "not-a-name": "x", PPID: "1" }));
        expect(run(shell, "-c", `. ${folder}/env; printf '%s' "$A"`)).toBe(wanted);
      }),
      { numRuns: 60 },
    );
  });

  test.each(shells)("%s reads the same script: it stops at a failing line, and goes on where it may", shell => {
    const file = join(folder, "script.sh");
    const of = (onError: "stop" | "continue"): string => {
      writeFileSync(file, portable(onError, "echo one\nfalse\necho two"));
      return file;
    };
    expect(() => run(shell, of("stop"))).toThrow(expect.objectContaining({ status: 1, stdout: "one\n", stderr: "" }));
    expect(run(shell, of("continue"))).toBe("one\ntwo\n");
  });

  test("what ends a container's processes ends none of a machine's", () => {
    // A test that finds it otherwise must not be the last thing that this machine does.
    const harmless = `kill() { echo killed; }; ${ENDER}`;
    const refused = { status: 3, stdout: "these are not the processes of a container\n" };
    expect(() => run("sh", "-c", harmless, "muster", "0")).toThrow(expect.objectContaining(refused));
  });
});

test.each([
  [
    "the image x could not be pulled\nlayer one\nError: manifest unknown\n\nSee 'docker run --help'.\n",
    /^the image x could not be pulled: Error: manifest unknown$/,
  ],
  [
    "the image x could not be pulled\ndenied: requested access to the resource is denied\n",
    /denied.*MUSTER_REGISTRY_USERNAME/,
  ],
  ['the container could not be started\nexec: "sh": executable file not found in $PATH\n', /the image has no sh/],
  ["the container could not be started\nexec /usr/bin/sh: exec format error\n", /not made for this host's processor/],
  ["", /^the container could not be made$/],
])("what a tool said in %j becomes one line", (said, wanted) => {
  expect(failureOf(said)).toMatch(wanted);
  expect(failureOf(said)).not.toContain("\n");
});
