/** The document that is generated from the route table, as a judge of answers: compiled by ajv, which is not ours. */
import type { HttpAnswer } from "@muster/api/http.ts";
import { openapi } from "@muster/api/openapi.ts";
import { COMMON_ERRORS, type Route } from "@muster/api/route.ts";
import { entries } from "@muster/api/routes.ts";
import { type ErrorCode, errors, isCode } from "@muster/core/error.ts";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";

export interface Schema {
  readonly $ref?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: Schema;
  readonly additionalProperties?: Schema | boolean;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required: boolean;
  readonly schema: Schema;
  readonly $ref?: string;
}

export interface Operation {
  readonly id: string;
  readonly route: Route;
  readonly path: readonly Parameter[];
  readonly query: readonly Parameter[];
  readonly body: Schema | undefined;
  /** Failures that its route lists, and those of every route. */
  readonly codes: readonly ErrorCode[];
}

// biome-ignore lint/suspicious/noExplicitAny: the document is walked by pointers.
const document: any = JSON.parse(JSON.stringify(openapi()));

export const resolved = (schema: Schema): Schema => {
  if (schema.$ref === undefined) return schema;
  const found = schema.$ref
    .replace(/^#\//, "")
    .split("/")
    .reduce((at, key) => at?.[key], document);
  return resolved(found);
};

export const operations: readonly Operation[] = entries.map(([id, route]) => {
  const described = document.paths[route.path][route.method.toLowerCase()];
  const given: Parameter[] = (described.parameters ?? []).filter((one: Parameter) => one.$ref === undefined);
  return {
    id,
    route,
    path: given.filter(one => one.in === "path"),
    query: given.filter(one => one.in === "query"),
    body: described.requestBody?.content["application/json"]?.schema,
    codes: [...new Set<ErrorCode>([...COMMON_ERRORS, ...route.errors])],
  };
});

const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: "muster", ...document });
const compiled = new Map<string, ValidateFunction>();

const pointer = ({ route }: Operation, status: number): string =>
  `/paths/${encodeURIComponent(route.path.replaceAll("/", "~1"))}/${route.method.toLowerCase()}/responses/${status}`;

function validatorOf(operation: Operation, status: number): ValidateFunction {
  const isFailure = status >= 400;
  const at = isFailure ? "/components/schemas/Error" : `${pointer(operation, status)}/content/application~1json/schema`;
  const known = compiled.get(at);
  if (known) return known;
  const made = ajv.compile({ $ref: `muster#${at}` });
  compiled.set(at, made);
  return made;
}

/** What must never be in an answer: where code stands, and who AWS knows. The caller's own principal may. */
const LEAKS =
  /node_modules|\.[mc]?[tj]s:\d+|\n\s+at |\\n\s+at |\/packages\/|arn:aws(?!:[a-z]+::123456789012:user\/ada)/;

/** The code of a failure, or the status of a success; what coverage counts. */
export const outcomeOf = (answer: HttpAnswer): string =>
  answer.statusCode < 400 ? String(answer.statusCode) : String(JSON.parse(answer.body).code);

/**
 * What is wrong with an answer; undefined when nothing is.
 * @param hidden texts of others, which it must not hold.
 */
export function amiss(operation: Operation, answer: HttpAnswer, hidden: RegExp): string | undefined {
  const { statusCode, body, headers } = answer;
  const value = parsed(body);
  if (value === undefined) return `the body is no JSON: ${body.slice(0, 200)}`;
  const wrong = statusCode < 400 ? success(operation, statusCode) : failure(operation, statusCode, value);
  if (wrong) return `${wrong}: ${body.slice(0, 500)}`;
  const validate = validatorOf(operation, statusCode);
  if (!validate(value)) return `${ajv.errorsText(validate.errors)}: ${body.slice(0, 500)}`;
  const leak = LEAKS.exec(body) ?? hidden.exec(body);
  if (leak) return `it tells '${leak[0]}': ${body.slice(0, 500)}`;
  if (headers["content-type"] !== "application/json" || headers["cache-control"] !== "no-store")
    return "its headers are not those of an answer";
  return undefined;
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

const success = ({ route }: Operation, status: number): string | undefined =>
  status === route.status ? undefined : `the status ${status} is not documented`;

function failure({ codes }: Operation, status: number, value: unknown): string | undefined {
  const { code } = value as { code?: unknown };
  if (!isCode(code) || !codes.includes(code)) return `the code ${code} is not documented`;
  if (errors[code].status !== status) return `the status ${status} is not that of ${code}`;
  return status >= 500 ? `the status is ${status}` : undefined;
}
