/**
 * Sends a folder as packs: archives of runs of its entries, named by their hashes. What the control plane has is not sent
 * again, and what has not changed since the last time is neither read nor packed.
 */
import { setImmediate as turn } from "node:timers/promises";
import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import { MAX_BYTES } from "@muster/core/upload/upload.ts";
import { type Asker, confirm } from "../confirm.ts";
import { bytes, plural } from "../format.ts";
import type { Output } from "../output.ts";
import { type Archive, type Cache, openCache } from "./cache.ts";
import { fingerprint, steadily } from "./content.ts";
import { cut, weigh } from "./cut.ts";
import { describe } from "./describe.ts";
import { ask } from "./exists.ts";
import { type Entry, type FileEntry, type Listing, largest, list, sizeOf } from "./list.ts";
import { type Meter, meter, type Part } from "./meter.ts";
import { shown } from "./names.ts";
import { type Packed, pack } from "./pack.ts";
import { post } from "./post.ts";

/** More than this is asked about: it may be a dataset that nobody meant to send. */
const LARGE_BYTES = 1_000_000_000;
const SHOWN = 8;
/** Packs under way: one is packed while another is sent. Each has a file of its own until it is there. */
const AT_ONCE = 2;

export interface Means {
  readonly out: Output;
  readonly client: Pick<Client, "uploads">;
  readonly ask: Asker;
  readonly signal?: AbortSignal;
  /** Folder of what is remembered. */
  readonly caches: string;
}

export interface Source {
  readonly path: string;
  /** As written in the task file. */
  readonly written: string;
  /** As notes call it. */
  readonly title: string;
}

/** A run of entries on its way. */
interface Run {
  readonly entries: readonly Entry[];
  /** The archive: known from an earlier time, or since it was packed. */
  archive?: Archive;
  isThere: boolean;
}

interface Job {
  readonly means: Means;
  readonly root: string;
  readonly cache: Cache;
}

/** Sends what is not there yet. @returns the hashes of all packs, of which there is at least one. */
export async function sendFolder(means: Means, source: Source): Promise<string[]> {
  const listing = list(source.path);
  warnOfStray(means.out, source, listing);
  const cache = openCache(means.caches, source.path);
  const job = { means, root: source.path, cache };
  const runs = cut(listing.entries.length === 0 ? [ITSELF] : listing.entries).map(entries => ({
    entries,
    isThere: false,
  }));
  try {
    await recall(job, runs);
    await lookForThem(means, runs);
    await sendMissing(job, source, listing, runs);
  } finally {
    cache.save(listing);
  }
  return runs.map(hashOf);
}

/** Of an empty folder there is the folder itself: no archive is empty. */
const ITSELF: Entry = { path: ".", kind: "folder", mode: 0o755 };

function hashOf({ archive }: Run): string {
  if (archive === undefined) throw new MusterError("internal", "a pack was neither found nor made");
  return archive.sha256;
}

function warnOfStray(out: Output, { title }: Source, { stray }: Listing): void {
  for (const path of stray.slice(0, SHOWN)) {
    const warning = `${path} leads out of ${title}: it is sent as a link, without what it leads to`;
    out.note(`${out.style("yellow", "warning:")} ${warning}`);
  }
  if (stray.length > SHOWN) out.note(`  and ${plural(stray.length - SHOWN, "more such link")}`);
}

/** Finds the archives that runs were before. Files that changed are read, for they may hold what they held. */
async function recall({ means: { signal }, root, cache }: Job, runs: readonly Run[]): Promise<void> {
  if (cache.isEmpty) return;
  for (const run of runs) {
    const read = await readUnknown(root, cache, run, signal);
    const description = describe(run.entries, entry => read.get(entry.path) ?? cache.contentOf(entry));
    const archive = description === undefined ? undefined : cache.archiveOf(description);
    if (archive !== undefined) run.archive = archive;
  }
}

async function readUnknown(
  root: string,
  cache: Cache,
  { entries }: Run,
  signal: AbortSignal | undefined,
): Promise<Map<string, string>> {
  const read = new Map<string, string>();
  const unknown = entries.filter(entry => entry.kind === "file").filter(entry => cache.contentOf(entry) === undefined);
  for (const entry of unknown) {
    await turn();
    signal?.throwIfAborted();
    const found = await steadily(() => fingerprint(root, entry, signal));
    if (found === undefined) continue;
    cache.learnContent(entry.path, found.stamp, found.sha256, found.readAt);
    read.set(entry.path, found.sha256);
  }
  return read;
}

async function lookForThem({ client, signal }: Means, runs: readonly Run[]): Promise<void> {
  const known = runs.flatMap(run => (run.archive === undefined ? [] : [{ run, archive: run.archive }]));
  const answers = await ask(
    client,
    known.map(({ archive }) => ({ sha256: archive.sha256, size: archive.size })),
    signal,
  );
  for (const [index, { run }] of known.entries()) run.isThere = answers[index]?.exists ?? false;
}

