/** What a request brings, read against its route's schemas: everything that is wrong with it is told at once. */
import { type Issue, MusterError } from "@muster/core/error.ts";
import * as z from "zod";
import { type HttpEvent, MAX_BODY } from "./http.ts";
import type { Route } from "./route.ts";
import { parseJson } from "./serve-json.ts";

export interface Input {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** The most that is told of one request, so that an answer stays far smaller than what it answers. */
const MOST_ISSUES = 100;
const LONGEST_PATH = 200;

/**
 * The body as text; empty when there is none.
 * @throws MusterError `too_large`, or `invalid_request` for bytes that are no UTF-8.
 */
export function bodyText(event: HttpEvent): string {
  const { body } = event;
  if (body === undefined || body === "") return "";
  const bytes = event.isBase64Encoded ? Buffer.from(body, "base64") : undefined;
  if ((bytes?.length ?? Buffer.byteLength(body)) > MAX_BODY) throw tooLarge();
  return bytes === undefined ? body : decode(bytes);
}

/** A request whose body nobody has read. */
export interface Raw {
  readonly headers: HttpEvent["headers"];
  readonly body: Uint8Array;
}

export const rawOf = ({ headers, body = "", isBase64Encoded }: HttpEvent): Raw => ({
  headers,
  body: Buffer.from(body, isBase64Encoded ? "base64" : "utf8"),
});

/** The refusal of a body that exceeds the limit. */
export const tooLarge = (most = MAX_BODY): MusterError =>
  new MusterError("too_large", `the body is larger than ${most} bytes`, {
    maxBytes: most,
    hint: "send files as uploads, and name them in the request",
  });

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (error) {
    throw invalid([{ path: "body", message: "is not UTF-8" }], error);
  }
}

/** Makes the function that reads a route's requests. @throws MusterError `invalid_request` with all issues. */
export function reader(route: Route): (event: HttpEvent, text: string) => Input {
  // A filter that is misspelled must not pass as one that was not given.
  const query = (route.query ?? z.object({})).strict();
  return (event, text) => {
    const given = readQuery(event.rawQueryString);
    const sent = route.body === undefined ? undefined : readBody(event.headers, text);
    const results = {
      params: route.params?.safeParse(event.pathParameters ?? {}),
      query: query.safeParse(given.values),
      body: route.body?.safeParse(sent),
    };
    const wrong = Object.entries(results).flatMap(([part, result]) =>
      result?.error ? result.error.issues.flatMap(issue => told(issue, [part])) : [],
    );
    const issues = [...given.issues, ...wrong];
    if (issues.length > 0) throw invalid(issues);
    return { params: results.params?.data ?? {}, query: results.query.data, body: results.body?.data };
  };
}

function readQuery(raw: string): { readonly values: unknown; readonly issues: readonly Issue[] } {
  const values = new Map<string, string>();
  const twice = new Set<string>();
  for (const [key, value] of new URLSearchParams(raw)) {
    if (values.has(key)) twice.add(key);
    values.set(key, value);
  }
  const issues = [...twice].map(key => ({ path: pathOf(["query", key]), message: "is given more than once" }));
  return { values: Object.fromEntries(values), issues };
}

function readBody(headers: HttpEvent["headers"], text: string): unknown {
  if (text === "") return undefined;
  // Browsers send other types across origins without asking first; JSON they do not.
  if (!/^application\/json *(; *charset="?utf-8"? *)?$/i.test(headers["content-type"] ?? ""))
    throw invalid([{ path: "headers.content-type", message: "expected application/json in UTF-8" }]);
  if ((headers["content-encoding"] ?? "identity") !== "identity")
    throw invalid([{ path: "headers.content-encoding", message: "send the body as it is, not compressed" }]);
  return parseJson(text);
}

/** A failure that tells its first issue in its message, and the first hundred in its details. */
export function invalid(issues: readonly Issue[], cause?: unknown): MusterError {
  const [first] = issues;
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  const untold = issues.length > MOST_ISSUES && { untold: issues.length - MOST_ISSUES };
  const message = `the request is not valid: ${first?.path}: ${first?.message}${more}`;
  return new MusterError("invalid_request", message, { issues: issues.slice(0, MOST_ISSUES), ...untold }, cause);
}

type Path = readonly PropertyKey[];

/** Zod's issue in the system's own form: at the very place, and in the words of the form that was meant. */
function told(issue: z.core.$ZodIssue, above: Path): Issue[] {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map(key => ({ path: pathOf([...path, key]), message: "is not a key that belongs here" }));
  if (issue.code === "invalid_union") {
    const meant = branch(issue);
    return meant?.flatMap(inner => told(inner, path)) ?? [{ path: pathOf(path), message: choices(issue) }];
  }
  if (issue.code === "invalid_key") return issue.issues.map(inner => ({ path: pathOf(path), message: inner.message }));
  return [{ path: pathOf(path), message: issue.message }];
}

/** Of a union's forms, the one that the value resembles; undefined when it is none or several. */
function branch(issue: z.core.$ZodIssueInvalidUnion): readonly z.core.$ZodIssue[] | undefined {
  const alike = issue.errors.filter(form => !form.some(isOfAnotherKind));
  return alike.length === 1 ? alike[0] : undefined;
}

/** What each form of a union expected, in one sentence. */
function choices(issue: z.core.$ZodIssueInvalidUnion): string {
  const forms = issue.errors.flatMap(form => form[0]?.message.replace(/^Invalid input: /, "") ?? []);
  return forms.length === 0 ? issue.message : `Invalid input: ${[...new Set(forms)].join(", or ")}`;
}

const isOfAnotherKind = (issue: z.core.$ZodIssue): boolean =>
  issue.path.length === 0 && (issue.code === "invalid_type" || issue.code === "invalid_value");

const pathOf = (path: Path): string => path.map(String).join(".").slice(0, LONGEST_PATH);
