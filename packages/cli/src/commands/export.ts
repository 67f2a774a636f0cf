import { createWriteStream } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { type Cli, cliOf, define } from "../cli.ts";
import { type Entry, records } from "../export/records.ts";
import { plural } from "../format.ts";
import { interrupt } from "../interrupt.ts";
import { step } from "../progress.ts";

/** Keywords are no names. */
export const exporting = (): Command =>
  define(
    "export",
    "Write every record of the workspace as JSON Lines; no secrets, no logs",
    "muster export muster.jsonl",
  )
    .argument("[file]", "file to write, whole or not at all; absent: standard output")
    .option("--no-progress", "no live line")
    .action((file: string | undefined, _options: object, command: Command) => write(cliOf(command), file));

async function write({ out, cwd, connect }: Cli, file: string | undefined): Promise<void> {
  using stop = interrupt();
  const client = await connect();
  using progress = step(out, file === undefined ? "export" : `export to ${file}`);
  const counts: Record<string, number> = {};
  const lines = async function* (): AsyncGenerator<string> {
    for await (const entry of records(client, stop.signal)) {
      count(counts, entry);
      progress.show(sum(counts));
      yield `${JSON.stringify(entry)}\n`;
    }
  };
  try {
    if (file === undefined) await pipeline(lines, toStdout());
    else await replace(resolve(cwd, file), lines);
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    process.exitCode = stop.code();
    return;
  }
  progress.done(sum(counts));
  if (file !== undefined) out.data({ file, ...counts });
}

function count(counts: Record<string, number>, { kind }: Entry): void {
  if (kind !== "export" && kind !== "end") counts[kind] = (counts[kind] ?? 0) + 1;
}

const sum = (counts: Readonly<Record<string, number>>): string =>
  Object.entries(counts)
    .map(([kind, number]) => plural(number, kind))
    .join(", ");

/** Standard output stays open: it is not ours to end. */
const toStdout = (): Writable =>
  new Writable({
    decodeStrings: false,
    write: (line: string, _encoding, done) => void process.stdout.write(line, error => done(error)),
  });

/** A file that is there is replaced when the new one is whole; nobody else may read it. Its folder is made where there is none. */
async function replace(path: string, lines: () => AsyncGenerator<string>): Promise<void> {
  const draft = `${path}.${process.pid}.part`;
  try {
    await mkdir(dirname(path), { recursive: true });
    await pipeline(lines, createWriteStream(draft, { mode: 0o600 }));
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
