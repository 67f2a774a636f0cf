/** What a task takes along, as it is found on a machine: real files in a folder of their own; nothing is sent. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import { Package } from "@muster/core/task/inputs.ts";
import { empty } from "@muster/task/draft.ts";
import { afterEach, describe, expect, test } from "vitest";
import { howToMake, isCredential, isCredentialFolder } from "../../packages/cli/src/inputs/credentials.ts";
import { find } from "../../packages/cli/src/inputs/find.ts";
import { gitToken } from "../../packages/cli/src/inputs/git-token.ts";

const made: string[] = [];
afterEach(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder with these files. */
function folder(files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), "muster-inputs-"));
  made.push(root);
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
  return root;
}

const draftOf = (more: Partial<ReturnType<typeof empty>>) => ({ ...empty("stop"), ...more });
const packagesOf = (...given: readonly object[]) => given.map(one => Package.parse(one));
const withPackages = (more: Partial<ReturnType<typeof empty>>, ...given: readonly object[]) =>
  draftOf({ ...more, task: { ...empty("stop").task, packages: packagesOf(...given) } });
const failure = (act: () => unknown): MusterError => {
  try {
    act();
  } catch (error) {
    if (error instanceof MusterError) return error;
    throw error;
  }
  throw new Error("it did not fail");
};

const KEY = "-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----\n";

describe("credentials", () => {
  test("are known by where they are, here or on the host, and by what keys are called", () => {
    const home = "/home/ada";
    const yes = [
      ...[".netrc", ".cache/huggingface/token", ".aws/credentials", ".ssh/id_ed25519", ".ssh/work_key", ".ssh/config"],
      ...[".kaggle/kaggle.json", ".docker/config.json", ".kube/config", ".git-credentials", ".npmrc", ".pypirc"],
      ...[".config/gcloud/application_default_credentials.json", "project/id_rsa", "project/.env", "p/.env.local"],
    ];
    const no = [
      ...["data/netrc", ".ssh/known_hosts", ".ssh/id_ed25519.pub", ".aws/config", "project/.env.example", "token"],
      ...["config.json", ".kube/cache/x", "project/.environment"],
    ];
    const judge = (path: string) => isCredential(`${home}/${path}`, "data/x", home);
    expect([yes.filter(path => !judge(path)), no.filter(judge)]).toEqual([[], []]);
    expect(["~/.netrc", "/root/.netrc", "~/.ssh/id_rsa"].map(place => isCredential("/a/b", place, home))).toEqual([
      ...[true, true, true],
    ]);
    expect(isCredential("/a/b", "notes/.netrc.md", home)).toBe(false);
    const folders = [".ssh", ".aws", "src"].map(path => isCredentialFolder(`${home}/${path}`, home));
    expect(folders).toEqual([true, true, false]);
  });

  test("are sent as secret files, and everything else as it was", () => {
    const root = folder({ "a.pem": KEY, "ca.pem": "-----BEGIN CERTIFICATE-----\n", ".env": "TOKEN=1\n" });
    const fileMounts = ["a.pem", "ca.pem", ".env"].map(name => ({ path: `~/${name}`, source: `./${name}` }));
    const { secretFiles, mounts } = find(root, draftOf({ fileMounts }));
    const texts = Object.entries(secretFiles).map(([path, text]) => [path, Buffer.from(text, "base64").toString()]);
    expect(Object.fromEntries(texts)).toEqual({ "~/a.pem": KEY, "~/.env": "TOKEN=1\n" });
    expect(mounts.map(({ path }) => path)).toEqual(["~/ca.pem"]);
  });

  test("that are too large for secrets, alone or with the task's own, are refused with their name", () => {
    const root = folder({ ".env": "x".repeat(4000) });
    const fileMounts = [{ path: "~/.env", source: ".env" }];
    expect(Object.keys(find(root, draftOf({ fileMounts })).secretFiles)).toEqual(["~/.env"]);
    const task = { ...empty("stop").task, secrets: { OTHER: "y".repeat(4000) } };
    const error = failure(() => find(root, draftOf({ fileMounts, task })));
    expect([error.code, error.details.hint]).toEqual(["too_large", expect.stringContaining("the largest is .env")]);
  });

  test("that are missing are named with what makes them", () => {
    const name = ".cache/huggingface/token";
    expect(howToMake(join(homedir(), name))).toContain("huggingface-cli login");
    const error = failure(() => find(folder({}), draftOf({ fileMounts: [{ path: "~/x", source: "no/such" }] })));
    expect(error.details.issues).toEqual([
      { path: "file_mounts.~/x", message: "'no/such' does not exist on this machine" },
    ]);
  });
});

