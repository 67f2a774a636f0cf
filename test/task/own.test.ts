import { describe, expect, test } from "vitest";
import { problems, read, resources } from "./support.ts";

const full = `
name: train-7b
resources:
  provider: AWS
  region: eu-west-1
  zone: eu-west-1a
  accelerators: A100:4
  cpus: 8+
  memory: 64GB+
  instance_type: p4d.24xlarge
  use_spot: true
  disk_size: 500
  disk_tier: Best
  image_id: ami-0123456789abcdef0
  ports: [8080, 9000-9010]
  labels: { team: vision, cost: 12 }
num_nodes: 2
workdir: .
envs:
  EPOCHS: 3
secrets:
  TOKEN: abc
file_mounts:
  ~/.netrc: ~/.netrc
  /data/small: ./data
timeout: 2h
idle: { after: 20m, action: stop, then: { after: 1d } }
setup: pip install -r requirements.txt
run: |
  python train.py
`;

describe("Muster's own form", () => {
  test("every key goes to its canonical field", () => {
    const { dialect, draft, warnings, unsupported } = read(full);
    expect(dialect).toBe("muster");
    expect({ warnings, unsupported }).toEqual({ warnings: [], unsupported: [] });
    expect(draft).toEqual({
      task: {
        name: "train-7b",
        onError: "stop",
        resources: {
          provider: "aws",
          region: "eu-west-1",
          zone: "eu-west-1a",
          accelerators: { A100: 4 },
          cpus: { count: 8, atLeast: true },
          memory: { gib: 64, atLeast: true },
          instanceType: "p4d.24xlarge",
          spot: true,
          diskSize: 500,
          diskTier: "best",
          image: "ami-0123456789abcdef0",
          ports: ["8080", "9000-9010"],
          labels: { team: "vision", cost: "12" },
        },
        nodes: 2,
        envs: { EPOCHS: "3" },
        secrets: { TOKEN: "abc" },
        storedSecrets: [],
        packages: [],
        timeout: 7200,
        setup: "pip install -r requirements.txt",
        run: "python train.py\n",
      },
      workdir: ".",
      fileMounts: [
        { path: "~/.netrc", source: "~/.netrc" },
        { path: "/data/small", source: "./data" },
      ],
      buckets: [],
      missing: [],
      idle: { after: 20, action: "stop", then: { after: 1440, action: "terminate" } },
    });
  });

  test("the other spellings of a key say the same", () => {
    const text = "nodes: 3\nenv: { A: x }\nresources: { gpus: L4, spot: no, image: ubuntu }\n";
    expect(read(text).draft.task).toMatchObject({
      nodes: 3,
      envs: { A: "x" },
      resources: { accelerators: { L4: 1 }, spot: false, image: "ubuntu" },
    });
  });

  test("two spellings of one key are a mistake, and the message names both", () => {
    expect(problems("nodes: 3\nnum_nodes: 2\n")).toEqual([
      { path: "nodes", line: 1, message: "says the same as num_nodes: keep one of them" },
    ]);
    expect(problems("resources:\n  gpus: L4\n  accelerators: L4\n")[0]).toMatchObject({
      path: "resources.gpus",
      line: 2,
    });
  });

  test("a key with nothing in it is as good as absent", () => {
    expect(read("run: x\nsetup:\nresources:\nworkdir: ~\n").draft.task).toMatchObject({ run: "x", resources: {} });
    expect(resources("{ image_id: null, ports: ~ }")).toEqual({});
  });

  test("a name that cannot be one is refused with one that can", () => {
    expect(problems("run: x\nname: my job!\n")).toMatchObject([{ path: "name", line: 2, suggestion: "write my-job" }]);
  });
});

