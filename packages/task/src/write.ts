/** What a file says, in Muster's own form: reading that gives the same again. */
import { Document, type DocumentOptions, Pair, Scalar, type SchemaOptions, YAMLMap } from "yaml";
import type { Result } from "./result.ts";
import { escaped, node, type Value } from "./write/nodes.ts";
import { clusterOf, taskOf, type WriteOptions } from "./write/task.ts";
import { time } from "./write/time.ts";

export type { WriteOptions } from "./write/task.ts";

/** Nothing is merged in here: a key that is called `<<` is quoted, which the tag for merging would undo. */
const SCHEMA: DocumentOptions & SchemaOptions = {
  version: "1.1",
  customTags: tags => tags.filter(tag => typeof tag === "string" || tag.tag !== "tag:yaml.org,2002:merge"),
};
/** Lines are broken nowhere but where the text has its own ends of lines. */
const STYLE = { lineWidth: 0, doubleQuotedMinMultiLineLength: Number.MAX_SAFE_INTEGER } as const;

/**
 * Tasks and clusters as YAML, one document for each. Targets have no such form.
 *
 * Loaders of YAML 1.1 and of YAML 1.2 read it alike. The values of secrets are null unless `options.secrets` is `written`;
 * so are those of variables whose names say that they are secrets.
 */
export function write(result: Result, options: WriteOptions = {}): string {
  const clusters = (result.clusters ?? []).map(clusterOf);
  const documents = [...head(result), ...result.tasks.map(draft => taskOf(draft, options)), ...clusters];
  return escaped(documents.map(text).join("---\n"));
}

/** What is said of several tasks. */
function head({ name, execution, tasks, roles = [] }: Result): Readonly<Record<string, Value>>[] {
  if (tasks.length < 2 || (name ?? execution) === undefined) return [];
  const all = tasks.map(({ task }, index) => ({ name: task.name ?? "", primary: true, delay: 0, ...roles[index] }));
  const primary = all.filter(one => one.primary).map(one => one.name);
  const delays = all.filter(one => one.delay > 0).map(one => [one.name, time(one.delay)] as const);
  return [
    {
      name,
      execution,
      primary_tasks: primary.length < all.length ? primary : undefined,
      termination_delay: delays.length > 0 ? Object.fromEntries(delays) : undefined,
    },
  ];
}

function text(entries: Readonly<Record<string, Value>>): string {
  const document = new Document(null, SCHEMA);
  const map = new YAMLMap();
  const said = Object.entries(entries).filter(([, value]) => value !== undefined);
  for (const [index, [key, value]] of said.entries()) map.items.push(part(key, value, said[index - 1]?.[1]));
  document.contents = map;
  return document.toString(STYLE);
}

/** What takes several lines stands apart from what is before and after it. */
function part(key: string, value: Value, before: Value): Pair {
  const name = new Scalar(key);
  if (before !== undefined && (isLarge(value) || isLarge(before))) name.spaceBefore = true;
  return new Pair(name, node(value));
}

const isLarge = (value: Value): boolean =>
  typeof value === "object" || (typeof value === "string" && value.includes("\n"));
