/** A copy of a job's log in a file, as plain text, beside what is shown. */
import { once } from "node:events";
import { constants, createWriteStream, type WriteStream } from "node:fs";
import { access, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { MusterError } from "@muster/core/error.ts";

export interface LogCopy {
  bytes(chunk: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

/**
 * Replaces the file, where one is named, once there is something to write: before, it might be sent with the working
 * folder that it is in.
 * @throws MusterError `invalid_request` when it cannot be written: before anything else is done.
 */
export async function openCopy(cwd: string, file: string | undefined): Promise<LogCopy | undefined> {
  if (file === undefined) return undefined;
  const path = resolve(cwd, file);
  await requireWritable(path, file);
  const opened: { stream?: Promise<WriteStream> } = {};
  const written = async (write: (stream: WriteStream, done: (error?: Error | null) => void) => void): Promise<void> => {
    opened.stream ??= open(path, file);
    const stream = await opened.stream;
    return new Promise((fulfil, reject) => {
      write(stream, error => (error ? reject(error) : fulfil()));
    });
  };
  return {
    bytes: chunk => written((stream, done) => stream.write(chunk, done)),
    end: () => written((stream, done) => stream.end(done)),
  };
}

async function open(path: string, file: string): Promise<WriteStream> {
  const stream = createWriteStream(path);
  try {
    await once(stream, "open");
    return stream;
  } catch (error) {
    throw refusal(file, error as NodeJS.ErrnoException);
  }
}

/** Looks, and changes nothing. */
async function requireWritable(path: string, file: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw unwritable(file, "it is a folder", "name a file in it");
  try {
    await access(found === undefined ? dirname(path) : path, constants.W_OK);
  } catch (error) {
    throw refusal(file, error as NodeJS.ErrnoException);
  }
}

function refusal(file: string, error: NodeJS.ErrnoException): MusterError {
  const { code, message } = error;
  if (code === "ENOENT") return unwritable(file, "its folder is not there", "make the folder, or name another", error);
  const why = code === "EACCES" ? "you may not write there" : (code ?? message);
  return unwritable(file, why, "name a file that you may write", error);
}

const unwritable = (file: string, why: string, hint: string, cause?: unknown): MusterError =>
  new MusterError("invalid_request", `cannot write the log to ${file}: ${why}`, { hint }, cause);
