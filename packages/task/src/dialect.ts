/**
 * Which launcher a task file was written for.
 *
 * The first marker that the file bears decides; a file without one is in Muster's own form. Oumi's markers come before
 * those of others, since they are mistakes in any other form, and its jobs have SkyPilot's `resources.cloud` and variables
 * as well; Muster's own before SkyPilot's, which its form may have too. Markers are looked for in the file alone: what the
 * command line puts over it never changes its dialect.
 */
import type { OnError } from "@muster/core/task/task.ts";
import { find, isNull, type Node } from "./yaml/tree.ts";

/** Whose rules a file is read by. */
export const dialects = ["muster", "skypilot", "oumi", "flambe", "xt", "runhouse"] as const;
export type Dialect = (typeof dialects)[number];

/** Only Muster's own scripts stop at a line that fails. */
export const onErrorOf = (dialect: Dialect): OnError => (dialect === "muster" ? "stop" : "continue");

type Found = (documents: readonly Node[], source: string) => boolean;

/** `key` is looked for as it is written here; `found` looks at the documents of the file, and at its text for comments. */
export type Marker =
  | { readonly dialect: Dialect; readonly key: string }
  | { readonly dialect: Dialect; readonly what: string; readonly found: Found };

const inScripts =
  (words: RegExp): Found =>
  ([root]) =>
    ["setup", "run"].some(key => {
      const script = root === undefined ? undefined : find(root, [key]);
      return script?.kind === "scalar" && words.test(script.text);
    });

const inText =
  (words: RegExp): Found =>
  (_, source) =>
    words.test(source);

const namesContainer = ([root]: readonly Node[]): boolean => {
  const image = root === undefined ? undefined : find(root, ["resources", "image_id"]);
  return image?.kind === "scalar" && /^docker:/i.test(image.text);
};

const namesTpu = ([root]: readonly Node[]): boolean => {
  const wanted = root === undefined ? undefined : find(root, ["resources", "accelerators"]);
  const names = wanted?.kind === "map" ? [...wanted.entries.keys()] : [wanted?.kind === "scalar" ? wanted.text : ""];
  return names.some(name => /^tpu-/i.test(name));
};

/** Places, where SkyPilot has a map. */
const keepsOutputs = ([root]: readonly Node[]): boolean => {
  const outputs = root === undefined ? undefined : find(root, ["outputs"]);
  return outputs !== undefined && outputs.kind !== "map" && !isNull(outputs);
};

const saysAfter = (roots: readonly Node[]): boolean => roots.some(root => find(root, ["after"]) !== undefined);

/** Of a mounted bucket, what Muster's own form has as well. */
const OWN_MOUNT = ["source", "mode"];

const mountsStorage = ([root]: readonly Node[]): boolean => {
  const mounts = root === undefined ? undefined : find(root, ["file_mounts"]);
  if (mounts?.kind !== "map") return false;
  return [...mounts.entries.values()].some(
    ({ value }) => value.kind === "map" && [...value.entries.keys()].some(key => !OWN_MOUNT.includes(key)),
  );
};

/** More keys of Muster's own form alone. */
const MUSTER = [
  ...[
    "groups",
    "labels",
    "idle",
    "max_concurrent_jobs",
    "packages",
    "timeout",
    "queue_timeout",
    "retry",
    "max_attempts",
    "runs",
    "concurrent",
    "sweep",
    "checkpoint",
    "ray",
    "services",
  ],
  ...["provider", "max_hourly", "spot_fallback", "reservation", "placement_group", "efa"].map(
    key => `resources.${key}`,
  ),
  ...["subnet", "security_groups", "tenancy"].map(key => `resources.${key}`),
];

/** Every marker, in the order in which they are looked for. */
export const markers: readonly Marker[] = [
  // Nobody else has it, so whoever wrote it meant Muster's own form, whatever else stands there.
  { dialect: "muster", key: "on_error" },
  { dialect: "oumi", key: "working_dir" },
  { dialect: "oumi", key: "storage_mounts" },
  { dialect: "oumi", key: "user" },
  { dialect: "oumi", key: "resources.image_id_map" },
  { dialect: "oumi", key: "resources.config_overrides" },
  ...MUSTER.map((key): Marker => ({ dialect: "muster", key })),
  { dialect: "muster", what: "a list of outputs", found: keepsOutputs },
  { dialect: "muster", what: "a task that says after which others it runs", found: saysAfter },
  { dialect: "muster", what: "a script that reads MUSTER_ variables", found: inScripts(/\bMUSTER_[A-Z]/) },
  { dialect: "skypilot", key: "resources.infra" },
  { dialect: "skypilot", key: "resources.cloud" },
  { dialect: "skypilot", key: "resources.any_of" },
  { dialect: "skypilot", key: "resources.ordered" },
  { dialect: "skypilot", key: "resources.accelerator_args" },
  { dialect: "skypilot", key: "resources.job_recovery" },
  { dialect: "skypilot", key: "resources.spot_recovery" },
  { dialect: "skypilot", key: "resources.network_tier" },
  { dialect: "skypilot", key: "resources.max_hourly_cost" },
  { dialect: "skypilot", key: "resources.priority" },
  { dialect: "skypilot", key: "service" },
  { dialect: "skypilot", key: "pool" },
  { dialect: "skypilot", key: "volumes" },
  { dialect: "skypilot", key: "volume_mounts" },
  { dialect: "skypilot", key: "config" },
  { dialect: "skypilot", key: "inputs" },
  { dialect: "skypilot", key: "outputs" },
  { dialect: "skypilot", key: "event_callback" },
  { dialect: "skypilot", key: "managed_secrets" },
  { dialect: "skypilot", key: "execution" },
  { dialect: "skypilot", key: "primary_tasks" },
  { dialect: "skypilot", key: "api_server_access" },
  { dialect: "skypilot", key: "file_mounts_mapping" },
  { dialect: "skypilot", what: "a storage object in file_mounts", found: mountsStorage },
  { dialect: "skypilot", what: "a script that reads SKYPILOT_ variables", found: inScripts(/\bSKYPILOT_[A-Z]/) },
  { dialect: "skypilot", what: "several documents", found: documents => documents.length > 1 },
  { dialect: "skypilot", key: "resources.autostop" },
  { dialect: "skypilot", what: "a container's image, as docker:…", found: namesContainer },
  { dialect: "skypilot", what: "a TPU in accelerators", found: namesTpu },
  { dialect: "skypilot", what: "a script that goes to ~/sky_workdir", found: inScripts(/\bsky_workdir\b|~\/sky_/) },
  { dialect: "skypilot", what: "a call of sky", found: inText(/\bsky (?:launch|exec|jobs|serve|up|down)\b/) },
  { dialect: "muster", what: "a call of muster", found: inText(/\bmuster (?:launch|exec|run|up|down)\b/) },
];

/** The marker that decides, if there is one. */
export function detect(documents: readonly Node[], source: string): Marker | undefined {
  const [root] = documents;
  return markers.find(marker => {
    if ("found" in marker) return marker.found(documents, source);
    return root !== undefined && find(root, marker.key.split(".")) !== undefined;
  });
}
