/** The route table as an OpenAPI 3.1 document, whose dialect of JSON Schema is the one that zod writes. */
import { type ErrorCode, errors } from "@muster/core/error.ts";
import type * as z from "zod";
import { type Generated, generate, type JsonSchema } from "./openapi-schemas.ts";
import { COMMON_ERRORS, isKeyed, type Route } from "./route.ts";
import { entries } from "./routes.ts";

interface Document {
  readonly openapi: "3.1.0";
  readonly info: Readonly<Record<string, unknown>>;
  readonly servers: readonly JsonSchema[];
  readonly tags: readonly { readonly name: string }[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, JsonSchema>>>>;
}

/** Longest line of the committed text. */
const WIDTH = 120;

/** The document as it is committed: as the house's formatter would leave it, so that both agree on what is fresh. */
export const openapiText = (): string =>
  `${JSON.stringify(openapi(), null, 2).replace(/^(.*)\[\n((?: +"[^"\n]*",?\n)+) +\](,?)$/gm, onOneLine)}\n`;

function onOneLine(whole: string, before: string, words: string, after: string): string {
  const line = `${before}[${words.trim().replace(/,\n +/g, ", ")}]${after}`;
  return line.length > WIDTH ? whole : line;
}

/** One description of each part of each route: sent and read forms differ where there are defaults. */
interface Parts {
  readonly sent: Generated;
  readonly read: Generated;
}

/** The document; the same table gives the same text. */
export function openapi(): Document {
  const parts = { sent: generate("input", collect(sentParts)), read: generate("output", collect(readParts)) };
  const paths: Record<string, Record<string, JsonSchema>> = {};
  for (const [id, route] of entries) {
    const operations = paths[route.path] ?? {};
    paths[route.path] = operations;
    operations[route.method.toLowerCase()] = operation(id, route, parts);
  }
  return {
    openapi: "3.1.0",
    info: {
      title: "Muster",
      version: "1",
      summary: "Clusters and jobs, without a server",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "/", description: "The control plane's endpoint" }],
    tags: [...new Set(entries.map(([id]) => nounOf(id)))].map(name => ({ name })),
    paths: sorted(paths),
    components: {
      schemas: sorted({ ...merged(parts), Error: errorSchema }),
      responses: sorted(failureResponses()),
      parameters: { IdempotencyKey: idempotencyKey },
      headers: { IdempotencyReplayed: idempotencyReplayed },
      securitySchemes,
    },
  };
}

const nounOf = (id: string): string => id.split(".")[0] ?? id;

type Part = readonly [name: "params" | "query" | "body" | "output", schema: z.ZodType | undefined];
const sentParts = (route: Route): Part[] => [
  ["params", route.params],
  ["query", route.query],
  ["body", route.body],
];
const readParts = (route: Route): Part[] => [
  ["params", route.params],
  ["query", route.query],
  ["output", route.output],
];

function collect(partsOf: (route: Route) => Part[]): Record<string, z.ZodType> {
  const all = entries.flatMap(([id, route]) =>
    partsOf(route).flatMap(([name, schema]) => (schema ? [[`${id}.${name}`, schema] as const] : [])),
  );
  return Object.fromEntries(all);
}

/** @throws Error when one name would stand for two schemas. */
function merged({ sent, read }: Parts): Record<string, JsonSchema> {
  for (const [name, schema] of Object.entries(sent.components)) {
    const other = read.components[name];
    if (other && JSON.stringify(other) !== JSON.stringify(schema))
      throw new Error(`${name} differs between what is sent and what is read: give one of them another name`);
  }
  return { ...sent.components, ...read.components };
}

function operation(id: string, route: Route, { sent, read }: Parts): JsonSchema {
  const parameters = [
    ...parametersIn("path", sent.schemas[`${id}.params`], read.schemas[`${id}.params`]),
    ...parametersIn("query", sent.schemas[`${id}.query`], read.schemas[`${id}.query`]),
    ...(isKeyed(route) ? [{ $ref: "#/components/parameters/IdempotencyKey" }] : []),
  ];
  const body = sent.schemas[`${id}.body`];
  return {
    operationId: id,
    summary: route.summary,
    tags: [nounOf(id)],
    security: route.auth === "none" ? [] : [{ [route.auth]: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: json(body) } }),
    responses: { [route.status]: success(route, read.schemas[`${id}.output`] ?? {}), ...failures(route) },
  };
}

