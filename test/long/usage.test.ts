/** The command line as a process, where it needs no control plane: mistakes, help, validation, completion. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import { script, shells } from "../../packages/cli/src/completion.ts";
import { program } from "../../packages/cli/src/program.ts";
import { Home } from "../cli/support/muster.ts";

vi.setConfig({ testTimeout: 60_000 });

type Command = ReturnType<typeof program>;

const folder = mkdtempSync(join(tmpdir(), "muster-usage-"));
const home = new Home({ MUSTER_HOME: join(folder, "never-made") });
afterAll(() => {
  for (const path of [folder, home.path]) rmSync(path, { recursive: true, force: true });
});

const written = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

describe("mistakes", () => {
  test.each([
    ["a command", ["lanch"], "(Did you mean launch?)"],
    ["an option", ["launch", "--detatch", "x.yaml"], "(Did you mean --detach?)"],
    ["a command that is asked for help", ["lanch", "--help"], "(Did you mean launch?)"],
    ["a key of the task file", ["launch", "--num_node", "2"], "(Did you mean --num_nodes?)"],
    ["a name", ["launch", "-c", "a b", "--run", "x"], "Use letters, digits"],
    ["a folder", ["launch", "examples"], "examples is a folder; name a file"],
    ["a file's name", ["launch", "examples/helo.yaml"], "did you mean examples/hello.yaml?"],
    ["a missing argument", ["logs"], "missing required argument 'subject'"],
    ["nothing to cancel", ["cancel"], "say which jobs"],
    ["a number", ["launch", "--priority", "many", "x.yaml"], "Write a whole number, from 0 to 1000."],
    ["a file", ["launch", "nowhere.yaml"], "cannot read nowhere.yaml: there is no such file"],
    ["nothing to run", ["launch"], 'muster launch --run "echo hello"'],
    ["nothing to run on a cluster", ["run", "-c", "ed"], 'muster run -c ed --run "echo hello"'],
    ["a key of the task file with one below it", ["launch", "--resorces.cloud=x"], "(Did you mean --resources.cloud?)"],
    ["a variable's name", ["launch", "examples/hello.yaml", "-e", "BAD-NAME=1"], "the command line: -e BAD-NAME: use"],
    ["a variable that is not set", ["launch", "x.yaml", "-e", "NO_SUCH_THING"], "NO_SUCH_THING is not set here"],
    ["an endpoint", ["status", "--endpoint", "muster.example.com"], "is not an endpoint"],
    ["no token", ["status", "--endpoint", "https://muster.example.com"], "set MUSTER_TOKEN"],
  ])("%s", async (_, args, told) => {
    const { code, out, err } = await home.run(...args);
    expect(err).toContain(told);
    expect([code, out]).toEqual([told.includes("MUSTER_TOKEN") ? 121 : 120, ""]);
  });

  test("under --json a failure is one line of JSON on stderr", async () => {
    for (const args of [["launch", "--bogus"], ["launch", "nowhere.yaml"], ["frobnicate"]]) {
      const { code, out, err } = await home.run(...args, "--json");
      expect(JSON.parse(err)).toMatchObject({ code: "invalid_request", exitCode: 120, message: expect.any(String) });
      expect([code, out]).toEqual([120, ""]);
    }
  });
});

describe("help", () => {
  const every = (command: Command): Command[] => [command, ...command.commands.flatMap(every)];
  const leaves = every(program()).filter(command => command.commands.length === 0);

  test.each(leaves.map(command => [command.name(), command] as const))("%s has an example", (name, command) => {
    const parts: string[] = [];
    command.configureOutput({ writeOut: part => void parts.push(part) }).outputHelp();
    const text = parts.join("");
    const path = command.parent?.parent ? `${command.parent.name()} ${name}` : name;
    expect(text).toMatch(new RegExp(`Example:\\n .*muster ${path}`));
    expect(text).toContain("--json");
  });

  test("no line is longer than 80 columns, and what every command takes comes last", async () => {
    const texts = await Promise.all(
      leaves.map(command => home.run(...(command.parent?.parent ? [command.parent.name()] : []), command.name(), "-h")),
    );
    for (const { out } of texts) {
      expect(out.split("\n").filter(line => line.length > 80)).toEqual([]);
      expect(out.indexOf("Options:")).toBeLessThan(out.indexOf("Everywhere:"));
    }
  });

  test("it goes to stdout and is no failure", async () => {
    for (const args of [[], ["--help"], ["help", "launch"], ["launch", "--help"], ["targets"], ["secrets"]])
      expect(await home.run(...args)).toMatchObject({ code: 0, out: expect.stringContaining("Usage: muster") });
  });
});

describe("validation", () => {
  test("a good file is told with its dialect", async () => {
    const file = written("sky.yaml", "resources: {cloud: aws}\nenvs: {A: true}\nrun: 'true'\n");
    const { code, out } = await home.run("validate", file);
    expect([code, out]).toEqual([
      0,
      `${file}: skypilot task (it has resources.cloud)\n` +
        '  warning: envs.A (line 2): true without quotes is given to the script as "True"\n' +
        `  It can be read; whether it can be launched here is decided by:\n  muster launch ${file} --dry-run\n`,
    ]);
  });

  test("secrets are told by their names alone", async () => {
    const file = written("secret.yaml", "secrets: {PIN: '1234'}\nenvs: {HF_TOKEN: abcd}\nrun: 'true'\n");
    const { out } = await home.run("validate", file, "--json", "-e", "WANDB_API_KEY=efgh", "-e", "A=b");
    expect(JSON.parse(out).tasks[0].task).toMatchObject({
      envs: { HF_TOKEN: "***", A: "b" },
      secrets: { PIN: "***", WANDB_API_KEY: "***" },
    });
    expect(out).not.toMatch(/1234|abcd|efgh/);
  });

  test("every issue of a bad file has its line, its key, and what to write", async () => {
    const file = written("bad.yaml", "nmae: x\nnum_nodes: 0\nrun: 'true'\n");
    const { code, err } = await home.run("validate", file);
    expect(code).toBe(2);
    expect(err).toMatch(new RegExp(`^${file}:1: nmae: .*\\(did you mean 'name'\\?\\)\n${file}:2: num_nodes: `));
  });

  test("what EC2 can do can be said, with a warning for what says nothing", async () => {
    const text = `resources:
  use_spot: false
  spot_fallback: true
  max_hourly: $2.50
  reservation: cr-1
  placement_group: true
  efa: true
`;
    const file = written("ec2.yaml", `${text}run: 'true'\n`);
    const { code, out } = await home.run("validate", file);
    expect([code, out]).toEqual([0, expect.stringContaining("  warning: resources.spot_fallback: says nothing")]);
    expect(JSON.parse((await home.run("validate", file, "--json")).out).tasks[0].task.resources).toEqual({
      ...{ spot: false, spotFallback: true, maxHourly: 2.5, reservation: "cr-1", placementGroup: true, efa: true },
    });
    const slip = written("ec2-slip.yaml", text.replace("max_hourly", "max_hourley"));
    expect((await home.run("validate", slip)).err).toContain(
      `${slip}:4: resources.max_hourley: is not a key that Muster knows (did you mean 'max_hourly'?)`,
    );
  });

  test("groups are told with their issues; resources beside them are one", async () => {
    const file = written("groups.yaml", "groups:\n  - name: a\nresources: {cpus: 4}\nrun: 'true'\n");
    const { code, err } = await home.run("validate", file);
    expect([code, err]).toEqual([2, `${file}:3: resources: cannot stand beside groups: each of them says its own\n`]);
    const good = await home.run("validate", "examples/groups.yaml", "--groups.1.nodes", "3", "--json");
    expect(JSON.parse(good.out).tasks[0].groups).toMatchObject([
      { name: "head", nodes: 1, schedulable: false },
      { name: "workers", nodes: 3, schedulable: true },
    ]);
  });

  test("a reservation is for one kind of machine", async () => {
    const { code, err } = await home.run("launch", "examples/groups.yaml", "--reservation", "cr-1", "--dry-run");
    expect([code, err]).toEqual([120, expect.stringContaining("with --groups.0.resources.reservation=cr-1")]);
  });

  test("what Muster cannot do yet is listed, and refused when it is launched", async () => {
    const file = written("not-yet.yaml", "run: 'true'\nservice: {replicas: 2}\nvolumes: {/data: vol}\n");
    expect(await home.run("validate", file)).toMatchObject({
      code: 0,
      out: expect.stringContaining("not yet: service"),
    });
    const launched = await home.run("launch", file);
    expect(launched.code).toBe(120);
    expect(launched.err).toMatch(/cannot do yet\n {2}service: .*\n {2}volumes: /);
  });

  test("a working folder that is not there is told with where it was looked for", async () => {
    const file = written("workdir.yaml", "workdir: nowhere\nrun: 'true'\n");
    const { code, err } = await home.run("launch", file);
    expect([code, err]).toEqual([
      120,
      expect.stringMatching(/'nowhere' does not exist\n.*looked for at \/.*\/nowhere/),
    ]);
  });
});

describe("completion", () => {
  const complete = (...words: string[]): string[] => {
    const text = `${script("bash", program())}
COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _muster; echo "\${COMPREPLY[@]}"`;
    return execFileSync("bash", ["-c", text, "bash", "muster", ...words])
      .toString()
      .trim()
      .split(" ");
  };

  test("bash completes commands, and the options of the command at hand", () => {
    expect(complete("l")).toEqual(["launch", "logs", "login", "logout", "local"]);
    expect(complete("launch", "x.yaml", "--dr")).toEqual(["--dry-run"]);
    expect(complete("local", "st")).toEqual(["start", "stop", "status"]);
    expect(complete("tokens", "")).toEqual(expect.arrayContaining(["create", "list", "revoke"]));
    expect(complete("local", "stop", "--j")).toEqual(["--json"]);
    expect(complete("launch", "")).toEqual([""]);
  });

  test("every command and option is in every script", () => {
    for (const shell of shells)
      for (const word of ["autostop", "idle-minutes-to-autostop", "dry-run", "validate"])
        expect(script(shell, program())).toContain(word);
  });
});
