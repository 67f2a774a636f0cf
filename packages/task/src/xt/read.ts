/** XT's config files: what they say of where jobs run, as Muster's targets. */
import type { TargetDraft } from "../draft.ts";
import type { Issue } from "../error.ts";
import { defer, mapping, type Place, type Reading, refuse, similar } from "../reading.ts";
import type { WholeFile } from "../whole-file.ts";
import { strayTags } from "../yaml/tags.ts";
import { find, isNull, join, type Mapping, type Node } from "../yaml/tree.ts";
import { check, checkMap } from "./check.ts";
import { named, sections } from "./schema.ts";
import { registered, servicesOf } from "./services.ts";
import { defaultTarget, targetsOf } from "./targets.ts";

/** Sections that nobody else's files have. */
const OWN = [
  ...["external-services", "compute-targets", "xt-services", "azure-batch-images", "after-files", "aml-options"],
  ...["early-stopping", "hyperparameter-search", "hyperparameter-explorer", "run-reports", "job-reports"],
];
/** Sections whose names are anybody's, and which stand together in XT's files alone. */
const TOGETHER = ["general", "internal"];
const SECTIONS = [...Object.keys(sections), ...Object.keys(named), "external-services", "providers", "commands"];
/** Sections from which targets are made; nothing is taken from the others. */
const TAKEN = [
  "external-services",
  "compute-targets",
  "xt-services",
  "dockers",
  "setups",
  "boxes",
  "azure-batch-images",
];

export const xt: WholeFile = { dialect: "xt", found, read };

function found([root]: readonly Node[]): string | undefined {
  if (root === undefined) return undefined;
  const has = (section: string): boolean => find(root, [section]) !== undefined;
  return OWN.find(has) ?? (TOGETHER.every(has) ? TOGETHER.join(" and ") : undefined);
}

function read(documents: readonly Node[], reading: Reading): { readonly targets: TargetDraft[] } {
  const [first, ...more] = documents;
  if (more.length > 0)
    refuse(reading, { path: "---" }, `separates ${documents.length} documents, and an XT config is one`);
  const root = first === undefined ? undefined : mapping(reading, first, { path: "", line: first.line ?? 1 });
  if (root === undefined) return { targets: [] };
  reading.issues.push(...strayTags(root).map(quiet));
  for (const [name, { value, line }] of root.entries) section(reading, name, value, { path: name, line });
  const own = registered(reading, root);
  const config = { root, services: servicesOf(reading, root, own) };
  const targets = targetsOf(reading, config);
  defaultTarget(reading, config);
  left(reading, root, own);
  return { targets };
}

/** Of a service, what looks like a tag may be a password that begins with an exclamation mark. */
const quiet = (issue: Issue): Issue =>
  issue.path.startsWith("external-services.")
    ? { ...issue, message: "has a tag, or text that begins with !", suggestion: "put it in quotes" }
    : issue;

function section(reading: Reading, name: string, value: Node, at: Place): void {
  if (!SECTIONS.includes(name)) {
    refuse(reading, at, "is not a section of an XT config", similar(name, SECTIONS));
    return;
  }
  if (isNull(value)) return;
  if (name === "commands") check(reading, value, at, "texts");
  const shape = Object.hasOwn(sections, name) ? sections[name] : undefined;
  const map = shape === undefined ? undefined : mapping(reading, value, at);
  if (map !== undefined && shape !== undefined) checkMap(reading, map, at, shape);
  if (Object.hasOwn(named, name)) things(reading, name, value, at);
}

function things(reading: Reading, section: string, value: Node, at: Place): void {
  const shape = named[section];
  for (const [name, entry] of mapping(reading, value, at)?.entries ?? []) {
    const place = { path: join(at.path, name), line: entry.line };
    const map = mapping(reading, entry.value, place);
    if (map !== undefined && shape !== undefined) checkMap(reading, map, place, shape);
  }
}

/** Says what of the file is not taken over. */
function left(reading: Reading, root: Mapping, own: readonly string[]): void {
  const others = [...root.entries.keys()].filter(
    name => SECTIONS.includes(name) && ![...TAKEN, "providers"].includes(name),
  );
  if (others.length > 0) reading.warnings.push(`${others.join(", ")}: are settings of XT's own, and are left out`);
  for (const name of own)
    reading.warnings.push(
      `${join("providers.compute", name)}: Muster runs no Python class; this control plane must have a provider '${name}'`,
    );
  const boxes = find(root, ["boxes"]);
  for (const [name, { value, line }] of boxes?.kind === "map" ? boxes.entries : []) {
    const address = find(value, ["address"]);
    const isHere = address?.kind === "scalar" && ["localhost", "127.0.0.1"].includes(address.text);
    if (!isHere)
      defer(reading, { path: join("boxes", name), line }, "a host of your own; name a provider that makes them");
  }
}
