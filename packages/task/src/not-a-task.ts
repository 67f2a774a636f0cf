/** Files that lie beside task files, and are none: what each is, told in one error and not key by key. */
import type { Issue } from "./error.ts";
import type { Mapping } from "./yaml/tree.ts";

interface Kind {
  readonly what: string;
  readonly found: (keys: ReadonlySet<string>, maps: ReadonlySet<string>) => boolean;
  readonly instead: (path: string) => string;
}

/** Whoever has one of these means a task, whatever else stands there. */
const OF_TASKS = ["run", "setup", "resources"];
/** Sections of SkyPilot's own settings that a task has not, each of which is a map. */
const SETTINGS = "aws gcp azure kubernetes oci nebius jobs serve api_server rbac daemons".split(" ");
const OF_VOLUMES = ["size", "infra", "use_existing"];

const KINDS: readonly Kind[] = [
  {
    what: "a training config, not a job file",
    found: (_, maps) => maps.has("model") || maps.has("training"),
    instead: path => `write a job whose run calls \`oumi train -c ${path}\``,
  },
  {
    what: "a file of SkyPilot's own settings, not a task file",
    found: (_, maps) => SETTINGS.some(key => maps.has(key)),
    instead: () => "what it says of machines, say in a task's resources",
  },
  {
    what: "a volume of SkyPilot's, not a task file",
    found: keys => keys.has("type") && OF_VOLUMES.some(key => keys.has(key)),
    instead: () => "Muster has no volumes yet; keep data in a bucket of S3, and name it in a task's file_mounts",
  },
];

/** What the file is, if it is one of them. */
export function foreign({ entries }: Mapping, path = "…"): Issue | undefined {
  const keys = new Set(entries.keys());
  if (OF_TASKS.some(key => keys.has(key))) return undefined;
  const maps = new Set([...entries].flatMap(([key, { value }]) => (value.kind === "map" ? [key] : [])));
  const kind = KINDS.find(({ found }) => found(keys, maps));
  return kind && { path: "", message: `this is ${kind.what}`, suggestion: kind.instead(path) };
}
