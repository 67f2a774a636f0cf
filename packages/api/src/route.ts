/** Routes as plain data. `serve`, `client` and `openapi` read the table; API Gateway's route keys are its methods and paths. */
import type { Role } from "@muster/core/actor/actor.ts";
import type { ErrorCode } from "@muster/core/error.ts";
import type * as z from "zod";

/** `user`: a token; `host`: a host's token; `iam`: AWS credentials, checked by the gateway; `none`: whoever reaches the endpoint. */
export type Auth = "user" | "host" | "iam" | "none";

/** Who may call a route of users: written down for each, so that none is without a decision. */
interface ForUsers {
  readonly auth: "user";
  /** The least role that may. */
  readonly role: Role;
  /**
   * Of what somebody owns. `owner`: they may, and admins; `shared`: they may, and with them everybody with the role once
   * they have shared it, admins not otherwise. Absent: everybody with the role, whoever made it.
   */
  readonly whose?: "owner" | "shared";
}

interface ForOthers {
  readonly auth: Exclude<Auth, "user">;
  readonly role?: never;
  readonly whose?: never;
}

export type Route = (ForUsers | ForOthers) & Common;

interface Common {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** API Gateway's spelling: `/v1/clusters/{cluster}`. */
  readonly path: string;
  readonly summary: string;
  readonly status: 200 | 201 | 202;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodType;
  /** The most bytes of a body that its verb is handed as it came, unread; absent: a body is JSON. */
  readonly raw?: number;
  readonly output: z.ZodType;
  /** The failures that this route may answer, beside those of every route. */
  readonly errors: readonly ErrorCode[];
}

/** Failures that any route may answer. */
export const COMMON_ERRORS = [
  "invalid_request",
  "unauthenticated",
  "forbidden",
  "too_large",
  "too_many",
  "busy",
  "unavailable",
  "internal",
] as const;

/** Whether the route honours `Idempotency-Key`: user routes that change something, which therefore can be told a mismatch. */
export const isKeyed = (route: Route): boolean =>
  route.auth === "user" && route.method !== "GET" && route.errors.includes("idempotency_mismatch");

type PathParams<P extends string> = P extends `${string}{${infer Name}}${infer Rest}` ? Name | PathParams<Rest> : never;
type NeedsParams<R extends Route> = [PathParams<R["path"]>] extends [never]
  ? unknown
  : { params: z.ZodObject<Record<PathParams<R["path"]>, z.ZodType>> };

/** Checks at compile time that every `{name}` of the path has a schema. */
export const route = <const R extends Route>(definition: R & NeedsParams<R>): R => definition;

export type ParamsOf<R extends Route> = R["params"] extends z.ZodType ? z.output<R["params"]> : Record<never, never>;
export type QueryOf<R extends Route> = R["query"] extends z.ZodType ? z.output<R["query"]> : Record<never, never>;
export type BodyOf<R extends Route> = R["body"] extends z.ZodType ? z.output<R["body"]> : undefined;
export type OutputOf<R extends Route> = z.output<R["output"]>;

/** What a caller sends: defaults may be left out. */
export type InputOf<R extends Route> = (R["params"] extends z.ZodType
  ? { readonly params: z.input<R["params"]> }
  : unknown) &
  (R["query"] extends z.ZodType ? { readonly query?: z.input<R["query"]> } : unknown) &
  (R["body"] extends z.ZodType ? { readonly body: z.input<R["body"]> } : unknown);
