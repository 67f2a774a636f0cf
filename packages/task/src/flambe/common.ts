/** What Flambé's two kinds of clusters have in common. */
import { defer, mistyped, type Place, type Reading, refuse, text } from "../reading.ts";
import { isNull, type Mapping, type Node } from "../yaml/tree.ts";

/** Whether a key is there with something in it. */
export function present(map: Mapping, key: string): boolean {
  const entry = map.entries.get(key);
  return entry !== undefined && !isNull(entry.value);
}

/** Notes each key that must be there and is not, but for one of which a slip was told already. */
export function required(reading: Reading, map: Mapping, keys: readonly string[], what: string): void {
  const told = new Set(reading.issues.map(({ suggestion }) => suggestion));
  for (const key of keys.filter(key => !present(map, key) && !told.has(`did you mean '${key}'?`)))
    refuse(reading, { path: key, line: map.line }, `is missing, and ${what} must have it`);
}

/** `setup_cmds`: commands for all hosts of a cluster, which Muster's clusters do not have yet. */
export function setupCommands(reading: Reading, value: Node, at: Place): void {
  if (value.kind !== "list") {
    mistyped(reading, value, at, "a list of commands");
    return;
  }
  for (const [index, item] of value.items.entries())
    text(reading, item, { path: `${at.path}.${index}`, line: item.line ?? at.line });
  if (value.items.length > 0)
    defer(reading, at, "commands that prepare a whole cluster; put them in the setup of the tasks that run on it");
}
