/** Environment variables and secrets: from the file, with what the command line gives put over them. */
import type { Draft } from "./draft.ts";
import { mapping, mistyped, type Place, type Reading, refuse } from "./reading.ts";
import type { Given } from "./result.ts";
import * as Stored from "./stored.ts";
import { spell } from "./yaml/scalar.ts";
import { find, isNull, join, type Node, type Scalar } from "./yaml/tree.ts";

type Kind = "envs" | "secrets";

const SECRET = /(?:^|_)(?:API)?(?:TOKEN|KEY|SECRETS?|CREDENTIALS?)(?:_|$)|PASSWORD|PASSWD/i;

/** `<your token>`, `your_key`, `YOUR-TOKEN-HERE`, `xxxx`, `changeme`, `...`: what stands in a file until there is a value. */
const PLACEHOLDER = /^(?:<.*>|your[_-].*|x{3,}|change[_-]?me|\.{3,}|…)$/is;

/** A name that says of itself that its value is nobody's business: `HF_TOKEN`, `WANDB_API_KEY`, but not `MAX_TOKENS`. */
export const isSecretName = (name: string): boolean => SECRET.test(name);

/** Names that a job is told by Muster, whatever the file says. */
const OVERRULED: ReadonlySet<string> = new Set(["MASTER_ADDR", "MASTER_PORT", "CUDA_VISIBLE_DEVICES"]);

/** Reads `envs` or `secrets`. A variable without a value is noted as missing. */
export function variables(kind: Kind, given: Given) {
  return (reading: Reading, node: Node, at: Place, out: Draft): undefined => {
    if (kind === "secrets" && node.kind === "list") return Stored.list(reading, node.items, at, given, out);
    if (node.kind === "list")
      return mistyped(reading, node, at, "a map", "write each as NAME: value, such as MODEL: llama");
    const map = mapping(reading, node, at);
    for (const [name, entry] of map?.entries ?? []) {
      const place = { path: join(at.path, name), line: entry.line ?? at.line };
      variable(reading, { kind, name, node: entry.value, at: place }, given, out);
    }
  };
}

interface Variable {
  readonly kind: Kind;
  readonly name: string;
  readonly node: Node;
  readonly at: Place;
}

function variable(reading: Reading, one: Variable, given: Given, out: Draft): void {
  const { name, node, at } = one;
  const isGiven = Object.hasOwn(given, name);
  // What a caller gives as a token is nobody else's to see, wherever the file has its name and whatever it says there.
  const kind = one.kind === "envs" && isGiven && isSecretName(name) ? "secrets" : one.kind;
  if (!Stored.take(reading, kind, name, at)) return;
  if (isGiven) out.task[kind][name] = given[name] ?? "";
  else if (isNull(node) || isPlaceholder(name, node)) out.missing.push({ name, kind, at });
  else if (kind === "secrets" && Stored.isReference(node)) Stored.reference(reading, name, node.text, at, out);
  else write(reading, one, out);
}

/** Whether the value of a secret is there to be replaced. An empty one is none: models that are public need no token. */
const isPlaceholder = (name: string, node: Node): boolean =>
  node.kind === "scalar" && isSecretName(name) && PLACEHOLDER.test(node.text.trim());

function write(reading: Reading, { kind, name, node, at }: Variable, out: Draft): undefined {
  if (node.kind !== "scalar") return mistyped(reading, node, at, "one value");
  const spelled = spell(node, reading.dialect === "oumi");
  if (spelled !== node.text) reading.warnings.push(respelled(node, spelled, at));
  if (OVERRULED.has(name)) reading.warnings.push(`${at.path}: Muster sets ${name} itself, over what is said here`);
  if (kind === "envs" && spelled !== "" && isSecretName(name)) reading.warnings.push(inClear(name, at));
  out.task[kind][name] = spelled;
}

const inClear = (name: string, at: Place): string =>
  `${name}${lineOf(at)}: its value stands in clear in the file and in the task; keep it with \`muster secrets set ${name}\` and write it under secrets`;

const lineOf = ({ line }: Place): string => (line === undefined ? "" : ` (line ${line})`);

/** Of a secret, the warning tells neither the text nor what becomes of it. */
function respelled(node: Scalar, spelled: string, at: Place): string {
  const line = lineOf(at);
  const name = at.path.slice(at.path.indexOf(".") + 1);
  if (at.path.startsWith("secrets.") || isSecretName(name))
    return `${at.path}${line}: without quotes is read as a number or boolean`;
  return `${at.path}${line}: ${node.text} without quotes is given to the script as "${spelled}"`;
}

/** Adds what was given and the file does not declare: as a secret, when its name says so. */
export function addGiven(reading: Reading, given: Given, root: Node, out: Draft): void {
  const declared = new Set(["envs", "env", "secrets", "managed_secrets"].flatMap(key => namesIn(find(root, [key]))));
  for (const [name, value] of Object.entries(given)) {
    const kind = isSecretName(name) ? "secrets" : "envs";
    const at = { path: `${kind}.${name}` };
    if (name === "__proto__") refuse(reading, at, "is not a name that may be used");
    else if (!declared.has(name) && Stored.take(reading, kind, name, at)) give(reading, kind, name, value, out);
  }
}

function namesIn(node: Node | undefined): string[] {
  if (node?.kind === "map") return [...node.entries.keys()];
  return node?.kind === "list" ? node.items.flatMap(Stored.nameOf) : [];
}

function give(reading: Reading, kind: Kind, name: string, value: string, out: Draft): void {
  out.task[kind][name] = value;
  if (kind === "secrets") reading.warnings.push(`${name}: is kept as a secret, as its name says`);
}
