/** Reading the task file that a command names, and saying what is odd about it. */
import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { text as textOf } from "node:stream/consumers";
import { MusterError } from "@muster/core/error.ts";
import { type Dialect, type Draft, parseOverrides, type Result, read } from "@muster/task/read.ts";
import { nearest } from "@muster/task/reading.ts";
import type { Output } from "./output.ts";

/** A reading whose file has one task. */
export interface Reading extends Result {
  readonly draft: Draft;
}

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
export async function readTask(cwd: string, wish: Wish): Promise<Result> {
  const overrides = named("the command line", () => parseOverrides([...wish.overrides]));
  const text = wish.file === undefined ? alone(wish) : await load(cwd, wish.file);
  const path = wish.file === "-" ? "standard input" : (wish.file ?? "the command line");
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
export function accept(out: Output, file: string | undefined, reading: Result): Reading {
  for (const warning of reading.warnings) out.note(`${out.style("yellow", "warning:")} ${warning}`);
  const [draft] = reading.tasks;
  if (reading.unsupported.length === 0 && draft !== undefined) return { ...reading, draft };
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
  if (file === "-") return textOf(process.stdin);
  try {
    return await readFile(resolve(cwd, file), "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "EISDIR") throw new MusterError("invalid_request", `${file} is a folder; name a file`, {}, error);
    const near = code === "ENOENT" ? neighbour(cwd, file) : undefined;
    const what = code === "ENOENT" ? "there is no such file" : message;
    const details = near === undefined ? {} : { hint: `did you mean ${near}?` };
    throw new MusterError("invalid_request", `cannot read ${file}: ${what}`, details, error);
  }
}

/** The file in the same folder whose name is nearest. */
function neighbour(cwd: string, file: string): string | undefined {
  try {
    const files = readdirSync(resolve(cwd, dirname(file)), { withFileTypes: true }).filter(entry => entry.isFile());
    const near = nearest(
      basename(file),
      files.map(entry => entry.name),
    );
    return near === undefined ? undefined : join(dirname(file), near);
  } catch {
    // The folder is not there either: nothing to propose.
    return undefined;
  }
}
