/**
 * The workspace's secrets and targets on the command line: processes against the embedded control plane, whose jobs are
 * real processes too. What a terminal is asked for goes over one of util-linux's `script`.
 */
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { Home } from "../cli/support/muster.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const CANARY = "hunter2-canary";

let home: Home;
beforeAll(() => {
  home = new Home();
});
afterAll(() => home[Symbol.asyncDispose]());

const send = (value: string, ...args: string[]) => home.start(args, {}, value).ended;
const length = (name: string) => `echo "it has \${#${name}} characters"`;
const write = (name: string, text: string): string => {
  const path = join(home.path, name);
  writeFileSync(path, text);
  return path;
};

/** Every file below a folder that holds this text; those of the secrets' own store aside. */
function holding(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter(name => !name.startsWith("secrets/") && statSync(join(folder, name), { throwIfNoEntry: false })?.isFile())
    .filter(name => readFileSync(join(folder, name)).includes(text));
}

describe("secrets", () => {
  test("one is set from standard input, seen by jobs that ask for it, masked, and shown by nothing", async () => {
    const made = await send(`${CANARY}\n`, "secrets", "set", "HF_TOKEN", "-");
    expect([made.code, made.out]).toEqual([0, "Set HF_TOKEN.\n"]);
    expect(made.err).toContain("--secret HF_TOKEN");
    const ran = await home.run(
      "launch",
      "-c",
      "demo",
      "--secret",
      "HF_TOKEN",
      "--run",
      `${length("HF_TOKEN")}; echo "$HF_TOKEN"`,
    );
    expect([ran.code, ran.out]).toEqual([0, `it has ${CANARY.length} characters\n***\n`]);
    expect(ran.err).toMatch(/secrets +HF_TOKEN, as the workspace keeps them/);
    const file = write("task.yaml", `secrets: [HF_TOKEN]\nrun: ${length("HF_TOKEN")}\n`);
    expect((await home.run("run", file, "-c", "demo")).out).toBe(`it has ${CANARY.length} characters\n`);
    const listed = await home.run("secrets", "list");
    expect(listed.out).toMatch(/^NAME +MADE BY +AGE +SET BY +SET\nHF_TOKEN +usr_local +\d+s +usr_local +\d+s\n$/);
    const told = [made, ran, listed, await home.run("secrets", "list", "--json"), await home.run("export")];
    expect(JSON.stringify(told)).not.toContain(CANARY);
    expect(told.at(-1)?.out).toContain('{"kind":"secret","record":{"name":"HF_TOKEN",');
  });

  test("its value is in no file of the control plane but its own, which nobody else may read", () => {
    const [found] = readdirSync(join(home.path, "secrets", "local")).filter(name => name.startsWith("sec_"));
    const path = join(home.path, "secrets", "local", found ?? "");
    expect([readFileSync(path, "utf8").includes(CANARY), statSync(path).mode & 0o777]).toEqual([true, 0o600]);
    expect(holding(home.path, CANARY)).toEqual([]);
    // The search finds what is there: the name stands in the table.
    expect(holding(home.path, "HF_TOKEN").some(name => name.startsWith("table.db"))).toBe(true);
  });

  test("it is set anew, from a file of several lines as it stands, and by name and value", async () => {
    const key = "-----BEGIN KEY-----\nabc\n-----END KEY-----\n";
    const changed = await home.run("secrets", "set", "HF_TOKEN", "--value-from", write("key.pem", key));
    expect(changed.out).toBe("Changed HF_TOKEN: jobs that begin from now on see the new value.\n");
    const run = ["launch", "-c", "demo", "--secret", "HF_TOKEN", "--run", length("HF_TOKEN")];
    expect((await home.run(...run)).out).toBe(`it has ${key.length} characters\n`);
    await home.run("secrets", "set", "HF_TOKEN=a=b");
    expect((await home.run(...run)).out).toBe("it has 3 characters\n");
    expect(await home.json("secrets", "set", "HF_TOKEN=c")).toMatchObject({ name: "HF_TOKEN", changedBy: "usr_local" });
  });

  test("a person is asked for it, and does not see it", async () => {
    const asked = home.onTerminal(["secrets", "set", "TYPED"]);
    await asked.saw("Value of TYPED (not shown): ");
    asked.child.stdin?.write("typed-secret\r");
    const { code, out } = await asked.ended;
    expect([code, out.includes("Set TYPED."), out.includes("typed-secret")]).toEqual([0, true, false]);
    expect((await home.run("launch", "-c", "demo", "--secret", "TYPED", "--run", length("TYPED"))).out).toBe(
      "it has 12 characters\n",
    );
  });

  test("--secret with a value is the job's alone, and with one's own variable takes that", async () => {
    const own = { OWN_TOKEN: "abcd" };
    const args = ["launch", "-c", "demo", "--secret", "OWN_TOKEN", "--secret", "HF_TOKEN=1234567"];
    const { out, err } = await home.start(
      [...args, "--run", `${length("OWN_TOKEN")}; ${length("HF_TOKEN")}; echo $OWN_TOKEN`],
      own,
    ).ended;
    expect(out).toBe("it has 4 characters\nit has 7 characters\n***\n");
    expect(err).not.toContain("as the workspace keeps them");
    expect(err).not.toContain("not masked");
    const short = await home.run("launch", "-c", "demo", "--secret", "SHORT=abc", "--run", "true", "--dry-run");
    expect(short.err).toContain("warning: secret SHORT has fewer than 4 characters: it is not masked in logs\n");
  });

  test("a variable without a value is taken from the secret of its name; without one it is asked for by name", async () => {
    const file = write(
      "sky.yaml",
      `resources: {cloud: local}\nsecrets: {HF_TOKEN: null}\nrun: ${length("HF_TOKEN")}\n`,
    );
    expect((await home.run("launch", file, "-c", "demo")).out).toBe("it has 1 characters\n");
    const other = write("other.yaml", "resources: {cloud: local}\nsecrets: {ABSENT_TOKEN: null}\nrun: 'true'\n");
    const { code, err } = await home.run("launch", other, "-c", "demo");
    expect([code, err]).toEqual([
      120,
      expect.stringMatching(/secrets\.ABSENT_TOKEN.*-e ABSENT_TOKEN=.*muster secrets set/),
    ]);
    expect(err.match(/secrets\.ABSENT_TOKEN/g)).toHaveLength(1);
    expect((await home.run("launch", other, "-c", "demo", "--secret", "ABSENT_TOKEN=x")).code).toBe(0);
    const plain = write("plain.yaml", "resources: {cloud: local}\nenvs: {EPOCHS: null}\nrun: 'true'\n");
    expect((await home.run("launch", plain, "-c", "demo")).err).toMatch(/envs\.EPOCHS.*-e EPOCHS=/);
  });

  test("removed, it is gone for jobs; that is asked for first", async () => {
    const unasked = await home.run("secrets", "rm", "HF_TOKEN");
    expect([unasked.code, unasked.err]).toEqual([
      120,
      "muster: this removes secret HF_TOKEN, for everybody of the workspace: this needs --yes\n",
    ]);
    expect((await home.run("secrets", "rm", "HF_TOKEN", "--yes")).out).toBe("Removed HF_TOKEN.\n");
    const near = await home.run("launch", "-c", "demo", "--secret", "TYPD", "--run", "true");
    expect([near.code, near.err]).toEqual([122, expect.stringContaining("did you mean TYPED?")]);
    expect((await home.run("run", "-c", "demo", "--secret", "HF_TOKEN", "--run", "true")).err).toMatch(
      /the workspace has no secret 'HF_TOKEN'\n.*muster secrets set HF_TOKEN/,
    );
    const again = await home.run("secrets", "rm", "HF_TOKEN", "--yes");
    expect([again.code, again.err.match(/HF_TOKEN'/g)?.length, again.err]).toEqual([
      122,
      1,
      expect.stringMatching(/^muster: there is no secret 'HF_TOKEN'\n {2}set it with: .*\n$/),
    ]);
    await home.run("secrets", "rm", "TYPED", "-y");
    expect((await home.run("secrets", "list")).out).toBe("No secrets. Keep one with: muster secrets set NAME\n");
    expect(readdirSync(join(home.path, "secrets", "local")).filter(name => name.startsWith("sec_"))).toEqual([]);
  });

  test.each<[string, string[], string]>([
    ["a name that no variable can have", ["A-B=x"], "cannot be a secret's name"],
    ["two values", ["A=x", "-"], "the value is given twice"],
    ["a value as a second word", ["A", "x"], "write NAME=value"],
    ["nothing at all", ["A="], "no value was given"],
    ["a file that is not there", ["A", "--value-from", "/nowhere/at/all"], "there is no such file"],
    ["more than fits", [`A=${"x".repeat(9000)}`], "must not have more than some 8 KB"],
  ])("%s is refused", async (_, args, told) => {
    const { code, out, err } = await home.run("secrets", "set", ...args);
    expect([code, out, err]).toEqual([120, "", expect.stringContaining(told)]);
  });
});

describe("targets", () => {
  const OUMI = "name: hello\nresources:\n  cloud: gcp\n  region: us-central1\nenvs: {A: b}\nrun: echo from oumi\n";

  test("an Oumi job for another cloud runs here, once that cloud is said to be here", async () => {
    const file = write("oumi.yaml", OUMI);
    const given = ["--secret", "PLAIN=canary", "--secret=OTHER=canary"];
    const refused = await home.run("launch", file, ...given, "--dialect", "oumi", "-c", "demo");
    expect([refused.code, refused.err]).toEqual([
      120,
      expect.stringMatching(
        /no provider 'gcp'; it has: local\n.*\n {2}type: muster launch .*--secret 'PLAIN=\*\*\*' '--secret=OTHER=\*\*\*' .*--resources\.cloud local\n.*muster targets set gcp --provider local/,
      ),
    ]);
    expect(refused.err).not.toContain("canary");
    const set = await home.run("targets", "set", "gcp", "--provider", "local");
    expect([set.out, set.err]).toEqual([
      "Set gcp: provider local.\n",
      expect.stringContaining("files that say cloud: gcp run here now"),
    ]);
    const { code, out, err } = await home.run("launch", file, "--dialect", "oumi", "-c", "demo");
    expect([code, out]).toEqual([0, "from oumi\n"]);
    expect(err).toMatch(/note +cloud gcp → target gcp: provider local; left out, .*: region us-central1\n/);
  });

  test("a file that says what a cluster is makes it here, under its name or another", async () => {
    const definition = { name: "/ada/rh", resource_type: "cluster", instance_type: "CPU:1", provider: "aws" };
    const file = write("rh.json", JSON.stringify(definition));
    const refused = await home.run("up", "--from-json", file);
    expect([refused.code, refused.err]).toEqual([
      120,
      expect.stringMatching(
        /no provider 'aws'[\s\S]*\n {2}say what it is here: muster targets set aws --provider local\n$/,
      ),
    ]);
    await home.run("targets", "set", "aws", "--provider", "local");
    const { code, err } = await home.run("up", "--from-json", file);
    expect([code, err]).toEqual([
      0,
      expect.stringMatching(
        /cluster +rh\n[\s\S]*read as +a Runhouse cluster\n +note +cloud aws → target aws[\s\S]*✓ cluster rh/,
      ),
    ]);
    expect((await home.run("up", file, "-c", "other", "--dry-run")).err).toMatch(/cluster +other\n/);
    const job = await home.run("launch", file);
    expect([job.code, job.err]).toEqual([120, expect.stringContaining(`muster up ${file}`)]);
    expect((await home.run("up", file, "--from-json", file)).err).toContain("both say what the cluster is");
    await home.run("targets", "rm", "aws", "--yes");
  });

  test("one is set with the keys of task files, shown, listed, used, and removed", async () => {
    const options = ["--provider", "local", "--nodes", "2", "--resources.cpus", "1+", "--idle.after", "10m"];
    expect((await home.run("targets", "set", "pair", ...options)).out).toBe(
      "Set pair: provider local, 2 hosts, cpus 1+, stops after 10 minutes without a job.\n",
    );
    expect((await home.run("targets", "list")).out).toMatch(
      /^NAME +PROVIDER +HOSTS +MACHINES +SET BY +SET\ngcp +local +- +- +usr_local +\d+s\npair +local +2 +cpus 1\+ +usr_local +\d+s\n$/,
    );
    expect((await home.run("targets", "show", "pair")).out).toMatch(
      /^name +pair\nprovider +local\nhosts +2, for tasks that are for one\ncpus +1\+\nidle +\S.*\nset by +usr_local, 20/,
    );
    const dry = await home.run("launch", "--target", "pair", "--run", "true", "--dry-run", "--json");
    expect(JSON.parse(dry.out)).toMatchObject({
      nodes: 2,
      idle: { after: 10 },
      notices: [expect.stringMatching(/target pair: provider local/), expect.stringMatching(/2 hosts/)],
    });
    const up = await home.run("up", "-c", "two", "--target", "pair");
    expect([up.code, up.err]).toEqual([
      0,
      expect.stringMatching(/hosts +2 × local[\s\S]*note +target pair: provider local/),
    ]);
    expect((await home.run("down", "two")).code).toBe(0);
    expect(await home.json("targets", "rm", "pair", "--yes")).toMatchObject([{ name: "pair", nodes: 2 }]);
    for (const command of [["show"], ["rm"], ["rm", "--yes"]]) {
      const { code, err } = await home.run("targets", ...command, "pair");
      expect([code, err]).toEqual([
        122,
        expect.stringMatching(/^muster: there is no target 'pair'\n {2}see what .*\n$/),
      ]);
    }
    const gone = await home.run("launch", "--target", "gpc", "--run", "true");
    expect([gone.code, gone.err]).toEqual([
      122,
      expect.stringMatching(/no target 'gpc'\n.*did you mean gcp\?[\s\S]*muster targets list/),
    ]);
  });

  test.each<[string, string[], number, string]>([
    ["no provider", ["x"], 120, "which provider?"],
    ["one that is not there", ["x", "--provider", "moon"], 120, "no provider 'moon'; it has: local"],
    ["batch, which is none of this one's", ["b", "--provider=batch"], 120, "name one of them: --provider local\n"],
    ["two providers", ["x", "--provider", "local", "--resources.cloud", "aws"], 120, "contradict each other"],
    ["a name that is none", ["a b", "--provider", "local"], 120, "cannot be a target's name"],
    ["what is no target's", ["x", "--provider", "local", "--run", "true"], 120, "--run is no option of a target"],
    ["a key that there is not", ["x", "--provider", "local", "--resources.regoin", "y"], 120, "did you mean 'region'?"],
  ])("%s is refused", async (_, args, exit, told) => {
    const { code, out, err } = await home.run("targets", "set", ...args);
    expect([code, out, err]).toEqual([exit, "", expect.stringContaining(told)]);
  });
});
