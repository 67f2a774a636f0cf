/** Environment variables and secrets: from the file, with what the command line gives put over them. */
import type { Draft } from "./draft.ts";
import { claim, defer, mapping, mistyped, type Place, type Reading, refuse } from "./reading.ts";
import { spell } from "./yaml/scalar.ts";
import { find, join, type Node, type Scalar } from "./yaml/tree.ts";

type Kind = "envs" | "secrets";
/** From `-e NAME=value`. */
export type Given = Readonly<Record<string, string>>;

/** A name that says of itself that its value is nobody's business: `HF_TOKEN`, `WANDB_API_KEY`, but not `MAX_TOKENS`. */
export const isSecretName = (name: string): boolean =>
  /(?:^|_)(?:API)?(?:TOKEN|KEY|SECRET)(?:_|$)|PASSWORD/i.test(name);

/** Reads `envs` or `secrets`: a variable without a value must be given. */
export function variables(kind: Kind, given: Given) {
  return (reading: Reading, node: Node, at: Place, out: Draft): void => {
    if (kind === "secrets" && node.kind === "list") {
      defer(reading, at, "secrets that the control plane keeps, named in a task file");
      return;
    }
    const map = mapping(reading, node, at);
    for (const [name, entry] of map?.entries ?? []) {
      const place = { path: join(at.path, name), line: entry.line ?? at.line };
      if (take(reading, kind, name, place)) variable(reading, name, entry.value, place, given, out.task[kind]);
    }
  };
}

type Values = Record<string, string>;

function variable(reading: Reading, name: string, node: Node, at: Place, given: Given, out: Values): void {
  const value = Object.hasOwn(given, name) ? given[name] : writtenValue(reading, name, node, at);
  if (value !== undefined) out[name] = value;
}

/** A name is an environment variable or a secret, once. */
function take(reading: Reading, kind: Kind, name: string, at: Place): boolean {
  if (!claim(reading, `variable.${name}`, at)) return false;
  return claim(reading, `${kind}.${name}`, at);
}

function writtenValue(reading: Reading, name: string, node: Node, at: Place): string | undefined {
  if (node.kind !== "scalar") return mistyped(reading, node, at, "one value");
  if (node.value === null) return refuse(reading, at, `has no value: give it with -e ${name}=…`);
  const spelled = spell(node, reading.dialect === "oumi");
  if (spelled !== node.text) reading.warnings.push(respelled(node, spelled, at));
  return spelled;
}

/** Of a secret, the warning tells neither the text nor what becomes of it. */
function respelled(node: Scalar, spelled: string, at: Place): string {
  const line = at.line === undefined ? "" : ` (line ${at.line})`;
  const name = at.path.slice(at.path.indexOf(".") + 1);
  if (at.path.startsWith("secrets.") || isSecretName(name))
    return `${at.path}${line}: without quotes is read as a number or boolean`;
  return `${at.path}${line}: ${node.text} without quotes is given to the script as "${spelled}"`;
}

/** Adds what was given and the file does not declare: as a secret, when its name says so. */
export function addGiven(reading: Reading, given: Given, root: Node, out: Draft): void {
  const maps = ["envs", "env", "secrets"].map(key => find(root, [key]));
  const declared = new Set(maps.flatMap(map => (map?.kind === "map" ? [...map.entries.keys()] : [])));
  for (const [name, value] of Object.entries(given)) {
    const kind = isSecretName(name) ? "secrets" : "envs";
    const at = { path: `${kind}.${name}` };
    if (name === "__proto__") refuse(reading, at, "is not a name that may be used");
    else if (!declared.has(name) && take(reading, kind, name, at)) give(reading, kind, name, value, out);
  }
}

function give(reading: Reading, kind: Kind, name: string, value: string, out: Draft): void {
  out.task[kind][name] = value;
  if (kind === "secrets")
    reading.warnings.push(`${name}: is kept as a secret, as its name says; declare it under envs to have it in clear`);
}
