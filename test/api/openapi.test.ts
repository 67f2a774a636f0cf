/**
 * Ran against: the generated document, and the committed one. Its schemas are compiled and tried by ajv, which is not
 * ours; its structure is checked by rules written here, from OpenAPI 3.1's text.
 */
import { readFileSync } from "node:fs";
import { openapi, openapiText } from "@muster/api/openapi.ts";
import { COMMON_ERRORS, isKeyed } from "@muster/api/route.ts";
import { entries, routes } from "@muster/api/routes.ts";
import { errors } from "@muster/core/error.ts";
import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { cluster } from "./support.ts";

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: unknown;
  readonly $ref?: string;
}
interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required: boolean; readonly content: Record<string, { readonly schema: unknown }> };
  readonly responses: Readonly<
    Record<
      string,
      { readonly description?: string; readonly $ref?: string; readonly content: Record<string, { schema: object }> }
    >
  >;
}

const document = JSON.parse(openapiText());
const operations = Object.entries(document.paths as Record<string, Record<string, Operation>>).flatMap(
  ([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
);
const operationOf = (id: string) =>
  operations.find(({ operation }) => operation.operationId === id)?.operation as Operation;
const resolve = (reference: string): unknown =>
  reference
    .replace(/^#\//, "")
    .split("/")
    .reduce((at, key) => at?.[key], document);

test("the committed document is fresh: `npm run openapi` makes it so", () => {
  const committed = readFileSync(new URL("../../packages/api/openapi.json", import.meta.url), "utf8");
  expect(committed === openapiText()).toBe(true);
});

test("it says what OpenAPI 3.1 asks of every document", () => {
  expect(document.openapi).toMatch(/^3\.1\.\d$/);
  expect(document.info).toMatchObject({ title: expect.any(String), version: expect.any(String) });
  for (const { path, method, operation } of operations) {
    expect(path).toMatch(/^\/v1\//);
    expect(["get", "post", "put", "patch", "delete"]).toContain(method);
    expect(Object.keys(operation.responses).every(status => /^[1-5]\d\d$/.test(status))).toBe(true);
    const responses = Object.values(operation.responses).map(one =>
      one.$ref ? (resolve(one.$ref) as typeof one) : one,
    );
    for (const response of responses) expect(response.description).toEqual(expect.stringMatching(/./));
    const inPath = (operation.parameters ?? []).filter(parameter => parameter.in === "path");
    expect(inPath.map(parameter => parameter.name)).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(match => match[1]));
    expect(inPath.every(parameter => parameter.required)).toBe(true);
    for (const scheme of operation.security.flatMap(Object.keys))
      expect(document.components.securitySchemes).toHaveProperty(scheme);
  }
  for (const name of Object.keys(Object.assign({}, ...(Object.values(document.components) as object[]))))
    expect(name).toMatch(/^[a-zA-Z0-9._-]+$/);
});

test("every route is in it, with its statuses, its auth and its key; and nothing else is", () => {
  expect(operations.map(({ operation }) => operation.operationId).sort()).toEqual(entries.map(([id]) => id).sort());
  for (const [id, route] of entries) {
    const { operation, path, method } = operations.find(
      one => one.operation.operationId === id,
    ) as (typeof operations)[0];
    expect([method.toUpperCase(), path]).toEqual([route.method, route.path]);
    expect(operation).toMatchObject({ summary: route.summary, tags: [id.split(".")[0]] });
    const statuses = [route.status, ...[...COMMON_ERRORS, ...route.errors].map(code => errors[code].status)];
    expect(Object.keys(operation.responses).sort()).toEqual([...new Set(statuses.map(String))].sort());
    expect(operation.security).toEqual(route.auth === "none" ? [] : [{ [route.auth]: [] }]);
    const references = (operation.parameters ?? []).map(parameter => parameter.$ref);
    expect(references.includes("#/components/parameters/IdempotencyKey")).toBe(isKeyed(route));
    expect(operation.requestBody !== undefined).toBe(route.body !== undefined);
    expect(
      (operation.parameters ?? []).filter(parameter => parameter.in === "query").map(parameter => parameter.name),
    ).toEqual(Object.keys(route.query?.shape ?? {}));
  }
});

test("every reference leads somewhere, and every component is used", () => {
  const text = JSON.stringify(document);
  const references = new Set([...text.matchAll(/"\$ref":"([^"]+)"/g)].map(match => match[1] ?? ""));
  for (const reference of references) expect([reference, typeof resolve(reference)]).toEqual([reference, "object"]);
  for (const kind of ["schemas", "responses", "parameters", "headers"])
    for (const name of Object.keys(document.components[kind]))
      expect([name, references.has(`#/components/${kind}/${name}`)]).toEqual([name, true]);
  expect(text).not.toMatch(/"\$schema"|"\$id"|"\$defs"|9007199254740991/);
});

function validator() {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  ajv.addSchema({ $id: "muster", ...document });
  return (pointer: string) => ajv.compile({ $ref: `muster#${pointer}` });
}
const pointerTo = (path: string, rest: string) => `/paths/${encodeURIComponent(path.replaceAll("/", "~1"))}/${rest}`;

test("every schema of every route compiles", () => {
  const compile = validator();
  for (const { path, method, operation } of operations) {
    const ok = Object.keys(operation.responses).find(status => status.startsWith("2"));
    compile(pointerTo(path, `${method}/responses/${ok}/content/application~1json/schema`));
    if (operation.requestBody) compile(pointerTo(path, `${method}/requestBody/content/application~1json/schema`));
    (operation.parameters ?? []).forEach((parameter, at) => {
      if (!parameter.$ref) compile(pointerTo(path, `${method}/parameters/${at}/schema`));
    });
  }
});

test("what is sent may leave defaults out; what is read may hold more than is said here", () => {
  const compile = validator();
  const launch = compile("/components/schemas/LaunchCreate");
  expect(launch({ task: { run: "true" } })).toBe(true);
  expect(launch({ task: { run: "true", nodes: 0 } })).toBe(false);
  expect(launch({ task: {}, typo: 1 })).toBe(false);
  expect(launch({ task: {}, idle: { after: 5, action: "stop" }, cluster: "-a" })).toBe(false);
  const one = compile("/components/schemas/Cluster");
  expect(one(cluster)).toBe(true);
  expect(one({ ...cluster, later: 1 })).toBe(true);
  expect(one({ ...cluster, state: "gone" })).toBe(false);
  const failure = compile("/components/schemas/Error");
  expect(failure({ code: "busy", message: "", details: {} })).toBe(true);
  expect(failure({ code: "other", message: "", details: {} })).toBe(false);
});

test("a query's types are those that are read, and none with a default is required", () => {
  expect(operationOf("clusters.list").parameters).toMatchObject([
    { name: "cursor", required: false, schema: { type: "string" } },
    { name: "limit", required: false, schema: { type: "integer", minimum: 1, maximum: 100, default: 100 } },
    { name: "all", required: false, schema: { type: "boolean", default: false } },
  ]);
});

test("shared nouns are references, not copies", () => {
  expect(operationOf("clusters.get").responses[200]?.content["application/json"]?.schema).toEqual({
    $ref: "#/components/schemas/Cluster",
  });
  expect(document.components.schemas.Launch.properties.cluster).toEqual({ $ref: "#/components/schemas/Cluster" });
  expect(JSON.stringify(openapi())).toBe(JSON.stringify(openapi()));
  expect(Object.keys(routes)).toHaveLength(operations.length);
});