/** Types as they are read (`limit` is an integer), required as they are sent (one with a default is not). */
function parametersIn(place: "path" | "query", sent: JsonSchema | undefined, read: JsonSchema | undefined) {
  const required = Array.isArray(sent?.required) ? sent.required : [];
  return Object.entries(read?.properties ?? {}).map(([name, property]) => {
    const { description, ...schema } = property as JsonSchema;
    return {
      name,
      in: place,
      required: place === "path" || required.includes(name),
      ...(description !== undefined && { description }),
      schema,
    };
  });
}

const json = (schema: JsonSchema) => ({ "application/json": { schema } });

const success = (route: Route, schema: JsonSchema): JsonSchema => ({
  description: route.status === 202 ? "Accepted: the noun in its new state" : "Done",
  ...(isKeyed(route) && { headers: { "idempotency-replayed": { $ref: "#/components/headers/IdempotencyReplayed" } } }),
  content: json(schema),
});

/** One response per status, which names the codes that may come with it. */
const failures = (route: Route): Record<string, JsonSchema> =>
  Object.fromEntries(
    codesByStatus(route).map(([status, codes]) => [status, { $ref: `#/components/responses/${nameOf(codes)}` }]),
  );

function codesByStatus(route: Route): [status: string, codes: ErrorCode[]][] {
  const codes = new Set<ErrorCode>([...COMMON_ERRORS, ...route.errors]);
  // In the order of the table, so that the same codes have one name wherever a route lists them.
  const known = (Object.keys(errors) as ErrorCode[]).filter(code => codes.has(code));
  return Object.entries(Object.groupBy(known, code => String(errors[code].status))).map(([status, some = []]) => [
    status,
    some,
  ]);
}

const nameOf = (codes: readonly ErrorCode[]): string => codes.join("_or_");

const failureResponses = (): Record<string, JsonSchema> =>
  Object.fromEntries(
    entries
      .flatMap(([, route]) => codesByStatus(route))
      .map(([, codes]) => [
        nameOf(codes),
        { description: codes.join(", or "), content: json({ $ref: "#/components/schemas/Error" }) },
      ]),
  );

const errorSchema: JsonSchema = {
  type: "object",
  description: "Every failure, whatever its status",
  properties: {
    code: { type: "string", enum: Object.keys(errors) },
    message: { type: "string", description: "For people" },
    details: {
      type: "object",
      properties: {
        issues: {
          type: "array",
          description: "What is wrong with the request, and where",
          items: {
            type: "object",
            properties: {
              path: { type: "string", examples: ["body.task.nodes"] },
              message: { type: "string" },
              suggestion: { type: "string" },
            },
            required: ["path", "message"],
          },
        },
        hint: { type: "string", description: "What to do next" },
      },
    },
  },
  required: ["code", "message", "details"],
};

const idempotencyKey: JsonSchema = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "Names the intent: the same request under the same key, within a day, happens once",
  schema: { type: "string", minLength: 1, maxLength: 255, pattern: "^[!-~]+$" },
};

const idempotencyReplayed: JsonSchema = {
  description: "Present when this answer was given before",
  schema: { type: "string", const: "true" },
};

const securitySchemes: Readonly<Record<string, JsonSchema>> = {
  user: { type: "http", scheme: "bearer", bearerFormat: "mst_…", description: "Token of a person or a program" },
  host: { type: "http", scheme: "bearer", bearerFormat: "msh_…", description: "Token of a cluster's host" },
  iam: {
    type: "apiKey",
    name: "Authorization",
    in: "header",
    description: "AWS Signature Version 4, for the service `execute-api`",
  },
};

const sorted = <T>(record: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