describe("mistakes", () => {
  test("all of them are told at once, each with path, line and what was meant", () => {
    const text = "nmae: x\nresources:\n  acelerators: A100\n  use_spot: maybe\nnum_nodes: two\nenvs: [A]\n";
    expect(problems(text)).toEqual([
      { path: "nmae", line: 1, message: "is not a key that Muster knows", suggestion: "did you mean 'name'?" },
      {
        path: "resources.acelerators",
        line: 3,
        message: "is not a key that Muster knows",
        suggestion: "did you mean 'accelerators'?",
      },
      { path: "resources.use_spot", line: 4, message: "must be true or false, and is text" },
      { path: "num_nodes", line: 5, message: "must be a whole number, and is text" },
      {
        path: "envs",
        line: 6,
        message: "must be a map, and is a list",
        suggestion: "write each as NAME: value, such as MODEL: llama",
      },
    ]);
  });

  test("a key on the wrong level is sent where it belongs", () => {
    expect(problems("accelerators: A100\nresources: { num_nodes: 3 }\n").map(issue => issue.suggestion)).toEqual([
      "did you mean 'resources.accelerators'?",
      "did you mean 'num_nodes'?",
    ]);
  });

  test("a key that resembles nothing gets no suggestion", () => {
    expect(problems("frobnicate: 1\n")[0]).not.toHaveProperty("suggestion");
    expect(problems("constructor: 1\ntoString: 2\n")).toHaveLength(2);
  });

  test.each([
    ["name: 7", "name", 'put it in quotes: "7"'],
    ["run: yes", "run", 'put it in quotes: "yes"'],
    ["resources: { region: no }", "resources.region", 'put it in quotes: "no"'],
    ["run: [a]", "run", "write `run: |`, and a line for each command"],
    ["resources: aws", "resources", undefined],
    ["num_nodes: '4'", "num_nodes", undefined],
    ["num_nodes: 1.5", "num_nodes", undefined],
    ["workdir: 3", "workdir", 'put it in quotes: "3"'],
    ["file_mounts: { /a: [b] }", "file_mounts./a", undefined],
    ["resources: { labels: { a: [b] } }", "resources.labels.a", undefined],
    ["resources: { disk_tier: hihg }", "resources.disk_tier", "did you mean 'high'?"],
  ])("%s has the wrong type", (text, path, suggestion) => {
    expect(problems(`${text}\n`)).toEqual([
      { path, line: 1, message: expect.any(String), ...(suggestion !== undefined && { suggestion }) },
    ]);
  });

  test("the message tells the file, and one problem a line", () => {
    expect(() => read("runn: x\n", { path: "job.yaml" })).toThrow(
      "job.yaml: runn (line 1): is not a key that Muster knows; did you mean 'run'?",
    );
    expect(() => read("runn: x\nnodez: 2\n", { path: "job.yaml" })).toThrow(
      "job.yaml has 2 problems:\n  runn (line 1): is not a key that Muster knows; did you mean 'run'?\n  nodez (line 2)",
    );
  });

  test("a file that is nothing but mistakes is not answered without end", () => {
    const text = Array.from({ length: 1500 }, (_, index) => `kez${index}: 1`).join("\n");
    expect(problems(text)).toHaveLength(100);
  });
});

describe("mounts", () => {
  test("the file's variables are put into its paths", () => {
    const text = `envs: { USER_DIR: bob, OUT: null }\nworkdir: ./$USER_DIR\nfile_mounts:\n  /x/\${OUT}: \${USER_DIR}/$OTHER\n`;
    expect(read(text, { envs: { OUT: "o" } }).draft).toMatchObject({
      workdir: "./bob",
      fileMounts: [{ path: "/x/o", source: "bob/$OTHER" }],
    });
  });

  test.each(["s3://b/x: y", "/a/: y", "~/sky_workdir/x: y", "/a: ''"])("file_mounts %s is refused", text => {
    expect(problems(`file_mounts:\n  ${text}\n`)).toMatchObject([
      { path: expect.stringContaining("file_mounts."), line: 2 },
    ]);
  });

  test("one place on the host is not filled twice", () => {
    expect(problems("envs: { A: x }\nfile_mounts: { /x: a, /$A: b }\n")).toMatchObject([{ path: "file_mounts./$A" }]);
  });
});

test("a training config is told from a job file", () => {
  expect(problems("model: { model_name: x }\ntraining: { max_steps: 1 }\n", { path: "t.yaml" })).toEqual([
    {
      path: "",
      message: "this is a training config, not a job file",
      suggestion: "write a job whose run calls `oumi train -c t.yaml`",
    },
  ]);
});

test("two letters that changed places are one slip", () => {
  expect(problems("rnu: x\n")).toMatchObject([{ path: "rnu", suggestion: "did you mean 'run'?" }]);
});
