/** Every place of a request where an id may stand, found in the document that the route table makes. */
import { PLAIN, PLAIN_IN, REFERS, type Referring } from "./decisions.ts";
import { nounOf } from "./furnish.ts";
import { type Operation, operations, resolved, type Schema } from "./spec.ts";

export interface Position {
  readonly operation: Operation;
  readonly in: "path" | "query" | "body";
  /** The parameter's name, or where the field stands in the body. */
  readonly at: readonly string[];
  readonly refers: Referring;
}

interface Leaf {
  readonly at: readonly string[];
  /** What it is called, and what of. */
  readonly name: string;
  readonly owner: string;
}

/** The texts of a schema, without those of which all values are told. Lists are `0`, maps `*`. */
export function leavesOf(given: Schema, at: readonly string[] = [], seen: readonly string[] = []): Leaf[] {
  const { $ref } = given;
  if ($ref !== undefined && seen.includes($ref)) return [];
  const schema = resolved(given);
  const known = $ref === undefined ? seen : [...seen, $ref];
  const inner = partsOf(schema).flatMap(([step, part]) =>
    leavesOf(part, step === undefined ? at : [...at, step], known),
  );
  const isText = schema.type === "string" && schema.enum === undefined && schema.const === undefined;
  if (inner.length > 0 || !isText) return inner;
  const words = at.filter(step => step !== "0" && step !== "*");
  return [{ at, name: words.at(-1) ?? "", owner: words.at(-2) ?? "" }];
}

/** What a schema is made of, and where that stands in it. */
function partsOf(schema: Schema): (readonly [step: string | undefined, part: Schema])[] {
  const { anyOf = [], oneOf = [], allOf = [], items, additionalProperties: more } = schema;
  return [
    ...[...anyOf, ...oneOf, ...allOf].map(form => [undefined, form] as const),
    ...Object.entries(schema.properties ?? {}),
    ...(items ? [["0", items] as const] : []),
    ...(typeof more === "object" ? [["*", more] as const] : []),
  ];
}

/** What was decided of a text; `undefined`: nothing. */
export function decisionOf({ name, owner }: Pick<Leaf, "name" | "owner">): Referring | "plain" | undefined {
  const full = `${owner}.${name}`;
  if (PLAIN_IN.has(full)) return "plain";
  return REFERS[full] ?? REFERS[name] ?? (PLAIN.has(name) ? "plain" : undefined);
}

function positionsOf(operation: Operation): { readonly found: Position[]; readonly open: string[] } {
  const found: Position[] = [];
  const open: string[] = [];
  for (const { name } of operation.path) {
    const noun = nounOf(operation.id, name);
    if (noun === undefined) open.push(`${operation.id} path ${name}`);
    else found.push({ operation, in: "path", at: [name], refers: { noun, value: "?" } });
  }
  const query = operation.query.flatMap(({ name, schema }) => leavesOf(schema, [name]));
  const body = operation.body ? leavesOf(operation.body) : [];
  for (const [place, leaf] of [
    ...query.map(one => ["query", one] as const),
    ...body.map(one => ["body", one] as const),
  ]) {
    const decision = decisionOf(leaf);
    if (decision === undefined) open.push(`${operation.id} ${place} ${leaf.at.join(".")}`);
    else if (decision !== "plain") found.push({ operation, in: place, at: leaf.at, refers: decision });
  }
  return { found, open };
}

const all = operations.map(positionsOf);

export const positions: readonly Position[] = all.flatMap(({ found }) => found);

/** Places of which nobody has decided whether an id stands there. */
export const undecided: readonly string[] = all.flatMap(({ open }) => open);

/** The body with this in it: `value` where its field stands, `?` in it being the id. */
export function withId(body: object, { at, refers }: Pick<Position, "at" | "refers">, id: string): object {
  const place = at.slice(0, at.length - (refers.up ?? 0));
  const value: unknown = JSON.parse(JSON.stringify(refers.value).replaceAll("?", id));
  return put(shelled(body, at), place, value) as object;
}

/** What must stand beside a field in its list. */
const SHELLS: Readonly<Record<string, unknown>> = {
  groups: [{ name: "main", nodes: 1 }],
  attempts: [{ jobId: "job_0", fence: 1 }],
};

/** Settings are of a task that is read from the repository. */
const FILED = [{ events: ["push"], file: "task.yaml" }];

function shelled(body: object, at: readonly string[]): object {
  if (at.includes("settings")) return put(body, at.slice(0, at.indexOf("rules") + 1), FILED) as object;
  const step = at.findIndex(name => name in SHELLS);
  return step < 0 ? body : (put(body, at.slice(0, step + 1), SHELLS[at[step] ?? ""]) as object);
}

function put(into: unknown, [step, ...rest]: readonly string[], value: unknown): unknown {
  if (step === undefined) return value;
  if (step === "0")
    return Array.isArray(into) && into.length > 0
      ? [put(into[0], rest, value), ...into.slice(1)]
      : [put(undefined, rest, value)];
  const key = step === "*" ? "home" : step;
  const held = typeof into === "object" && into !== null ? (into as Record<string, unknown>) : {};
  return { ...held, [key]: put(held[key], rest, value) };
}
