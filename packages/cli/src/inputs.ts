/** The working folder and the files of a task: looked at here, sent once, and named by their hashes from then on. */
import { basename } from "node:path";
import type { Git, Mount, Package } from "@muster/core/task/inputs.ts";
import { folderOf } from "./inputs/cache.ts";
import { isCredentialFolder } from "./inputs/credentials.ts";
import { sendFile } from "./inputs/file.ts";
import type { Inputs, Placed, Source } from "./inputs/find.ts";
import * as Folder from "./inputs/folder.ts";
import type { Output } from "./output.ts";

export { find, type Inputs } from "./inputs/find.ts";
export { gitToken } from "./inputs/git-token.ts";

/** The parts of a task that inputs become. */
export interface Sent {
  readonly workdir?: { readonly packs: string[] } | Git;
  readonly mounts: Mount[];
  readonly packages: Package[];
  readonly secretFiles: Record<string, string>;
}

type Means = Omit<Folder.Means, "caches"> & Partial<Pick<Folder.Means, "caches">>;

/** Packs and sends what the control plane does not have yet. */
export async function send(given: Means, inputs: Inputs): Promise<Sent> {
  const means = { caches: folderOf(process.env), ...given };
  const workdir = inputs.workdir && (await sendWorkdir(means, inputs.workdir));
  const mounts: Mount[] = [];
  for (const mount of inputs.mounts) mounts.push(await sendMount(means, mount));
  for (const { path, source, mode } of inputs.buckets) mounts.push({ kind: "bucket", path, source, mode });
  const { packages, secretFiles } = inputs;
  return { ...(workdir && { workdir }), mounts, packages: [...packages], secretFiles: { ...secretFiles } };
}

async function sendWorkdir(means: Folder.Means, workdir: Source | Git): Promise<NonNullable<Sent["workdir"]>> {
  return "url" in workdir ? workdir : { packs: await sendFolder(means, workdir) };
}

async function sendMount(means: Folder.Means, { path, source }: Placed): Promise<Mount> {
  if (source.stats.isDirectory()) {
    if (isCredentialFolder(source.path)) warnOfCredentials(means.out, source);
    return { path, kind: "folder", packs: await sendFolder(means, source) };
  }
  const upload = await sendFile(means, sourceOf(source));
  return { path, kind: "file", mode: source.stats.mode & 0o777, upload };
}

function warnOfCredentials(out: Output, { written }: Source): void {
  const advice = "name the files that the job needs one by one, and they are sent as secrets";
  out.note(`${out.style("yellow", "warning:")} ${written} holds credentials, and is kept like any folder: ${advice}`);
}

const sendFolder = (means: Folder.Means, source: Source): Promise<string[]> =>
  Folder.sendFolder(means, sourceOf(source));

/** `.` says nothing: the folder's own name does. */
function sourceOf({ path, written, stats }: Source): Folder.Source {
  const name = /^\.{1,2}\/?$/.test(written) ? basename(path) : written.replace(/\/+$/, "");
  return { path, written, title: stats.isDirectory() ? `${name}/` : name };
}
