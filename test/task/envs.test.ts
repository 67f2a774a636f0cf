import { expect, test } from "vitest";
import { problems, read } from "./support.ts";

test("a variable or secret without a value is missing still", () => {
  const { draft } = read("envs:\n  HF_TOKEN:\n  A: 1\nsecrets:\n  KEY: null\n");
  expect(draft.missing).toEqual([
    { name: "HF_TOKEN", kind: "envs", at: { path: "envs.HF_TOKEN", line: 2 } },
    { name: "KEY", kind: "secrets", at: { path: "secrets.KEY", line: 5 } },
  ]);
  expect(draft.task).toMatchObject({ envs: { A: "1" }, secrets: {} });
});

test("what is given stands over the file, goes where the file declares it, and is taken as it is", () => {
  const { task } = read("envs: { A: old, T: }\nsecrets: { KEY: }\n", {
    envs: { A: "007", T: "t", KEY: "k", NEW: "true" },
  }).draft;
  expect(task.envs).toEqual({ A: "007", T: "t", NEW: "true" });
  expect(task.secrets).toEqual({ KEY: "k" });
});

test("a name is a variable or a secret, and not both", () => {
  expect(problems("envs: { A: 1 }\nsecrets: { A: 2 }\n")).toMatchObject([{ path: "secrets.A", line: 2 }]);
  expect(problems("envs: { A: 1 }\nenv: { A: 2 }\n")).toMatchObject([{ path: "env.A", line: 2 }]);
});

test("a name that no shell takes is refused, from the file and from the command line", () => {
  const message = "use letters, digits and '_', not starting with a digit";
  expect(problems("envs:\n  1A: x\n")).toEqual([{ path: "envs.1A", line: 2, message }]);
  expect(problems("run: x\n", { envs: { "A-B": "x" } })).toEqual([{ path: "envs.A-B", message }]);
});

test("no warning tells a secret", () => {
  const { draft, warnings } = read("secrets:\n  PIN: 0042\n");
  expect(draft.task.secrets).toEqual({ PIN: "34" });
  expect(warnings).toEqual(["secrets.PIN (line 2): without quotes is read as a number or boolean"]);
});

test("an undeclared variable whose name says that it is secret is one, and that is said", () => {
  const { draft, warnings } = read("run: x\nenvs: { DB_PASSWORD: }\n", {
    envs: { WANDB_API_KEY: "k", MAX_TOKENS: "8", DB_PASSWORD: "p" },
  });
  expect(draft.task.secrets).toEqual({ WANDB_API_KEY: "k", DB_PASSWORD: "p" });
  expect(draft.task.envs).toEqual({ MAX_TOKENS: "8" });
  expect(warnings).toEqual([expect.stringMatching(/^WANDB_API_KEY: is kept as a secret/)]);
});
