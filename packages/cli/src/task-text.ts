/** The text of the file that a command names, by its path or URL, or of what is piped into it; never more of it than a task file may have. */
import { createReadStream, readdirSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import { nearest } from "@muster/core/near.ts";
import { TaskFileError } from "@muster/task/read.ts";
import { MOST_BYTES } from "@muster/task/yaml/parse.ts";
import { fetched, isUrl } from "./task-url.ts";

/** @throws MusterError `invalid_request` when there is no such file, and for one that is too large or not UTF-8. */
export async function load(cwd: string, file: string): Promise<string> {
  if (isUrl(file)) return decoded(await fetched(file, stream => head(stream, file)), file);
  if (file === "-") return decoded(await head(process.stdin, file), "standard input");
  try {
    const path = resolve(cwd, file);
    const { size } = await stat(path);
    if (size > MOST_BYTES) throw tooLarge(size, file);
    return decoded(await head(createReadStream(path, { end: MOST_BYTES }), file), file);
  } catch (error) {
    if (error instanceof MusterError) throw error;
    throw unreadable(cwd, file, error as NodeJS.ErrnoException);
  }
}

/** Pipes tell no size before they are read. */
async function head(stream: AsyncIterable<Uint8Array>, file: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(chunk);
    size += chunk.length;
    if (size > MOST_BYTES) throw tooLarge(undefined, file);
  }
  return Buffer.concat(chunks);
}

function tooLarge(size: number | undefined, file: string): TaskFileError {
  const what = size === undefined ? "there is more of it than that" : `the file is ${Math.ceil(size / 1024)} KB`;
  return new TaskFileError([{ path: "", message: `${what}; a task file has ${MOST_BYTES / 1024} KB at most` }], file);
}

function decoded(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const at = badByte(bytes);
    const line = bytes.subarray(0, at).reduce((lines, byte) => lines + (byte === 0x0a ? 1 : 0), 1);
    const byte = (bytes[at] ?? 0).toString(16).toUpperCase().padStart(2, "0");
    const message = `is not UTF-8 text: byte ${byte} at offset ${at}`;
    throw new TaskFileError([{ path: "", line, message, suggestion: "save the file as UTF-8" }], file);
  }
}

/** The offset of the first character that is none, by halves. */
function badByte(bytes: Uint8Array): number {
  let [good, bad] = [0, bytes.length];
  while (good < bad) {
    const middle = Math.ceil((good + bad) / 2);
    if (isStart(bytes.subarray(0, middle))) good = middle;
    else bad = middle - 1;
  }
  // What may begin a character and ends here is the one that is broken.
  const whole = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes.subarray(0, good), { stream: true });
  return new TextEncoder().encode(whole).length;
}

/** Whether these may be the first bytes of such a text; the last character may be cut. */
function isStart(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

function unreadable(cwd: string, file: string, error: NodeJS.ErrnoException): MusterError {
  const { code, message } = error;
  if (code === "EISDIR") return new MusterError("invalid_request", `${file} is a folder; name a file`, {}, error);
  const near = code === "ENOENT" ? neighbour(cwd, file) : undefined;
  const what = code === "ENOENT" ? "there is no such file" : message;
  const details = near === undefined ? {} : { hint: `did you mean ${near}?` };
  return new MusterError("invalid_request", `cannot read ${file}: ${what}`, details, error);
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
