/** Where artifacts go on this machine. What a job has written says nothing of where that may be. */
import type { Stats } from "node:fs";
import { lstat, mkdir } from "node:fs/promises";
import { MusterError } from "@muster/core/error.ts";
import type { Artifact } from "@muster/core/output/output.ts";

/** Segments of a path, each as the bytes that it is. */
export type Segments = readonly Buffer[];

const SLASH = Buffer.from("/");

export const join = (folder: Buffer, ...more: readonly Buffer[]): Buffer =>
  Buffer.concat([folder, ...more.flatMap(one => [SLASH, one])]);

/** A name for people: nothing in it moves a terminal's cursor. */
export const shown = ({ path }: Pick<Artifact, "path">): string =>
  /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(path) ? JSON.stringify(path) : path;

/** The path below the folder that artifacts go to. @throws MusterError `invalid_request` for one that would lead out of it */
export function segmentsOf(artifact: Pick<Artifact, "path" | "pathBytes">): Segments {
  const { path, pathBytes } = artifact;
  const bytes = pathBytes === undefined ? Buffer.from(path) : Buffer.from(pathBytes, "base64");
  const names = bytes.toString("latin1").split("/");
  const isSafe = names.every(name => name !== "" && name !== "." && name !== ".." && !isForeign(name));
  if (isSafe) return names.map(name => Buffer.from(name, "latin1"));
  throw new MusterError("invalid_request", `an artifact has a path that is not taken: ${shown(artifact)}`);
}

/** What means more than a name here. */
const isForeign = (name: string): boolean =>
  name.includes("\0") || (process.platform === "win32" && /[\\:]/.test(name));

/** Makes the folders between; a link among them would lead elsewhere. @throws MusterError `conflict` */
export async function makeFolders(root: Buffer, segments: Segments, known: Set<string>): Promise<void> {
  if (!known.has("")) await mkdir(root, { recursive: true });
  known.add("");
  for (let depth = 1; depth < segments.length; depth++) {
    const folder = join(root, ...segments.slice(0, depth));
    const name = folder.toString("latin1");
    if (known.has(name)) continue;
    const found = await look(folder);
    if (found === undefined) await mkdir(folder, { recursive: true });
    else if (!found.isDirectory())
      throw new MusterError("conflict", `${folder.toString()} is ${found.isSymbolicLink() ? "a link" : "no folder"}`, {
        hint: "move it away, or name another folder with -o",
      });
    known.add(name);
  }
}

/** Undefined for what is not there. */
export async function look(path: Buffer): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Whether a link stays in the folder that holds it: it goes up no further than that, and then only down. */
export function staysInside(segments: Segments, target: string): boolean {
  const parts = target.split("/").filter(part => part !== "" && part !== ".");
  const ups = parts.findIndex(part => part !== "..");
  return !target.startsWith("/") && ups >= 0 && ups < segments.length && !parts.slice(ups).includes("..");
}
