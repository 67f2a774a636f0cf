/**
 * Requests made from what the document says of an operation: valid ones, ones with one thing wrong, and mere bytes. Where
 * a schema asks for somebody's id there is a mark, `<noun:7>`, which is replaced by one that stands in the world.
 */
import fc from "fast-check";
import { nounOf } from "./furnish.ts";
import { type Operation, resolved, type Schema } from "./spec.ts";

export interface Made {
  readonly kind: "valid" | "mutated" | "bytes";
  readonly params: Readonly<Record<string, string>>;
  readonly query: string;
  /** Undefined: no body. */
  readonly text: string | undefined;
  readonly bytes: boolean;
}

/** Fields of bodies and queries that name something. */
const REFERENCES: Readonly<Record<string, string>> = {
  cluster: "cluster",
  job: "job",
  jobId: "job",
  target: "target",
  pool: "pool",
  array: "job",
  jobGroup: "group",
  upload: "upload",
  storedSecrets: "secret",
  user: "user",
};

/** What a rule that no schema tells lets pass. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  provider: ["fake"],
  instanceType: ["small", "large"],
  cron: ["0 * * * *", "@daily"],
  timeZone: ["UTC", "Europe/Berlin"],
};

const mark = (noun: string): fc.Arbitrary<string> => fc.nat(50).map(at => `<${noun}:${at}>`);

const text = fc.string({ unit: "binary", maxLength: 24 });
/** The deeper, the seldomer: else nearly every request would break one of the rules that no schema tells. */
const seldom = <T>(made: fc.Arbitrary<T>, depth = 0): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 5 + 10 * depth, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: made });

const patterns = new Map<string, fc.Arbitrary<string>>();
/** A handful of texts by pattern: making one anew each time costs more than the request. */
function matching(pattern: string): fc.Arbitrary<string> {
  const known = patterns.get(pattern);
  if (known) return known;
  const made = fc.constantFrom(...fc.sample(fc.stringMatching(new RegExp(pattern), { size: "small" }), 60));
  patterns.set(pattern, made);
  return made;
}

/** Values by their schema. @param name of the field that holds it. */
export function valid(given: Schema, name = "", depth = 0): fc.Arbitrary<unknown> {
  const schema = resolved(given);
  if (depth > 7) return fc.constant(undefined);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms) return fc.oneof(...forms.map(form => valid(form, name, depth + 1)));
  if (schema.allOf) return valid(Object.assign({}, ...schema.allOf.map(resolved)), name, depth);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  return ofType(type, schema, name, depth);
}

function ofType(type: unknown, schema: Schema, name: string, depth: number): fc.Arbitrary<unknown> {
  if (type === "object") return objectOf(schema, depth);
  if (type === "array") return arrayOf(schema, name, depth);
  if (type === "string") return stringOf(schema, name);
  if (type === "boolean") return fc.boolean();
  if (type === "null") return fc.constant(null);
  if (type === "integer" || type === "number") return numberOf(type, schema);
  return fc.jsonValue({ maxDepth: 2 });
}

function numberOf(type: string, { minimum, maximum, exclusiveMinimum }: Schema): fc.Arbitrary<number> {
  const least = minimum ?? (exclusiveMinimum === undefined ? 0 : exclusiveMinimum + 1);
  const most = Math.max(least, Math.min(maximum ?? least + 1_000, least + 1_000_000));
  const small = fc.integer({ min: Math.ceil(least), max: Math.floor(Math.min(most, least + 5)) });
  const any = fc.integer({ min: Math.ceil(least), max: Math.floor(most) });
  const odd = fc.double({ min: least, max: most, noNaN: true });
  return type === "integer" ? fc.oneof(small, any) : fc.oneof(small, any, odd);
}

function stringOf({ pattern, minLength = 0, maxLength = 40 }: Schema, name: string): fc.Arbitrary<string> {
  const most = Math.max(minLength, Math.min(maxLength, 40));
  const own =
    pattern === undefined
      ? fc.oneof(
          fc.string({ minLength, maxLength: most }),
          fc.string({ unit: "grapheme", minLength, maxLength: Math.max(minLength, Math.min(most, 12)) }),
        )
      : matching(pattern);
  const examples = EXAMPLES[name];
  if (examples) return fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...examples) }, { weight: 1, arbitrary: own });
  const noun = REFERENCES[name];
  return noun === undefined ? own : fc.oneof({ weight: 3, arbitrary: mark(noun) }, { weight: 1, arbitrary: own });
}

function arrayOf(schema: Schema, name: string, depth: number): fc.Arbitrary<unknown> {
  const { items = {}, minItems = 0, maxItems = 3 } = schema;
  return fc.array(valid(items, name, depth + 1), {
    minLength: minItems,
    maxLength: Math.max(minItems, Math.min(maxItems, 3)),
  });
}

