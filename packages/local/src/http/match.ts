/** Which route a request means, as API Gateway decides it: segment by segment, a literal before a parameter. */
import { MusterError } from "@muster/core/error.ts";

export interface Matched {
  /** The route's method and template. */
  readonly routeKey: string;
  /** Percent-decoded. */
  readonly pathParameters: Readonly<Record<string, string>>;
}

interface Template {
  readonly path: string;
  readonly segments: readonly string[];
  readonly methods: Set<string>;
}

/** Makes the function that finds a request's route. @throws MusterError `not_found`, `invalid_request` for bad encoding. */
export function matcher(
  routes: Iterable<{ readonly method: string; readonly path: string }>,
): (method: string, path: string) => Matched {
  const byLength = compile(routes);
  return (method, path) => {
    const segments = path.split("/");
    const found = (byLength.get(segments.length) ?? []).filter(template => fits(template, segments));
    const template = found.find(({ methods }) => methods.has(method));
    if (template === undefined) throw missing(method, path, found);
    return { routeKey: `${method} ${template.path}`, pathParameters: parameters(template, segments) };
  };
}

function compile(routes: Iterable<{ readonly method: string; readonly path: string }>): Map<number, Template[]> {
  const templates = new Map<string, Template>();
  for (const { method, path } of routes) {
    const template = templates.get(path) ?? { path, segments: path.split("/"), methods: new Set() };
    template.methods.add(method);
    templates.set(path, template);
  }
  const exact = [...templates.values()].sort((a, b) => names(a) - names(b));
  return Map.groupBy(exact, template => template.segments.length);
}

const isName = (segment: string): boolean => segment.startsWith("{");
const names = (template: Template): number => template.segments.filter(isName).length;

const fits = (template: Template, segments: readonly string[]): boolean =>
  template.segments.every((segment, at) => (isName(segment) ? segments[at] !== "" : segment === segments[at]));

function parameters(template: Template, segments: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {};
  template.segments.forEach((segment, at) => {
    if (isName(segment)) values[segment.slice(1, -1)] = decode(segment.slice(1, -1), segments[at] ?? "");
  });
  return values;
}

function decode(name: string, segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (error) {
    const issues = [{ path: `params.${name}`, message: "is not percent-encoded UTF-8" }];
    throw new MusterError("invalid_request", "the path is not percent-encoded UTF-8", { issues }, error);
  }
}

function missing(method: string, path: string, found: readonly Template[]): MusterError {
  const methods = [...new Set(found.flatMap(template => [...template.methods]))];
  if (methods.length === 0)
    return new MusterError("not_found", "there is nothing at this path", {
      hint: path.startsWith("/v1/") ? "GET /v1/health tells which version answers" : "every path begins with /v1/",
    });
  return new MusterError("not_found", `${method} does not go with this path`, {
    hint: `this path takes ${methods.sort().join(", ")}`,
  });
}
