/** Buckets: SkyPilot's storage objects in `file_mounts`, and Oumi's `storage_mounts`. Muster mounts those of S3. */
import { type BucketMode, BucketSource } from "@muster/core/task/inputs.ts";
import { anything, entriesOf, listOf, mapOf, oneOf, shape, word, words } from "./check.ts";
import type { Bucket, Draft } from "./draft.ts";
import { messageOf } from "./hold.ts";
import { filled, isOpen, isUrl, takePlace } from "./paths.ts";
import {
  defer,
  type Field,
  flag,
  inside,
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

type ReadField = Extract<Field<Draft>, (...args: never[]) => void>;

/** Stores that SkyPilot knows, with the schemes of their URLs. */
const STORES: Readonly<Record<string, string>> = {
  ...{ s3: "s3", gcs: "gs", r2: "r2", azure: "az", ibm: "cos", oci: "oci", nebius: "nebius", coreweave: "cw" },
  ...{ tigris: "tigris", hf: "hf", volume: "volume" },
};
const AZURE = /^https:\/\/[^/]+\.blob\.core\.windows\.net(?:\/|$)/i;
const OUMI_STORES = ["s3", "gcs", "r2"];
const MODES = { MOUNT: "mount", COPY: "copy", MOUNT_CACHED: "mount_cached" } as const satisfies Record<
  string,
  BucketMode
>;
const MODE_NAMES = ["MOUNT", "COPY", "MOUNT_CACHED"] as const;
const TYPES = ["MODEL_CHECKPOINT_RO", "MODEL_CHECKPOINT_RW", "DATASET_RO", "DATASET_RW"];

const NO_BUCKET =
  "must be the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends";

const schemeOf = (source: string): string => (source.split("://", 1)[0] ?? "").toLowerCase();

/** Takes a bucket along, or notes why it cannot be; `said` is where its name stands, if not at its place. */
export function putBucket(reading: Reading, bucket: Bucket, at: Place, out: Draft, said = at): undefined {
  const scheme = schemeOf(bucket.source);
  if (scheme !== "s3") return defer(reading, at, whyNot(scheme, bucket.source));
  const source = bucket.source.replace(/^s3:/i, "s3:");
  const issue = BucketSource.safeParse(source).error?.issues[0];
  if (issue !== undefined && !isOpen(source, out)) refuse(reading, said, messageOf(issue));
  else out.buckets.push({ ...bucket, source });
}

function whyNot(scheme: string, source: string): string {
  if (AZURE.test(source)) return ofStore("azure");
  if (/^(?:https?|ftp)$/.test(scheme)) return "files that are fetched from a URL: fetch them in setup";
  const [store] = Object.entries(STORES).find(([, known]) => known === scheme) ?? [];
  return store === undefined
    ? `files under ${scheme}://, which is no bucket of S3: fetch them in setup`
    : ofStore(store);
}

const ofStore = (store: string): string =>
  store === "volume" ? "volumes: disks that outlive their machines" : `buckets of ${store}: Muster mounts those of S3`;

/** What a storage object says. */
interface Storage {
  name?: string;
  source?: string | readonly string[];
  store?: string;
  mode?: BucketMode;
  /** Settings of which nothing comes. */
  aside: Place[];
}

/** What becomes of a text of the file; undefined when that was refused. */
type Fill = (text: string, at: Place) => string | undefined;

/** Read and left out, for Muster's mounts have no such settings. */
const unheeded =
  (check: (reading: Reading, node: Node, at: Place) => void): Field<Storage> =>
  (reading, value, at, out) => {
    check(reading, value, at);
    out.aside.push(at);
  };

const config = shape({
  mount: mapOf(anything),
  mount_cached: mapOf(anything),
  disk_size: anything,
  disk_tier: words,
  storage_type: words,
  attach_mode: words,
});

const keysOf = (fill: Fill): Keys<Storage> => ({
  name: (reading, value, at, out) => {
    const read = text(reading, value, at);
    const name = read === undefined ? undefined : fill(read.trim(), at);
    if (name !== undefined) out.name = name;
  },
  source: (reading, value, at, out) => {
    if (value.kind === "list") {
      listOf(words)(reading, value, at);
      if (value.items.length === 0) refuse(reading, at, "names no local file");
      out.source = value.items.flatMap(item => (item.kind === "scalar" ? (fill(item.text, at) ?? []) : []));
      return;
    }
    const read = text(reading, value, at);
    const source = read === undefined ? undefined : fill(read.trim(), at);
    if (source !== undefined) out.source = source;
  },
  store: (reading, value, at, out) => {
    const read = word(reading, value, at, Object.keys(STORES));
    if (read !== undefined) out.store = read;
  },
  mode: (reading, value, at, out) => {
    const read = word(reading, value, at, MODE_NAMES);
    if (read !== undefined) out.mode = MODES[read];
  },
  persistent: (reading, value, at) => void flag(reading, value, at),
  type: unheeded(oneOf(TYPES)),
  mount_options: unheeded(words),
  config: unheeded(config),
});

/** Where on the host, and where in the file: as a whole, and key by key. */
interface Target {
  readonly path: string;
  readonly at: Place;
  readonly of: (key: "name" | "source") => Place;
}

const targetOf = (map: Mapping, path: string, at: Place): Target => ({
  path,
  at,
  of: key => ({ path: join(at.path, key), line: map.entries.get(key)?.line ?? at.line }),
});

/** SkyPilot's storage object, to be put at `path` on the host. */
export function storage(reading: Reading, map: Mapping, path: string, at: Place, out: Draft): void {
  const its: Storage = { aside: [] };
  const [issues, unsupported] = [reading.issues.length, reading.unsupported.length];
  walk(
    inside(reading),
    map,
    at.path,
    keysOf((text, place) => filled(reading, text, place, out)),
    its,
  );
  if (reading.issues.length > issues) return;
  put(reading, its, targetOf(map, path, at), out);
  // What cannot be done at all has nothing left out of it.
  if (reading.unsupported.length > unsupported) return;
  for (const { path } of its.aside)
    reading.warnings.push(`${path}: is a setting of another launcher's mounts, and is left out`);
}

function put(reading: Reading, its: Storage, target: Target, out: Draft): undefined {
  const { source, store = "s3" } = its;
  if (store !== "s3") return defer(reading, target.at, ofStore(store));
  if (source === undefined) return byName(reading, its, target, out);
  if (typeof source === "string" && isUrl(source)) return bySource(reading, its, source, target, out);
  byFiles(reading, its, typeof source === "string" ? [source] : source, target, out);
}

/** SkyPilot makes the bucket when there is none of that name, and may delete it afterwards. */
function byName(reading: Reading, { name, mode = "mount" }: Storage, { path, at, of }: Target, out: Draft): undefined {
  if (name === undefined || name === "")
    return refuse(reading, at, "has neither a source nor a name", "add source: s3://your-bucket");
  if (isUrl(name)) return refuse(reading, at, "has a URL for its name", `write source: ${name}`);
  const source = `s3://${name}`;
  if (!BucketSource.safeParse(source).success && !isOpen(source, out)) return refuse(reading, of("name"), NO_BUCKET);
  reading.warnings.push(`${at.path}: Muster mounts the bucket ${source}, and neither makes nor deletes it`);
  putBucket(reading, { path, source, mode }, at, out);
}

function bySource(reading: Reading, its: Storage, source: string, { path, at, of }: Target, out: Draft): undefined {
  const { name, mode = "mount" } = its;
  const bucket = source.split("/")[2] ?? "";
  if (name !== undefined && name !== bucket && !isOpen(source + name, out))
    return refuse(reading, of("name"), `must be that of the bucket, '${bucket}'`, "leave it out");
  putBucket(reading, { path, source, mode }, at, out, of("source"));
}

/** SkyPilot sends local files to a bucket of theirs, and mounts that. */
function byFiles(
  reading: Reading,
  its: Storage,
  sources: readonly string[],
  { path, at }: Target,
  out: Draft,
): undefined {
  const [source = "", ...more] = sources;
  if (its.mode !== "copy" || more.length > 0) {
    const why = "buckets that are made of local files: put them into an S3 bucket first, and write source: s3://…";
    return defer(reading, at, why);
  }
  if (source === "") return refuse(reading, at, "names no local file");
  reading.warnings.push(`${at.path}: the files are sent to the host; no bucket is made of them`);
  out.fileMounts.push({ path, source });
}

/** Oumi's `storage_mounts`. */
export const storageMounts: ReadField = (reading, node, at, out) => {
  const map = mapping(reading, node, at);
  if (map === undefined) return;
  for (const [path, value, place] of entriesOf(map, at)) {
    takePlace(reading, path, place);
    if (value.kind === "map") oumiBucket(reading, value, targetOf(value, path, place), out);
    else mistyped(reading, value, place, "a map of source and store", "such as { source: s3://name/path, store: s3 }");
  }
};

const oumiKeys: Keys<Storage> = {
  source: (reading, value, at, out) => {
    const source = text(reading, value, at);
    if (source === undefined) return;
    if (isUrl(source)) out.source = source;
    else refuse(reading, at, "must be a bucket such as s3://name/path");
  },
  store: (reading, value, at, out) => {
    const read = word(reading, value, at, OUMI_STORES);
    if (read !== undefined) out.store = read;
  },
};

function oumiBucket(reading: Reading, map: Mapping, { path, at, of }: Target, out: Draft): void {
  const its: Storage = { aside: [] };
  walk(inside(reading), map, at.path, oumiKeys, its);
  for (const key of Object.keys(oumiKeys)) {
    if (!map.entries.has(key)) refuse(reading, { path: join(at.path, key), line: at.line }, "is missing");
  }
  const { source, store } = its;
  if (typeof source !== "string" || store === undefined) return;
  if (schemeOf(source) === STORES[store]) putBucket(reading, { path, source, mode: "mount" }, at, out, of("source"));
  else refuse(reading, of("source"), `is no bucket of ${store}`, `write ${STORES[store]}://…`);
}
