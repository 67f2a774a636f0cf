/** Files of issuers: YAML or JSON, an issuer in each document. */
import { MusterError } from "@muster/core/error.ts";
import { Name } from "@muster/core/task/task.ts";
import { parse } from "@muster/task/yaml/parse.ts";
import type { Node } from "@muster/task/yaml/tree.ts";
import { load } from "./task-text.ts";

export interface Named {
  readonly name: string;
  /** What the control plane is told, which judges it. */
  readonly change: Readonly<Record<string, unknown>>;
}

/** @throws MusterError `invalid_request` for what is no such file */
export async function readIssuers(cwd: string, file: string): Promise<Named[]> {
  const { documents } = parse(await load(cwd, file), file);
  if (documents.length === 0) throw new MusterError("invalid_request", `${file} is empty`, { hint: HINT });
  return documents.map(({ root, duplicates }, at) => {
    const [twice] = duplicates;
    if (twice !== undefined)
      throw new MusterError("invalid_request", `${file} has a key twice: ${JSON.stringify(twice)}`);
    return namedOf(plain(root), documents.length === 1 ? file : `${file}, document ${at + 1}`);
  });
}

const HINT = "it has name, url, rules and more: see docs/sign-in.md";

function namedOf(value: unknown, where: string): Named {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new MusterError("invalid_request", `${where} is no issuer`, { hint: HINT });
  const { name, ...change } = value as Readonly<Record<string, unknown>>;
  const read = Name.safeParse(name);
  if (read.success) return { name: read.data, change };
  const issues = [{ path: "name", message: read.error.issues[0]?.message ?? "is no name" }];
  throw new MusterError("invalid_request", `${where} has no name that could be an issuer's`, { issues });
}

/** What it says, without where it says so. */
function plain(node: Node): unknown {
  if (node.kind === "scalar") return node.value;
  if (node.kind === "list") return node.items.map(plain);
  return Object.fromEntries([...node.entries].map(([key, { value }]) => [key, plain(value)]));
}
