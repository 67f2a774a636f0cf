/** Variables without a value, secrets of the workspace, and who may see which. Pure. */
import { isSecretName } from "@muster/task/envs.ts";
import { fulfil, requireGiven, TaskFileError } from "@muster/task/read.ts";
import { describe, expect, test } from "vitest";
import { problems, read } from "./support.ts";

const text = "envs:\n  MODEL:\n  HF_TOKEN:\nsecrets:\n  PIN:\n";

function lacking(act: () => void) {
  try {
    act();
  } catch (error) {
    if (error instanceof TaskFileError) return error.issues;
    throw error;
  }
  return [];
}

describe("what has no value", () => {
  test("is asked for by name, with how it is given", () => {
    expect(lacking(() => requireGiven(read(text).draft, "a.yaml"))).toEqual([
      { path: "envs.MODEL", line: 2, message: "has no value", suggestion: "give it with -e MODEL=…" },
      {
        path: "envs.HF_TOKEN",
        line: 3,
        message: "has no value",
        suggestion: "give it with -e HF_TOKEN=… or `muster secrets set HF_TOKEN`",
      },
      {
        path: "secrets.PIN",
        line: 5,
        message: "has no value",
        suggestion: "give it with -e PIN=… or `muster secrets set PIN`",
      },
    ]);
  });

  test("is taken from the workspace's secrets, but for what is no secret", () => {
    const { draft } = read(text);
    const found = fulfil(draft, ["MODEL", "HF_TOKEN", "PIN", "OTHER"]);
    expect(found.task.storedSecrets).toEqual(["HF_TOKEN", "PIN"]);
    expect(found.missing.map(({ name }) => name)).toEqual(["MODEL"]);
    expect(draft.missing).toHaveLength(3);
    expect(
      lacking(() => requireGiven(fulfil(read(text, { envs: { MODEL: "m" } }).draft, ["HF_TOKEN", "PIN"]))),
    ).toEqual([]);
  });

  test("is not taken from there for a path, which is made before the job knows the secret", () => {
    const { draft } = read("secrets: { BUCKET_KEY: }\nfile_mounts: { /in: $BUCKET_KEY/x }\n");
    expect(fulfil(draft, ["BUCKET_KEY"]).missing).toEqual(draft.missing);
  });

  test("is told with the document that it stands in", () => {
    expect(() => read(text)).not.toThrow();
    const { draft } = read(`name: a\n---\n${text}`);
    expect(draft.missing[0]?.at).toEqual({ path: "document 2: envs.MODEL", line: 4 });
  });
});

describe("what is given", () => {
  test.each(["", '""', "public", "<your token>"])("is a secret by its name, though the file has %j for it", value => {
    const { draft, warnings } = read(`envs: { HF_TOKEN: ${value}, MODEL: }\n`, {
      envs: { HF_TOKEN: "t", MODEL: "m" },
    });
    expect(draft.task.secrets).toEqual({ HF_TOKEN: "t" });
    expect(draft.task.envs).toEqual({ MODEL: "m" });
    expect({ missing: draft.missing, warnings }).toEqual({ missing: [], warnings: [] });
  });

  test("stands over a stored secret", () => {
    const { draft } = read("secrets: [HF_TOKEN, PIN]\n", { envs: { HF_TOKEN: "t" } });
    expect(draft.task).toMatchObject({ secrets: { HF_TOKEN: "t" }, storedSecrets: ["PIN"] });
  });
});

describe("what a file has for a secret", () => {
  test.each(["<your token>", "your_token", "YOUR-TOKEN-HERE", "xxx", "changeme", "..."])("is missing: %s", value => {
    const { draft, warnings } = read(`envs: { HF_TOKEN: ${value}, MODEL: ${value} }\n`);
    expect(draft.missing).toMatchObject([{ name: "HF_TOKEN", kind: "envs" }]);
    expect(draft.task.envs).toEqual({ MODEL: value });
    expect(warnings).toEqual([]);
  });

  test("is left as it is when it is empty, as for what is public", () => {
    const { draft, warnings } = read('envs: { HF_TOKEN: "" }\n');
    expect(draft.task.envs).toEqual({ HF_TOKEN: "" });
    expect({ missing: draft.missing, warnings }).toEqual({ missing: [], warnings: [] });
  });

  test("is said to stand in clear when it is its value", () => {
    const { draft, warnings } = read("envs:\n  HF_TOKEN: hf_x\nsecrets: { PIN_KEY: p }\n");
    expect(draft.task.envs).toEqual({ HF_TOKEN: "hf_x" });
    expect(warnings).toEqual([
      "HF_TOKEN (line 2): its value stands in clear in the file and in the task; keep it with `muster secrets set HF_TOKEN` and write it under secrets",
    ]);
  });
});

describe("stored secrets", () => {
  test.each([
    "secrets: [HF_TOKEN]",
    "secrets: ['secrets:HF_TOKEN']",
    "secrets: [{ HF_TOKEN: }]",
    "secrets: [{ HF_TOKEN: secrets:HF_TOKEN }]",
    "secrets: { HF_TOKEN: secrets:HF_TOKEN }",
    "managed_secrets: [HF_TOKEN]",
    "managed_secrets: [{ HF_TOKEN: {} }]",
  ])("%s", line => {
    const { draft, unsupported, warnings } = read(`${line}\n`);
    expect(draft.task).toMatchObject({ storedSecrets: ["HF_TOKEN"], secrets: {}, envs: {} });
    expect({ unsupported, warnings, missing: draft.missing }).toEqual({ unsupported: [], warnings: [], missing: [] });
  });

  test.each([
    ["secrets: { TOKEN: secrets:HF_TOKEN }", "secrets.TOKEN", "call the variable HF_TOKEN"],
    ["managed_secrets: [{ HF_TOKEN: { mount_path: /etc/token } }]", "managed_secrets.0.HF_TOKEN", "as a file"],
  ])("%s cannot be done", (line, path, why) => {
    expect(read(`${line}\n`).unsupported).toEqual([{ path, why: expect.stringContaining(why) }]);
  });
});

test.each([
  ["HF_TOKEN", true],
  ["WANDB_API_KEY", true],
  ["OPENAI_APIKEY", true],
  ["DB_PASSWORD", true],
  ["PGPASSWORD", true],
  ["ROOT_PASSWD", true],
  ["CLIENT_SECRET", true],
  ["AWS_SECRET_ACCESS_KEY", true],
  ["GOOGLE_CREDENTIALS", true],
  ["my_credential", true],
  ["MAX_TOKENS", false],
  ["TOKENIZERS_PARALLELISM", false],
  ["KEYBOARD", false],
  ["MONKEY", false],
  ["SECRETARY", false],
  ["MODEL", false],
])("%s: whether it is a secret's name is %s", (name, wanted) => {
  expect(isSecretName(name)).toBe(wanted);
});

test("what Muster sets over the file is said", () => {
  expect(read("envs: { MASTER_PORT: 12 }\n").warnings).toEqual([
    "envs.MASTER_PORT: Muster sets MASTER_PORT itself, over what is said here",
  ]);
});

test("a secret is no part of a path: paths are kept in clear", () => {
  const file = "secrets: { PIN: x9z }\nenvs: { WHERE: here }\nfile_mounts:\n  /a/$WHERE: ./$PIN\nrun: x\n";
  expect(problems(file)).toEqual([
    {
      path: "file_mounts./a/$WHERE",
      line: 4,
      message: "has the secret PIN in it, and would be kept in clear",
      suggestion: "use a variable that may be read",
    },
  ]);
});