function objectOf(schema: Schema, depth: number): fc.Arbitrary<unknown> {
  const { properties = {}, required = [], additionalProperties: more, propertyNames } = schema;
  if (Object.keys(properties).length === 0)
    return fc.dictionary(
      propertyNames ? (valid(propertyNames) as fc.Arbitrary<string>) : fc.string({ maxLength: 10 }),
      typeof more === "object" ? valid(more, "", depth + 1) : fc.string({ maxLength: 10 }),
      { maxKeys: 3 },
    );
  const shape = Object.entries(properties).map(([key, inner]) => {
    const made = valid(inner, key, depth + 1);
    return [key, required.includes(key) ? made : seldom(made, depth)] as const;
  });
  return fc.record(Object.fromEntries(shape));
}

const queryText = (values: Readonly<Record<string, unknown>>): string =>
  Object.entries(values)
    .flatMap(([key, value]) =>
      value === undefined ? [] : [`${encodeURIComponent(key)}=${encodeURIComponent(textOf(value))}`],
    )
    .join("&");
const textOf = (value: unknown): string => wordOf(value).toWellFormed();
function wordOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(wordOf).join(",");
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

interface Parts {
  readonly params: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}

function partsOf(operation: Operation): fc.Arbitrary<Parts> {
  const path = operation.path.map(({ name, schema }) => {
    const noun = nounOf(operation.id, name);
    const own = valid(schema) as fc.Arbitrary<string>;
    const made =
      noun === undefined ? own : fc.oneof({ weight: 6, arbitrary: mark(noun) }, { weight: 1, arbitrary: own });
    return [name, made] as const;
  });
  const query = operation.query.map(({ name, schema, required }) => {
    const made = name === "cursor" ? fc.oneof(mark("cursor"), valid(schema, name)) : valid(schema, name);
    return [name, required ? made : seldom(made)] as const;
  });
  return fc.record({
    params: fc.record(Object.fromEntries(path)),
    query: fc.record(Object.fromEntries(query)),
    body: operation.body ? valid(operation.body) : fc.constant(undefined),
  });
}

const junk = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    -1,
    0,
    1e300,
    2 ** 53,
    0.1,
    "",
    " ",
    "\u0000",
    "../..",
    "%2e%2e",
    "__proto__",
    [],
    {},
    true,
  ),
  fc.constantFrom<unknown>("x".repeat(5_000), "\u202eevil", "a'; DROP TABLE", "$" + "{7*7}", "{{ssm:x}}", [[[]]], {
    toString: 1,
  }),
  text,
  fc.jsonValue({ maxDepth: 2 }),
);

/** The value with one field changed, added or taken away, at any depth. */
function mutate(value: unknown, path: readonly number[], change: unknown): unknown {
  const [at = 0, ...rest] = path;
  if (typeof value !== "object" || value === null || path.length === 0) return change;
  const keys = Object.keys(value);
  const key = keys[at % (keys.length + 1)] ?? "added";
  const copy: Record<string, unknown> = { ...value };
  Object.defineProperty(copy, key, {
    value: mutate(copy[key], rest, change),
    enumerable: true,
    configurable: true,
    writable: true,
  });
  return Array.isArray(value) ? Object.values(copy) : copy;
}

const written = (kind: Made["kind"], { params, query, body }: Parts): Made => ({
  kind,
  params: Object.fromEntries(Object.entries(params).map(([name, value]) => [name, textOf(value)])),
  query: queryText(query),
  text: body === undefined ? undefined : (JSON.stringify(body) ?? undefined),
  bytes: false,
});

const places = fc.array(fc.nat(20), { minLength: 1, maxLength: 5 });

/** 30 in a hundred as the document wants it, 50 with one thing wrong, 20 anything at all. */
export function requests(operation: Operation): fc.Arbitrary<Made> {
  const good = partsOf(operation);
  const wrong = fc.tuple(good, fc.nat(2), places, junk).map(([parts, part, at, change]) => {
    const name = (["body", "query", "params"] as const)[operation.body && part !== 1 ? 0 : (part % 2) + 1] ?? "body";
    const inner = name === "body" ? mutate(parts.body, at, change) : mutate(parts[name], at.slice(0, 1), change);
    return written("mutated", { ...parts, [name]: inner as never });
  });
  const names = operation.path.map(({ name }) => [name, text] as const);
  const bytes = fc
    .record({ params: fc.record(Object.fromEntries(names)), query: text, body: fc.uint8Array({ maxLength: 200 }) })
    .map(({ params, query, body }): Made => {
      const sent = Buffer.from(body).toString("base64");
      return { kind: "bytes", params, query: query.toWellFormed(), text: sent, bytes: true };
    });
  return fc.oneof(
    { weight: 3, arbitrary: good.map(parts => written("valid", parts)) },
    { weight: 5, arbitrary: wrong },
    { weight: 2, arbitrary: bytes },
  );
}

/** Only valid ones. */
export const validRequests = (operation: Operation): fc.Arbitrary<Made> =>
  partsOf(operation).map(parts => written("valid", parts));
