/** What the workflow asks for, as options of `muster launch`. */
import { getInput, getMultilineInput } from "@actions/core";

export interface Inputs {
  readonly endpoint: string;
  /** Empty: the workflow's own identity signs in. */
  readonly token: string;
  /** Empty: the deployment's first. */
  readonly workspace: string;
  readonly folder: string;
  /** Of `muster launch`, in their order. */
  readonly args: readonly string[];
  /** Values of secrets, which go by the environment: every process of a machine can see the options of another. */
  readonly secrets: Readonly<Record<string, string>>;
}

/** @param mark the label by which what this step launched is found again. @throws Error for an input that is missing or wrong */
export function inputs(mark: string): Inputs {
  const cluster = getInput("cluster");
  const secrets = getMultilineInput("secrets", { trimWhitespace: false }).map(secretOf);
  return {
    endpoint: getInput("endpoint", { required: true }),
    token: getInput("token"),
    workspace: getInput("workspace"),
    folder: getInput("working-directory") || ".",
    args: [
      getInput("task", { required: true }),
      ...(cluster === "" ? ["--down"] : ["--cluster", cluster]),
      ...getMultilineInput("env", { trimWhitespace: false }).flatMap(line => ["--env", line]),
      ...secrets.flatMap(({ name }) => ["--secret", name]),
      ...getMultilineInput("args"),
      ...["--label", mark, "--yes"],
    ],
    secrets: Object.fromEntries(
      secrets.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value] as const])),
    ),
  };
}

function secretOf(line: string): { readonly name: string; readonly value?: string } {
  const at = line.indexOf("=");
  const name = (at < 0 ? line : line.slice(0, at)).trim();
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw new Error("secrets: each line is NAME=VALUE, or the NAME of a secret of the workspace");
  return at < 0 ? { name } : { name, value: line.slice(at + 1) };
}
