/** Reading the task file that a command names, and saying what is odd about it. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import type { Dialect } from "@muster/core/task/task.ts";
import { parseOverrides, read } from "@muster/task/read.ts";
import type { Output } from "./output.ts";

export type Reading = ReturnType<typeof read>;

export interface Wish {
  /** Absent: the task is given by overrides alone. */
  readonly file: string | undefined;
  readonly dialect?: Dialect | undefined;
  readonly overrides: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** A task that says nothing at all will do. */
  readonly bare?: boolean;
}

/** Reads the file with what the command line puts over it. @throws MusterError with every issue and the file's name. */
export async function readTask(cwd: string, wish: Wish): Promise<Reading> {
  const overrides = named("the command line", () => parseOverrides([...wish.overrides]));
  const text = wish.file === undefined ? alone(wish) : await load(cwd, wish.file);
  const path = wish.file ?? "the command line";
  const dialect = wish.dialect === undefined ? {} : { dialect: wish.dialect };
  return named(path, () => read(text, { ...dialect, overrides, envs: wish.env ?? {}, path }));
}

/** Puts the file's name to the issues that reading it finds. */
function named<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof MusterError) || error.details.issues === undefined) throw error;
    throw new MusterError(error.code, error.message, { ...error.details, file }, error);
  }
}

/** Says the warnings, and refuses what cannot be done yet. @throws MusterError `unsupported` with the whole list. */
export function accept(out: Output, file: string | undefined, reading: Reading): Reading {
  for (const warning of reading.warnings) out.note(`${out.style("yellow", "warning:")} ${warning}`);
  if (reading.unsupported.length === 0) return reading;
  throw new MusterError("unsupported", `${file ?? "this task"} asks for what Muster cannot do yet`, {
    issues: reading.unsupported.map(({ path, why }) => ({ path, message: why })),
    hint: "take these keys out and launch it again",
  });
}

function alone(wish: Wish): string {
  if (wish.bare || wish.overrides.length > 0) return "{}";
  throw new MusterError("invalid_request", "there is nothing to run", {
    hint: 'name a task file, or give a command: muster launch --run "echo hello"',
  });
}

async function load(cwd: string, file: string): Promise<string> {
  try {
    return await readFile(resolve(cwd, file), "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const what = code === "ENOENT" ? "there is no such file" : message;
    throw new MusterError("invalid_request", `cannot read ${file}: ${what}`, {}, error);
  }
}
