/** The working folder and the files of a task: looked at here, sent once, and named by their hashes from then on. */
import { type Stats, statSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { basename, dirname, join, relative, resolve } from "node:path";
import type { Client } from "@muster/api/client.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Git, Mount } from "@muster/core/task/inputs.ts";
import { MAX_BYTES } from "@muster/core/upload/upload.ts";
import * as Archive from "./archive.ts";
import { type Asker, confirm } from "./confirm.ts";
import { bar, bytes } from "./format.ts";
import type { Output } from "./output.ts";
import { post } from "./post.ts";
import { step } from "./progress.ts";

/** More than this is asked about: it may be a dataset that nobody meant to send. */
const LARGE_BYTES = 1_000_000_000;
const SHOWN = 8;

interface Source {
  /** As written in the task file. */
  readonly written: string;
  readonly path: string;
  readonly stats: Stats;
}

/** Everything that a task takes along from this machine; checked to be there. */
export interface Inputs {
  readonly workdir?: Source | Git;
  readonly mounts: readonly { readonly path: string; readonly source: Source }[];
}

interface Wanted {
  readonly workdir?: string | Git;
  readonly fileMounts: readonly { readonly path: string; readonly source: string }[];
}

/** Finds the local paths. @throws MusterError `invalid_request` that names each one that is not there. */
export function find(cwd: string, draft: Wanted, file?: string): Inputs {
  const workdir = typeof draft.workdir === "string" ? look(cwd, draft.workdir) : draft.workdir;
  if (workdir && "written" in workdir && !workdir.stats?.isDirectory())
    throw new MusterError("invalid_request", `the working folder '${workdir.written}' ${lack(workdir)}`, {
      hint: `it was looked for at ${workdir.path}; ${remedy(cwd, workdir.written, file)}`,
    });
  const mounts = draft.fileMounts.map(({ path, source }) => ({ path, source: look(cwd, source) }));
  const issues = mounts
    .filter(({ source }) => source.stats === undefined)
    .map(({ path, source }) => ({
      path: `file_mounts.${path}`,
      message: `'${source.written}' does not exist on this machine`,
    }));
  if (issues.length > 0)
    throw new MusterError("invalid_request", "files to be mounted are missing", {
      issues,
      hint: "check that they exist, or take them out of file_mounts",
    });
  return {
    ...(workdir && { workdir: workdir as Source | Git }),
    mounts: mounts as { path: string; source: Source }[],
  };
}

/** Local paths are relative to where one is, as other launchers have it; people expect the task file's own folder. */
function remedy(cwd: string, written: string, file: string | undefined): string {
  const beside = file === undefined ? undefined : dirname(resolve(cwd, file));
  if (beside !== undefined && look(beside, written).stats?.isDirectory())
    return `there is one beside the task file: go there first (cd ${relative(cwd, beside)}), or write it with its path`;
  return "correct workdir, or go to the folder that it is relative to";
}

function look(cwd: string, written: string): Omit<Source, "stats"> & { readonly stats: Stats | undefined } {
  const path = resolve(cwd, written.replace(/^~(?=\/|$)/, homedir()));
  return { written, path, stats: statSync(path, { throwIfNoEntry: false }) };
}

const lack = (source: { readonly stats: Stats | undefined }): string =>
  source.stats === undefined ? "does not exist" : "is not a folder";

export interface Sent {
  readonly workdir?: { readonly packs: string[] } | Git;
  readonly mounts: Mount[];
}

interface Means {
  readonly out: Output;
  readonly client: Client;
  readonly ask: Asker;
  readonly signal?: AbortSignal;
}

/** Packs and sends what the control plane does not have yet. */
export async function send(means: Means, inputs: Inputs): Promise<Sent> {
  const folder = await mkdtemp(join(tmpdir(), "muster-"));
  try {
    const workdir = inputs.workdir && (await sendWorkdir(means, inputs.workdir, join(folder, "workdir.tgz")));
    const mounts: Mount[] = [];
    for (const [index, mount] of inputs.mounts.entries())
      mounts.push(await sendMount(means, mount, join(folder, `mount-${index}.tgz`)));
    return { ...(workdir !== undefined && { workdir }), mounts };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function sendWorkdir(means: Means, workdir: Source | Git, file: string): Promise<NonNullable<Sent["workdir"]>> {
  return "url" in workdir ? workdir : { packs: [await sendFolder(means, workdir, file)] };
}

async function sendMount(means: Means, mount: Inputs["mounts"][number], file: string): Promise<Mount> {
  const { path, source } = mount;
  if (source.stats.isDirectory()) return { path, kind: "folder", packs: [await sendFolder(means, source, file)] };
  const packed = { file: source.path, ...(await Archive.fingerprint(source.path)) };
  const upload = await deliver(means, source.written, packed);
  return { path, kind: "file", mode: source.stats.mode & 0o777, upload };
}

async function sendFolder(means: Means, source: Source, file: string): Promise<string> {
  const listing = Archive.list(source.path);
  for (const path of listing.stray) {
    const warning = `${path} leads out of ${title(source.written)}: it is sent as a link, without what it leads to`;
    means.out.note(`${means.out.style("yellow", "warning:")} ${warning}`);
  }
  if (listing.bytes > LARGE_BYTES) await askForLarge(means, source, listing);
  return deliver(means, source.written, await packFolder(means, source, listing, file));
}

async function packFolder(
  { out, signal }: Means,
  source: Source,
  listing: Archive.Listing,
  file: string,
): Promise<Archive.Packed> {
  using progress = step(out, `pack ${title(source.written)}`);
  const packed = { bytes: 0 };
  const onProgress = (more: number): void => {
    packed.bytes += more;
    progress.show(bar(Math.min(packed.bytes, listing.bytes), listing.bytes));
  };
  return Archive.pack(listing, file, { onProgress, ...(signal && { signal }) });
}

async function askForLarge({ out, ask }: Means, source: Source, listing: Archive.Listing): Promise<void> {
  out.warn(`${source.written} holds ${bytes(listing.bytes)}. The largest:`);
  for (const { path, size } of Archive.largest(listing, SHOWN)) out.warn(`  ${bytes(size).padStart(9)}  ${path}`);
  const hint = "leave files out with a .musterignore file (its rules are those of .gitignore), or send it with --yes";
  await confirm(ask, "Send all of it?", `${source.written} holds ${bytes(listing.bytes)}`, hint);
}

/** Sends a file unless its bytes are there. @returns its hash. */
async function deliver(means: Means, name: string, packed: Archive.Packed): Promise<string> {
  const { sha256, size } = packed;
  if (size > MAX_BYTES)
    throw new MusterError("too_large", `${name} is ${bytes(size)}; one upload holds ${bytes(MAX_BYTES)} at most`);
  const answer = await means.client.uploads.create(
    { body: { sha256, size } },
    means.signal && { signal: means.signal },
  );
  if (answer.exists || answer.post === undefined) return sha256;
  using progress = step(means.out, `upload ${title(name)}`);
  const sent = (count: number): void => progress.show(bar(count, size));
  await post(answer.post, packed, sent, means);
  progress.done(bytes(size));
  return sha256;
}

/** `.` says nothing: the folder's own name does. */
const title = (written: string): string =>
  /^\.{1,2}\/?$/.test(written) ? `${basename(resolve(written)) || dirname(written)}/` : written;
