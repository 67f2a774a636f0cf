/** Reading the task file that a command names, and saying what is odd about it. */
import { MusterError } from "@muster/core/error.ts";
import { type Dialect, type Draft, parseOverrides, type Result, read } from "@muster/task/read.ts";
import type { Output } from "./output.ts";
import { load } from "./task-text.ts";

/** A reading whose file has one task. */
export interface Reading extends Result {
  readonly draft: Draft;
}

/** Of a file that may as well be of SkyPilot's, what follows from reading it as Muster's. */
export const OWN_FORM =
  "Muster's own form: scripts stop at the first line that fails (on_error: continue, or --dialect skypilot, for files of SkyPilot's)";

export interface Wish {
  /** Absent: the task is given by overrides alone. */
  readonly file: string | undefined;
  readonly dialect?: Dialect | undefined;
  readonly overrides: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Of `run`: the cluster that is there. */
  readonly on?: string | undefined;
  /** A task that says nothing at all will do. */
  readonly bare?: boolean;
}

/** Reads the file with what the command line puts over it. @throws MusterError with every issue and the file's name. */
export async function readTask(cwd: string, wish: Wish): Promise<Result> {
  const overrides = named("the command line", () => parseOverrides([...wish.overrides]));
  const path = wish.file === "-" ? "standard input" : (wish.file ?? "the command line");
  const text = wish.file === undefined ? alone(wish) : await loaded(cwd, wish.file, path);
  // A task that has no file is nobody else's.
  const asked = wish.dialect ?? (wish.file === undefined ? "muster" : undefined);
  const dialect = asked === undefined ? {} : { dialect: asked };
  const spot = oumiSpot(process.env);
  return named(path, () => read(text, { ...dialect, ...spot, overrides, envs: wish.env ?? {}, path }));
}

const SPOT: ReadonlyMap<string, boolean> = new Map([
  ["spot", true],
  ["true", true],
  ["nonspot", false],
  ["false", false],
]);

/** Oumi's users say with a variable whether their jobs run on spot machines, whatever their files say. */
export function oumiSpot(env: NodeJS.ProcessEnv): { oumiSpot?: boolean } {
  const word = (env.OUMI_USE_SPOT_VM ?? "").trim().toLowerCase();
  if (word === "" || word === "config") return {};
  const spot = SPOT.get(word);
  if (spot !== undefined) return { oumiSpot: spot };
  throw new MusterError("invalid_request", `OUMI_USE_SPOT_VM is "${word}", which says nothing`, {
    hint: `set it to one of ${[...SPOT.keys(), "config"].join(", ")}, or unset it`,
  });
}

/** Puts the file's name to the issues that reading it finds. */
function named<T>(file: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw withFile(file, error);
  }
}

const loaded = (cwd: string, file: string, path: string): Promise<string> =>
  load(cwd, file).catch(error => Promise.reject(withFile(path, error)));

function withFile(file: string, error: unknown): unknown {
  if (!(error instanceof MusterError) || error.details.issues === undefined) return error;
  return new MusterError(error.code, error.message, { ...error.details, file }, error);
}

/** Says the warnings, and refuses what cannot be done yet. @throws MusterError `unsupported` with the whole list. */
export function accept(out: Output, file: string | undefined, reading: Result, isPool = false): Reading {
  acceptAll(out, file, reading, isPool);
  const [draft, ...more] = reading.tasks;
  if (draft !== undefined && more.length === 0) return { ...reading, draft };
  throw new MusterError("unsupported", `${file} has ${reading.tasks.length} tasks, and this is for one`, {
    hint: `run them one after the other: muster launch ${file}`,
  });
}

/** The same for a file of one task or more. @param isPool whether it may say what a pool is */
export function acceptAll(out: Output, file: string | undefined, reading: Result, isPool = false): void {
  if (!isPool && reading.tasks.some(({ pool }) => pool !== undefined)) throw ofPool(file);
  for (const warning of reading.warnings) out.note(`${out.style("yellow", "warning:")} ${warning}`);
  if (reading.tasks.length === 0) throw noTask(file, reading);
  if (reading.unsupported.length === 0) return;
  throw new MusterError("unsupported", `${file ?? "this task"} asks for what Muster cannot do yet`, {
    issues: reading.unsupported.map(({ path, why }) => ({ path, message: why })),
    hint:
      reading.tasks.length > 1
        ? "take these keys out, or launch each document by itself"
        : "take these keys out and launch it again",
  });
}

/** A file that says what machines are kept ready, and nothing that runs on them. */
const ofPool = (file = "this task"): MusterError =>
  new MusterError("invalid_request", `${file} says what a pool is, and not what is to run`, {
    issues: [{ path: "pool", message: "is for files of pools" }],
    hint: `muster pool set NAME ${file}; then launch a task from it: muster launch TASK --pool NAME`,
  });

/** A file of clusters or targets, which are brought up or taken over, and not run. */
function noTask(file: string | undefined, { dialect, targets }: Result): MusterError {
  const hint =
    targets === undefined ? `bring its clusters up: muster up ${file}` : `take it over: muster import ${file}`;
  return new MusterError("invalid_request", `${file} is of the form ${dialect}, and has no task to run`, { hint });
}

function alone(wish: Wish): string {
  if (wish.bare || wish.overrides.length > 0) return "{}";
  throw new MusterError("invalid_request", "there is nothing to run", {
    hint: `name a task file, or give a command: muster ${wish.on === undefined ? "launch" : `run -c ${wish.on}`} --run "echo hello"`,
  });
}
