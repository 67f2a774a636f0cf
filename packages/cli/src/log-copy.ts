/** A copy of a job's log in a file, as plain text, beside what is shown. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { resolve } from "node:path";
import { MusterError } from "@muster/core/error.ts";

export interface LogCopy {
  bytes(chunk: Uint8Array): Promise<void>;
  end(): Promise<void>;
}

/** Replaces the file, where one is named. @throws MusterError `invalid_request` when it cannot be written: before anything else is done. */
export async function openCopy(cwd: string, file: string | undefined): Promise<LogCopy | undefined> {
  if (file === undefined) return undefined;
  const stream = createWriteStream(resolve(cwd, file));
  try {
    await once(stream, "open");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const hint = code === "ENOENT" ? "see that its folder is there" : "name a file that you may write";
    throw new MusterError("invalid_request", `cannot write the log to ${file}: ${code ?? message}`, { hint }, error);
  }
  const written = (write: (done: (error?: Error | null) => void) => void): Promise<void> =>
    new Promise((fulfil, reject) => {
      write(error => (error ? reject(error) : fulfil()));
    });
  return {
    bytes: chunk => written(done => stream.write(chunk, done)),
    end: () => written(done => stream.end(done)),
  };
}
