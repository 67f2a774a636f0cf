/** A job's log as files: one for all of it, or in a folder one for each node and phase. */
import { mkdir, stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { MusterError } from "@muster/core/error.ts";
import { type LogCopy, openCopy } from "./log-copy.ts";
import { betweenTries, type Ending, rawSink, textSink } from "./sinks.ts";

export interface Download {
  readonly into: Ending;
  /** What was written, for people. */
  written(): string;
}

/** Names of phases are part of file names, and hosts choose them. */
const PHASE = /^[a-z][a-z0-9_-]{0,79}$/;

/**
 * A path that ends with a slash, or is a folder already, is a folder. @throws MusterError `invalid_request` when it cannot be
 * written.
 */
export async function download(cwd: string, path: string, nodes: number, raw: boolean): Promise<Download> {
  const found = await stat(resolve(cwd, path)).catch(() => undefined);
  return path.endsWith("/") || found?.isDirectory() ? toFolder(cwd, path, raw) : toFile(cwd, path, nodes, raw);
}

async function toFile(cwd: string, path: string, nodes: number, raw: boolean): Promise<Download> {
  const copy = await openCopy(cwd, path);
  if (copy === undefined) throw new MusterError("invalid_request", "the log has no file to go to");
  const { sink, tell, count } = counted(copy, nodes, raw);
  const say = (line: string): Promise<void> => tell(Buffer.from(`${line}\n`));
  const into = betweenTries({ ...sink, tell: line => tell(Buffer.from(line.text)) }, say);
  return {
    into: {
      ...into,
      end: async () => {
        await into.end();
        await copy.end();
      },
    },
    written: () => `${count.bytes} bytes in ${path}`,
  };
}

async function toFolder(cwd: string, path: string, raw: boolean): Promise<Download> {
  const folder = resolve(cwd, path);
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw new MusterError("invalid_request", `cannot make the folder ${path} for the log`, {}, error);
  }
  const files = new Map<string, Promise<{ readonly sink: Counted; readonly copy: LogCopy }>>();
  const file = (name: string) => {
    const known = files.get(name) ?? open(folder, name, raw);
    files.set(name, known);
    return known;
  };
  const each = async (run: (file: { readonly sink: Counted; readonly copy: LogCopy }) => Promise<void>) => {
    for (const opened of files.values()) await run(await opened);
  };
  return {
    into: {
      write: async (chunk, bytes) => {
        const phase = PHASE.test(chunk.phase) ? chunk.phase : "other";
        await (await file(`node-${chunk.rank}.${phase}${suffix(chunk.attempt)}.log`)).sink.sink.write(chunk, bytes);
      },
      tell: async line => (await file(`provision${suffix(line.attempt)}.log`)).sink.tell(Buffer.from(line.text)),
      end: () =>
        each(async ({ sink, copy }) => {
          await sink.sink.end();
          await copy.end();
        }),
    },
    written: () => `${files.size} ${files.size === 1 ? "file" : "files"} in ${path}`,
  };
}

const suffix = (attempt: number): string => (attempt === 1 ? "" : `.try-${attempt}`);

async function open(folder: string, name: string, raw: boolean) {
  const copy = await openCopy(folder, join(folder, name));
  if (copy === undefined) throw new MusterError("invalid_request", "the log has no file to go to");
  return { sink: counted(copy, 1, raw), copy };
}

type Counted = ReturnType<typeof counted>;

function counted(copy: LogCopy, nodes: number, raw: boolean) {
  const count = { bytes: 0 };
  const tell = (bytes: Uint8Array): Promise<void> => {
    count.bytes += bytes.length;
    return copy.bytes(bytes);
  };
  const sink = raw ? rawSink({ bytes: tell }) : textSink({ bytes: tell, terminal: false }, nodes);
  return { sink, tell, count };
}