test("files that are beside the task file, and not where one is, are told with the way there", () => {
  const root = folder({ "jobs/task.yaml": "", "jobs/data.csv": "", "jobs/more.csv": "" });
  const mount = (source: string) => ({ path: `~/${source}`, source });
  const hintOf = (file: string | undefined, ...sources: string[]) =>
    failure(() => find(root, draftOf({ fileMounts: sources.map(mount) }), file)).details.hint;
  expect(hintOf("jobs/task.yaml", "data.csv")).toBe(
    "data.csv is beside the task file: go there first (cd jobs), or write the paths as they are from here; or take it out of file_mounts",
  );
  expect(hintOf("jobs/task.yaml", "data.csv", "more.csv", "no.csv")).toMatch(
    /^data.csv, more.csv are beside .* take them out/,
  );
  for (const file of ["jobs/task.yaml", "-", "https://example.com/task.yaml", undefined])
    expect(hintOf(file, "no.csv")).toBe("check that they exist, or take them out of file_mounts");
});

describe("packages of this machine", () => {
  const files = { "proj/lib/setup.py": "", "proj/dist/a.whl": "", "proj/.gitignore": "dist/\n", "other/setup.py": "" };
  const look = (more: Partial<ReturnType<typeof empty>>, ...given: readonly object[]) => {
    const root = folder(files);
    const { packages, mounts } = find(root, withPackages(more, ...given));
    return {
      sources: packages.map(({ source }) => source),
      mounts: mounts.map(({ path, source }) => [path, source.path.slice(root.length + 1)]),
    };
  };

  test("in the working folder are there already, wherever it is seen from", () => {
    const given = ["./proj", "proj/", "./proj/lib", "./proj/lib[dev,test]"].map(source => ({ method: "pip", source }));
    expect(look({ workdir: "proj" }, ...given)).toEqual({
      sources: ["./", "proj/", "./lib", "./lib[dev,test]"],
      mounts: [],
    });
  });

  test("elsewhere, and left out of the working folder, are mounted in the home, each once and under a name of its own", () => {
    const fileMounts = [{ path: "~/a.whl", source: "other/setup.py" }];
    const given = ["./other", "./proj/dist/a.whl", "./other[x]"].map(source => ({ method: "local", source }));
    expect(look({ workdir: "proj", fileMounts }, ...given)).toEqual({
      sources: ["~/other", "~/packages-2/a.whl", "~/other[x]"],
      mounts: [
        ["~/a.whl", "other/setup.py"],
        ["~/other", "other"],
        ["~/packages-2/a.whl", "proj/dist/a.whl"],
      ],
    });
  });

  test("without a working folder are mounted in the home; requirements and repositories stay as they are", () => {
    const given = [
      { method: "reqs", source: "./" },
      { method: "pip", source: "torch==2.4" },
      { method: "pip", source: "git+https://example.com/a/b" },
      { method: "conda", source: "./environment.yml" },
    ];
    const { sources, mounts } = look({}, ...given);
    expect(sources.slice(1)).toEqual(["torch==2.4", "git+https://example.com/a/b", "./environment.yml"]);
    expect(mounts).toEqual([[sources[0], ""]]);
    expect(sources[0]).toMatch(/^~\/muster-inputs-/);
  });

  test("in a repository that the host clones are the host's; others are this machine's", () => {
    const given = ["./lib", "../other"].map(source => ({ method: "local", source }));
    const root = folder(files);
    const draft = withPackages({ workdir: { url: "https://example.com/a/b" } }, ...given);
    const { packages, mounts } = find(join(root, "proj"), draft);
    expect(packages.map(({ source }) => source)).toEqual(["./lib", "~/other"]);
    expect(mounts.map(({ path }) => path)).toEqual(["~/other"]);
  });

  test("that are missing are named", () => {
    const error = failure(() => look({}, { method: "local", source: "../nowhere" }));
    expect(error.details.issues).toEqual([
      { path: "packages", message: "'../nowhere' does not exist on this machine" },
    ]);
  });
});

test("a git working folder gets the user's own token, unless the task says which", () => {
  const workdir = { url: "https://example.com/a/b" };
  const env = { GIT_TOKEN: "t0ken" };
  const { task } = empty("stop");
  expect(gitToken(draftOf({ workdir }), env)).toEqual({ GIT_TOKEN: "t0ken" });
  const none = [
    gitToken(draftOf({ workdir }), {}),
    gitToken(draftOf({ workdir: "." }), env),
    gitToken(draftOf({ workdir, task: { ...task, secrets: { GIT_TOKEN: "own" } } }), env),
    gitToken(draftOf({ workdir, task: { ...task, storedSecrets: ["GIT_TOKEN"] } }), env),
  ];
  expect(none).toEqual([{}, {}, {}, {}]);
});
