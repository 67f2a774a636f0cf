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

const schemeOf = (source: string): string => (source.split("://", 1)[0] ?? "").toLowerCase();

/** Takes a bucket along, or notes why it cannot be. */
export function putBucket(reading: Reading, bucket: Bucket, at: Place, out: Draft): undefined {
  const scheme = schemeOf(bucket.source);
  if (scheme !== "s3") return defer(reading, at, whyNot(scheme, bucket.source));
  const source = bucket.source.replace(/^s3:/i, "s3:");
  const issue = BucketSource.safeParse(source).error?.issues[0];
  if (issue !== undefined && !isOpen(source, out)) refuse(reading, at, messageOf(issue));
  else out.buckets.push({ ...bucket, source });
}

function whyNot(scheme: string, source: string): string {
  if (AZURE.test(source)) return ofStore("azure");
  if (/^(?:https?|ftp)$/.test(scheme)) return "files that are fetched from a URL: fetch them in setup";
  const [store] = Object.entries(STORES).find(([, known]) => known === scheme) ?? [scheme];
  return ofStore(store);
}

const ofStore = (store: string): string =>
  store === "volume" ? "volumes: disks that outlive their machines" : `buckets of ${store}: Muster mounts those of S3`;

/** What a storage object says. */
interface Storage {
  name?: string;
  source?: string | readonly string[];
  store?: string;
  mode?: BucketMode;
}

const into =
  (key: "name", fill: (reading: Reading, text: string) => string): Field<Storage> =>
  (reading, value, at, out) => {
    const read = text(reading, value, at);
    if (read !== undefined) out[key] = fill(reading, read.trim());
  };

/** Read and left out, for Muster's mounts have no such settings. */
const unheeded =
  (check: (reading: Reading, node: Node, at: Place) => void): Field<Storage> =>
  (reading, value, at) => {
    check(reading, value, at);
    reading.warnings.push(`${at.path}: is a setting of another launcher's mounts, and is left out`);
  };

const config = shape({
  mount: mapOf(anything),
  mount_cached: mapOf(anything),
  disk_size: anything,
  disk_tier: words,
  storage_type: words,
  attach_mode: words,
});

const keysOf = (fill: (reading: Reading, text: string) => string): Keys<Storage> => ({
  name: into("name", fill),
  source: (reading, value, at, out) => {
    if (value.kind === "list") {
      listOf(words)(reading, value, at);
      if (value.items.length === 0) refuse(reading, at, "names no local file");
      out.source = value.items.flatMap(item => (item.kind === "scalar" ? fill(reading, item.text) : []));
      return;
    }
    const read = text(reading, value, at);
    if (read !== undefined) out.source = fill(reading, read.trim());
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

/** Where on the host, and where in the file. */
interface Target {
  readonly path: string;
  readonly at: Place;
}

/** SkyPilot's storage object. */
export function storage(reading: Reading, map: Mapping, target: Target, out: Draft): undefined {
  const its: Storage = {};
  const before = reading.issues.length;
  const fill = (_: Reading, text: string): string => filled(reading, text, target.at, out);
  walk(inside(reading), map, target.at.path, keysOf(fill), its);
  if (reading.issues.length > before) return;
  const { source, store = "s3" } = its;
  if (store !== "s3") return defer(reading, target.at, ofStore(store));
  if (source === undefined) return byName(reading, its, target, out);
  if (typeof source === "string" && isUrl(source)) return bySource(reading, its, source, target, out);
  byFiles(reading, its, typeof source === "string" ? [source] : source, target, out);
}

/** SkyPilot makes the bucket when there is none of that name, and may delete it afterwards. */
function byName(reading: Reading, { name, mode = "mount" }: Storage, { path, at }: Target, out: Draft): undefined {
  if (name === undefined || name === "")
    return refuse(reading, at, "has neither a source nor a name", "add source: s3://your-bucket");
  if (isUrl(name)) return refuse(reading, at, "has a URL for its name", `write source: ${name}`);
  const source = `s3://${name}`;
  reading.warnings.push(`${at.path}: Muster mounts the bucket ${source}, and neither makes nor deletes it`);
  putBucket(reading, { path, source, mode }, at, out);
}

function bySource(reading: Reading, its: Storage, source: string, { path, at }: Target, out: Draft): undefined {
  const { name, mode = "mount" } = its;
  const bucket = source.split("/")[2] ?? "";
  if (name !== undefined && name !== bucket && !isOpen(source + name, out))
    return refuse(
      reading,
      { ...at, path: join(at.path, "name") },
      `must be that of the bucket, '${bucket}'`,
      "leave it out",
    );
  putBucket(reading, { path, source, mode }, at, out);
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
    if (value.kind === "map") oumiBucket(reading, value, { path, at: place }, out);
    else mistyped(reading, value, place, "a map of source and store");
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

function oumiBucket(reading: Reading, map: Mapping, { path, at }: Target, out: Draft): void {
  const its: Storage = {};
  walk(inside(reading), map, at.path, oumiKeys, its);
  for (const key of Object.keys(oumiKeys)) {
    if (!map.entries.has(key)) refuse(reading, { path: join(at.path, key), line: at.line }, "is missing");
  }
  const { source, store } = its;
  if (typeof source !== "string" || store === undefined) return;
  if (schemeOf(source) === STORES[store]) putBucket(reading, { path, source, mode: "mount" }, at, out);
  else
    refuse(
      reading,
      { path: join(at.path, "source"), line: at.line },
      `is no bucket of ${store}`,
      `write ${STORES[store]}://…`,
    );
}
