/** What is kept for one job, under its id: its secrets by their names, and its secret files by their places. */
import { MusterError } from "../error.ts";
import type { Values } from "../ports/secrets.ts";
import type { Task } from "../task/task.ts";
import { tooLarge } from "./text.ts";

/** No variable's name has a colon. */
const FILE = "file:";

/** The task's secrets and secret files, as they are kept. */
export const valuesOf = ({ secrets, secretFiles }: Pick<Task, "secrets" | "secretFiles">): Values => ({
  ...secrets,
  ...Object.fromEntries(Object.entries(secretFiles).map(([path, content]) => [`${FILE}${path}`, content])),
});

export interface Kept {
  readonly secrets: Values;
  readonly files: { readonly path: string; readonly content: string }[];
}

/** What `valuesOf` put together. */
export function partsOf(values: Values): Kept {
  const [files = [], secrets = []] = [true, false].map(isFile =>
    Object.entries(values).filter(([name]) => name.startsWith(FILE) === isFile),
  );
  return {
    secrets: Object.fromEntries(secrets),
    files: files.map(([name, content]) => ({ path: name.slice(FILE.length), content })),
  };
}

/** @throws MusterError `invalid_request` when the task's secrets and secret files are too large together. */
export function requireRoom(task: Pick<Task, "secrets" | "secretFiles">): void {
  const message = tooLarge(valuesOf(task));
  if (message === undefined) return;
  const path = Object.keys(task.secretFiles).length > 0 ? "task.secretFiles" : "task.secrets";
  throw new MusterError("invalid_request", message, { issues: [{ path, message }] });
}
