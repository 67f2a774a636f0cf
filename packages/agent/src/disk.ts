/** Files that must be whole after a crash. */
import {
  appendFileSync,
  closeSync,
  fdatasyncSync,
  fsyncSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";

/**
 * Either the old content or the new, whatever happens: written beside, flushed, renamed. The folder is not flushed: after
 * a power cut it may be the old content, unless the caller flushes it.
 */
export function writeWhole(path: string, content: string, mode = 0o600): void {
  const beside = `${path}.${process.pid}.new`;
  const file = openSync(beside, "w", mode);
  try {
    writeFileSync(file, content);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(beside, path);
}

/** Either the old content or the new, whatever happens to this process; what happens to the machine may leave neither. */
export function writeLightly(path: string, content: string, mode = 0o600): void {
  const beside = `${path}.${process.pid}.new`;
  writeFileSync(beside, content, { mode });
  renameSync(beside, path);
}

/** A line that is on the disk when the call returns. */
export function appendFlushed(path: string, content: string): void {
  const file = openSync(path, "a", 0o600);
  try {
    appendFileSync(file, content);
    fdatasyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** A rename is only durable when its folder is. */
export function flushFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Undefined when there is no such file. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** The first bytes of a file, however long it is; empty when there is no such file. */
export function readStart(path: string, most: number): string {
  const file = openOld(path);
  if (file === undefined) return "";
  try {
    const bytes = Buffer.alloc(most);
    return bytes.toString("utf8", 0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

function openOld(path: string): number | undefined {
  try {
    return openSync(path, "r");
  } catch (error) {
    if (hasCode(error, "ENOENT", "ENOTDIR")) return undefined;
    throw error;
  }
}

/** Undefined when there is no such file; the content is the agent's own, and therefore trusted. */
export function readJson<T>(path: string): T | undefined {
  const text = readText(path);
  return text === undefined ? undefined : (JSON.parse(text) as T);
}

/** Undefined also when it cannot be read, as a file that was not flushed may be after a power cut. */
export function readLightly<T>(path: string): T | undefined {
  try {
    return readJson<T>(path);
  } catch {
    return undefined;
  }
}

/** 0 when there is no such file. */
export const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Whether a system call failed in one of these ways. */
export const hasCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof Error && "code" in error && codes.includes(String(error.code));

/** What to tell people of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}
