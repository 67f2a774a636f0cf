/** Files of hooks: YAML or JSON, a hook in each document, with its rules as people write them. */
import type { InputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import { type Issue, MusterError } from "@muster/core/error.ts";
import { nearest } from "@muster/core/near.ts";
import { Name } from "@muster/core/task/task.ts";
import { taskFiles } from "@muster/task/repository-file.ts";
import { parse } from "@muster/task/yaml/parse.ts";
import type { Mapping, Node } from "@muster/task/yaml/tree.ts";
import { load } from "../task-text.ts";

export type Change = InputOf<Routes["hooks.set"]>["body"];

export interface Named {
  readonly name: string;
  /** What the control plane is told, which judges it. */
  readonly change: Change;
}

type Values = Record<string, unknown>;

/** As it is written to what it is called in the API. */
const HOOK_KEYS: Readonly<Record<string, string>> = {
  ...{ name: "name", forge: "forge", api: "api", token: "token", report: "report", header: "header", rules: "rules" },
};
const RULE_KEYS: Readonly<Record<string, string>> = {
  ...{ name: "name", on: "events", branches: "branches", tags: "tags", paths: "paths", labels: "labels" },
  ...{ comment: "comment", by: "by", cancel_older: "cancelOlder", task: "task" },
};
/** What a launch is told beside its task. */
const LAUNCH_KEYS: Readonly<Record<string, string>> = {
  ...{ cluster: "cluster", target: "target", pool: "pool", group: "group", idle: "idle", shared: "shared" },
  ...{ down: "down", managed: "managed", priority: "priority", max_lifetime: "maxLifetime" },
  ...{ if_busy: "onBusy", max_concurrent_jobs: "maxConcurrentJobs" },
};
/** Where one says what may be several. */
const LISTS: ReadonlySet<string> = new Set(["events", "branches", "tags", "paths", "labels", "by"]);

/** @throws MusterError `invalid_request` with all that is no such file, or that no task file could say */
export async function readHooks(cwd: string, file: string): Promise<Named[]> {
  const { documents } = parse(await load(cwd, file), file);
  if (documents.length === 0) throw invalid(file, [{ path: "", message: "there is nothing in it" }]);
  return documents.map(({ root, duplicates }, at) => {
    const where = documents.length === 1 ? file : `${file}, document ${at + 1}`;
    const [twice] = duplicates;
    if (twice !== undefined)
      throw invalid(where, [{ path: twice.path, message: `is there twice (line ${twice.line})` }]);
    return hookOf(root, where);
  });
}

function invalid(where: string, issues: readonly Issue[]): MusterError {
  const [first] = issues;
  const message = `${where}: ${first?.path === "" ? "" : `${first?.path}: `}${first?.message}`;
  return new MusterError("invalid_request", message, { issues, hint: "how such a file is written: docs/hooks.md" });
}

function hookOf(root: Node, where: string): Named {
  if (root.kind !== "map") throw invalid(where, [{ path: "", message: "is no hook: it has name, forge and rules" }]);
  const issues: Issue[] = [];
  const { name, rules: _, ...rest } = renamed(root, "", HOOK_KEYS, issues);
  const rules = root.entries.get("rules")?.value;
  const read = Name.safeParse(name);
  if (!read.success) issues.push({ path: "name", message: read.error.issues[0]?.message ?? "is no name" });
  if (rules?.kind !== "list") issues.push({ path: "rules", message: "is a list of what is launched when" });
  const list = rules?.kind === "list" ? rules.items : [];
  const made = list.map((rule, index) => ruleOf(rule, `rules.${index}`, where, issues));
  if (issues.length > 0 || !read.success) throw invalid(where, issues);
  // The control plane judges the rest of it, and says all that is wrong.
  return { name: read.data, change: { ...rest, rules: made } as unknown as Change };
}

function ruleOf(node: Node, path: string, where: string, issues: Issue[]): Values {
  if (node.kind !== "map") {
    issues.push({ path, message: "is no rule: it has on and task" });
    return {};
  }
  const { task: _, ...said } = renamed(node, path, { ...RULE_KEYS, ...LAUNCH_KEYS }, issues);
  const isOfLaunch = (key: string): boolean => Object.values(LAUNCH_KEYS).includes(key);
  const entries = Object.entries(said);
  const rule = Object.fromEntries(entries.filter(([key]) => !isOfLaunch(key)));
  const settings = Object.fromEntries(entries.filter(([key]) => isOfLaunch(key)));
  const task = node.entries.get("task")?.value;
  if (task?.kind === "scalar" && typeof task.value === "string")
    return { ...rule, file: task.value, ...(Object.keys(settings).length > 0 && { settings }) };
  if (task?.kind === "map") return { ...rule, ...inlineOf(task, `${where}: ${path}.task`, settings) };
  issues.push({ path: `${path}.task`, message: "is the path of a task file in the repository, or a task" });
  return rule;
}

/** A task as a task file would have it. Its working folder, where it has one, is the repository. */
function inlineOf(task: Mapping, path: string, settings: Values): Values {
  const { workdir, ...rest } = plain(task) as Values;
  const isHere = workdir === "." || workdir === "./";
  const text = JSON.stringify(isHere || workdir === undefined ? rest : { ...rest, workdir });
  const launch = taskFiles.read({ text, path });
  return { launch: { ...launch, ...settings }, ...(isHere && { checkout: true }) };
}

/** Its values, under the names that the API has for them. */
function renamed(node: Mapping, path: string, keys: Readonly<Record<string, string>>, issues: Issue[]): Values {
  const values: Values = {};
  for (const [key, { value }] of node.entries) {
    const name = Object.hasOwn(keys, key) ? keys[key] : undefined;
    if (name === undefined) issues.push(unknown(path === "" ? key : `${path}.${key}`, key, Object.keys(keys)));
    else values[name] = listed(name, plain(value));
  }
  return values;
}

const listed = (name: string, value: unknown): unknown =>
  LISTS.has(name) && !Array.isArray(value) && value !== null ? [value] : value;

function unknown(path: string, key: string, keys: readonly string[]): Issue {
  const near = nearest(key, keys);
  const message = "is not a key that belongs here";
  return { path, message, ...(near !== undefined && { suggestion: `did you mean '${near}'?` }) };
}

/** What it says, without where it says so. */
function plain(node: Node): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]));
}
