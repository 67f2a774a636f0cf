/**
 * Which launcher a task file was written for.
 *
 * The first marker that the file bears decides; a file without one is in Muster's own form. Oumi's markers come
 * first, since its jobs have SkyPilot's `resources.cloud` and read SkyPilot's variables as well. Markers are looked
 * for in the file alone: what the command line puts over it never changes its dialect.
 */
import type { OnError } from "@muster/core/task/task.ts";
import { isUrl } from "./paths.ts";
import { find, type Node } from "./yaml/tree.ts";

/** Whose rules a file is read by. */
export const dialects = ["muster", "skypilot", "oumi", "flambe", "xt", "runhouse"] as const;
export type Dialect = (typeof dialects)[number];

/** Only Muster's own scripts stop at a line that fails. */
export const onErrorOf = (dialect: Dialect): OnError => (dialect === "muster" ? "stop" : "continue");

/** `key` is looked for as it is written here; `found` looks at the documents of the file. */
export type Marker =
  | { readonly dialect: Dialect; readonly key: string }
  | { readonly dialect: Dialect; readonly what: string; readonly found: (documents: readonly Node[]) => boolean };

const readsVariables = ([root]: readonly Node[]): boolean =>
  ["setup", "run"].some(key => {
    const script = root === undefined ? undefined : find(root, [key]);
    return script?.kind === "scalar" && /\bSKYPILOT_[A-Z]/.test(script.text);
  });

const mountsBuckets = ([root]: readonly Node[]): boolean => {
  const mounts = root === undefined ? undefined : find(root, ["file_mounts"]);
  if (mounts?.kind !== "map") return false;
  return [...mounts.entries.values()].some(
    ({ value }) => value.kind === "map" || (value.kind === "scalar" && isUrl(value.text)),
  );
};

const namesGit = ([root]: readonly Node[]): boolean =>
  root !== undefined && find(root, ["workdir", "url"]) !== undefined;

/** Every marker, in the order in which they are looked for. */
export const markers: readonly Marker[] = [
  // Nobody else has it, so whoever wrote it meant Muster's own form, whatever else stands there.
  { dialect: "muster", key: "on_error" },
  { dialect: "oumi", key: "working_dir" },
  { dialect: "oumi", key: "storage_mounts" },
  { dialect: "oumi", key: "user" },
  { dialect: "oumi", key: "resources.image_id_map" },
  { dialect: "oumi", key: "resources.config_overrides" },
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
  { dialect: "skypilot", what: "a bucket in file_mounts", found: mountsBuckets },
  { dialect: "skypilot", what: "a git repository as workdir", found: namesGit },
  { dialect: "skypilot", what: "a script that reads SKYPILOT_ variables", found: readsVariables },
  { dialect: "skypilot", what: "several documents", found: documents => documents.length > 1 },
];

/** The marker that decides, if there is one. */
export function detect(documents: readonly Node[]): Marker | undefined {
  const [root] = documents;
  return markers.find(marker => {
    if ("found" in marker) return marker.found(documents);
    return root !== undefined && find(root, marker.key.split(".")) !== undefined;
  });
}