async function sendMissing(job: Job, source: Source, listing: Listing, runs: readonly Run[]): Promise<void> {
  const { means } = job;
  const whole = `${count(listing.files)} ${listing.files === 1 ? "file" : "files"}, ${bytes(listing.bytes)}`;
  const missing = runs.filter(run => !run.isThere);
  const size = missing.reduce((sum, run) => sum + (run.archive?.size ?? weighFiles(run)), 0);
  if (missing.length === 0) return means.out.note(`  ${source.title}: ${whole}; all of it is there already`);
  means.out.note(
    `  ${source.title}: ${whole}${missing.length === runs.length ? "" : `; ${bytes(size)} of it to send`}`,
  );
  if (size > LARGE_BYTES) await askForLarge(means, source, missing, size);
  using progress = meter(
    means.out,
    `pack+upload ${source.title}`,
    missing.reduce((sum, run) => sum + weigh(run.entries), 0),
  );
  const sent = await sendRuns(job, missing, progress);
  const packs = `${count(sent.packs)} of ${count(runs.length)} ${runs.length === 1 ? "pack" : "packs"} sent`;
  progress.done(`${whole}; ${packs} (${bytes(sent.bytes)})`);
}

const weighFiles = ({ entries }: Run): number => entries.reduce((sum, entry) => sum + sizeOf(entry), 0);
const count = (value: number): string => value.toLocaleString("en-US");

async function askForLarge(
  { out, ask: asker }: Means,
  source: Source,
  runs: readonly Run[],
  size: number,
): Promise<void> {
  const matter = `${source.title}: ${bytes(size)} would be sent`;
  out.warn(`${matter}. The largest:`);
  const entries = runs.flatMap(run => run.entries);
  for (const { path, size: part } of largest(entries, SHOWN)) out.warn(`  ${bytes(part).padStart(9)}  ${path}`);
  const hint = "leave files out with a .musterignore file (its rules are those of .gitignore), or send it with --yes";
  await confirm(asker, "Send all of it?", matter, hint);
}

/** Several at the same time; the first that fails ends the others. */
async function sendRuns(job: Job, runs: readonly Run[], progress: Meter): Promise<{ packs: number; bytes: number }> {
  const failed = new AbortController();
  const { signal: stop } = job.means;
  const signal = stop === undefined ? failed.signal : AbortSignal.any([stop, failed.signal]);
  const own = { ...job, means: { ...job.means, signal } };
  const sent = { packs: 0, bytes: 0 };
  const queue = runs.values();
  const worker = async (): Promise<void> => {
    for (const run of queue) {
      signal.throwIfAborted();
      const size = await sendRun(own, run, progress.part(weigh(run.entries)));
      if (size === undefined) continue;
      sent.packs += 1;
      sent.bytes += size;
    }
  };
  const work = Array.from({ length: AT_ONCE }, worker);
  for (const one of work) one.catch(error => failed.abort(error));
  // All of them: none goes on in the background with a file that is open.
  await Promise.allSettled(work);
  failed.signal.throwIfAborted();
  return sent;
}

/** @returns bytes that were sent; nothing when what was packed is there. */
async function sendRun({ means, root, cache }: Job, run: Run, part: Part): Promise<number | undefined> {
  const { client, signal } = means;
  await using packed = await steadily(() =>
    pack(root, run.entries, { onProgress: part.packed, ...(signal && { signal }) }),
  );
  const { sha256, size } = packed;
  if (size > MAX_BYTES) throw tooLarge(run, size);
  learn(cache, packed);
  run.archive = { sha256, size };
  const [answer] = await ask(client, [{ sha256, size }], signal);
  if (answer?.post !== undefined)
    await post(answer.post, packed, sent => part.sent(size === 0 ? 1 : sent / size), signal && { signal });
  part.sent(1);
  return answer?.post === undefined ? undefined : size;
}

function learn(cache: Cache, { sha256, size, entries, contents }: Packed): void {
  const byPath = new Map(contents.map(content => [content.entry.path, content.sha256]));
  for (const content of contents) cache.learnContent(content.entry.path, content.stamp, content.sha256, content.readAt);
  const description = describe(entries, (entry: FileEntry) => byPath.get(entry.path));
  if (description !== undefined) cache.learnArchive(description, { sha256, size });
}

function tooLarge({ entries }: Run, size: number): MusterError {
  const [{ path } = { path: "" }] = entries.toSorted((a, b) => sizeOf(b) - sizeOf(a));
  const what = `${shown(path)} is ${bytes(size)} packed; one upload holds ${bytes(MAX_BYTES)} at most`;
  return new MusterError("too_large", what, {
    hint: "leave it out with a .musterignore file, and let the job fetch it, or mount the bucket that it is in",
  });
}
