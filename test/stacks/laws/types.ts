/** What the provider's types say that a resource can take: the list that no option may miss. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { platform } from "../harness/platform.ts";

const provider = join(platform, "node_modules/@pulumi");
const inputs = new Map<string, string>();

/** Body of an interface of a declaration file, which ends where a brace stands as far in as it began. */
const body = (text: string, name: string): string =>
  new RegExp(`^( *)(?:export )?interface ${name} \\{([\\s\\S]*?)^\\1\\}`, "m").exec(text)?.[2] ?? "";

const fields = (text: string): readonly (readonly [string, string])[] =>
  [...text.matchAll(/^\s+(\w+)\??: (.*)$/gm)].map(([, name = "", type = ""]) => [name, type]);

const read = (path: string): string => {
  const known = inputs.get(path);
  if (known !== undefined) return known;
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  inputs.set(path, text);
  return text;
};

/** @throws Error for a resource whose types are not where they were: a law that finds nothing would hold by accident. */
function argumentsOf(type: string): readonly (readonly [string, string])[] {
  const [, name = "", file = "", Name = ""] = /^(\w+):(.*):(\w+)$/.exec(type) ?? [];
  const found = fields(body(read(join(provider, name, `${file.replace(/^index\//, "")}.d.ts`)), `${Name}Args`));
  if (found.length === 0) throw new Error(`the provider says nothing about ${type}`);
  return found;
}

export const takes = (type: string, argument: string): boolean =>
  type.startsWith("aws:") && argumentsOf(type).some(([name]) => name === argument);

const nested = (type: string): string => {
  const [, module = "", name = ""] = /inputs\.(\w+)\.(\w+)/.exec(type) ?? [];
  if (name === "") return "";
  const all = read(join(provider, "aws/types/input.d.ts"));
  const start = all.indexOf(`export declare namespace ${module} {`);
  const text = body(all.slice(start), name);
  // Encryption by default stands one level further down.
  return (
    text + [...text.matchAll(/inputs\.\w+\.(\w+)/g)].map(([, inner = ""]) => body(all.slice(start), inner)).join("")
  );
};

const kms = new Map<string, readonly string[]>();

/** Names of the arguments by which a type is given a key. */
export function kmsArguments(type: string): readonly string[] {
  const known = kms.get(type);
  if (known !== undefined) return known;
  const found = argumentsOf(type)
    .filter(([name, described]) => /kms/i.test(name) || /\bkms\w*\??:/i.test(nested(described)))
    .map(([name]) => name);
  kms.set(type, found);
  return found;
}
