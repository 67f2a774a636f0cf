/** The working folder, and files and folders that are put on the host. */
import type { Draft } from "./draft.ts";
import {
  claim,
  defer,
  flag,
  type Keys,
  mapping,
  mistyped,
  type Place,
  type Reading,
  refuse,
  text,
  walk,
} from "./reading.ts";
import { join, type Mapping, type Node } from "./yaml/tree.ts";

const URL_LIKE = /^[a-z][a-z0-9+.-]*:\/\//i;
const VARIABLE = /\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g;
const STORES = ["s3", "gcs", "r2"];
const BUCKETS = "buckets and URLs as a source of files";

/** Whether a text is a URL, and so no local path. */
export const isUrl = (source: string): boolean => URL_LIKE.test(source);

/** SkyPilot puts the file's variables into its paths; Oumi leaves `${…}` alone. */
function filled(reading: Reading, source: string, out: Draft): string {
  if (reading.dialect === "oumi") return source;
  const { envs, secrets } = out.task;
  return source.replace(VARIABLE, (whole, braced?: string, plain?: string) => {
    const name = braced ?? plain ?? "";
    const values = Object.hasOwn(envs, name) ? envs : secrets;
    return (Object.hasOwn(values, name) ? values[name] : undefined) ?? whole;
  });
}

/** The working folder: a local path, or (not yet) a git repository. */
export function workdir(reading: Reading, node: Node, at: Place, out: Draft): void {
  if (node.kind === "map") {
    defer(reading, at, "a git repository as the working folder");
    return;
  }
  const source = text(reading, node, at);
  if (source === undefined || !claim(reading, "workdir", at)) return;
  const path = filled(reading, source, out);
  if (path.trim() === "") refuse(reading, at, "is empty", "leave the key out");
  else if (isUrl(path)) defer(reading, at, "a URL as the working folder");
  else out.workdir = path;
}

/** `file_mounts`: path on the host to a local file or folder. */
export function fileMounts(reading: Reading, node: Node, at: Place, out: Draft): void {
  const map = mapping(reading, node, at);
  for (const [key, entry] of map?.entries ?? []) {
    const place = { path: join(at.path, key), line: entry.line ?? at.line };
    mount(reading, filled(reading, key, out), entry.value, place, out);
  }
}

function mount(reading: Reading, path: string, value: Node, at: Place, out: Draft): void {
  checkPath(reading, path, at);
  if (value.kind === "map" && reading.dialect !== "oumi") {
    walk(reading, value, at.path, storage, undefined);
    defer(reading, at, "buckets mounted on a host");
    return;
  }
  const source = text(reading, value, at);
  if (source === undefined) return;
  const local = filled(reading, source, out);
  if (isUrl(local)) defer(reading, at, BUCKETS);
  else if (local.trim() === "") refuse(reading, at, "names no local file");
  else if (claim(reading, `mounts.${out.fileMounts.length}.path`, at)) out.fileMounts.push({ path, source: local });
}

function checkPath(reading: Reading, path: string, at: Place): void {
  if (isUrl(path)) refuse(reading, at, "must be a path on the host, and is a URL");
  else if (path.endsWith("/")) refuse(reading, at, "must not end with '/'");
  else if (/^~\/sky_workdir(\/|$)/.test(path)) refuse(reading, at, "is where the working folder goes");
  claim(reading, `mount.${path}`, at);
}

const known = (reading: Reading, value: Node, at: Place): void => {
  text(reading, value, at);
};

/** Keys of a storage object, so that a slip is found even in what cannot be done yet. */
const storage: Keys<undefined> = {
  name: known,
  source: (reading, value, at) => {
    if (value.kind !== "list") known(reading, value, at);
  },
  store: known,
  mode: known,
  type: known,
  mount_options: known,
  persistent: (reading, value, at) => {
    flag(reading, value, at);
  },
  config: (reading, value, at) => {
    mapping(reading, value, at);
  },
};

const oumiStorage: Keys<undefined> = {
  source: (reading, value, at) => {
    const source = text(reading, value, at);
    if (source !== undefined && !isUrl(source)) refuse(reading, at, "must be a bucket such as s3://name/path");
  },
  store: (reading, value, at) => {
    const store = text(reading, value, at)?.toLowerCase();
    if (store !== undefined && !STORES.includes(store)) {
      refuse(reading, at, `must be one of ${STORES.join(", ")}, and is "${store}"`);
    }
  },
};

/** Oumi's `storage_mounts`: checked, and not done yet. */
export function storageMounts(reading: Reading, node: Node, at: Place): void {
  const map = mapping(reading, node, at);
  for (const [key, entry] of map?.entries ?? []) {
    const place = { path: join(at.path, key), line: entry.line ?? at.line };
    checkPath(reading, key, place);
    if (entry.value.kind === "map") bucket(reading, entry.value, place);
    else mistyped(reading, entry.value, place, "a map of source and store");
  }
}

function bucket(reading: Reading, map: Mapping, at: Place): void {
  walk(reading, map, at.path, oumiStorage, undefined);
  for (const key of Object.keys(oumiStorage)) {
    if (!map.entries.has(key)) refuse(reading, { path: join(at.path, key), line: at.line }, "is missing");
  }
  defer(reading, at, "buckets mounted on a host");
}
