/** HTTP as API Gateway's HTTP APIs speak it to functions (payload format 2.0), cut down to what is read here. */
import type { Details, ErrorCode, MusterError } from "@muster/core/error.ts";
import { errors } from "@muster/core/error.ts";

export interface HttpEvent {
  /** Method and path template, such as `GET /v1/clusters/{cluster}`. */
  readonly routeKey: string;
  readonly rawPath: string;
  /** Without the `?`; empty when there is none. */
  readonly rawQueryString: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Percent-decoded once, by whoever made the event, as API Gateway does. */
  readonly pathParameters?: Readonly<Record<string, string | undefined>> | undefined;
  readonly body?: string | undefined;
  readonly isBase64Encoded: boolean;
  readonly requestContext: {
    readonly requestId?: string;
    /** `sourceIp`: who the gateway was called by; absent where there is none between. */
    readonly http: { readonly method: string; readonly sourceIp?: string };
    /** Who signed the request, where the gateway checked that. */
    readonly authorizer?: { readonly iam?: { readonly userArn: string; readonly accountId: string } };
  };
}

export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What a failure looks like on the wire. */
export interface ErrorBody {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Details;
}

/** Largest body that an API route takes, in bytes; what is larger goes up as a blob. */
export const MAX_BODY = 1_048_576;

const HEADERS = {
  "content-type": "application/json",
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
} as const;

/** A JSON answer. */
export const answer = (
  statusCode: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer => ({ statusCode, headers: { ...HEADERS, ...headers }, body: JSON.stringify(value) });

/** The answer that tells a failure. */
export function refusal({ code, message, details }: MusterError): HttpAnswer {
  const row = errors[code];
  const body: ErrorBody = { code, message, details };
  return answer(row.status, body, {
    ...(row.retry && { "retry-after": String(details.retryAfter ?? 1) }),
    ...(code === "unauthenticated" && { "www-authenticate": "Bearer" }),
  });
}
