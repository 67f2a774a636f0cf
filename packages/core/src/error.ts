/** Every failure that leaves the system: its code decides HTTP status, whether to try again, and the CLI's exit code. */
import type * as z from "zod";

export const errors = {
  invalid_request: { status: 400, retry: false, exit: 120 },
  unauthenticated: { status: 401, retry: false, exit: 121 },
  forbidden: { status: 403, retry: false, exit: 121 },
  not_found: { status: 404, retry: false, exit: 122 },
  conflict: { status: 409, retry: false, exit: 123 },
  cluster_busy: { status: 409, retry: false, exit: 123 },
  name_taken: { status: 409, retry: false, exit: 123 },
  idempotency_mismatch: { status: 409, retry: false, exit: 123 },
  logs_incomplete: { status: 409, retry: true, exit: 125 },
  too_large: { status: 413, retry: false, exit: 120 },
  too_many: { status: 429, retry: true, exit: 125 },
  unsupported: { status: 422, retry: false, exit: 120 },
  no_offer: { status: 422, retry: false, exit: 124 },
  no_capacity: { status: 503, retry: true, exit: 124 },
  quota_exceeded: { status: 422, retry: false, exit: 124 },
  frozen: { status: 409, retry: false, exit: 123 },
  over_budget: { status: 422, retry: false, exit: 124 },
  launch_failed: { status: 502, retry: false, exit: 124 },
  busy: { status: 503, retry: true, exit: 125 },
  unavailable: { status: 503, retry: true, exit: 125 },
  internal: { status: 500, retry: false, exit: 125 },
} as const;

export type ErrorCode = keyof typeof errors;

/** One thing that is wrong with a request, and where. */
export interface Issue {
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string;
}

export interface Details {
  readonly issues?: readonly Issue[];
  /** What to do next, as a sentence or a command. */
  readonly hint?: string;
  readonly [key: string]: unknown;
}

/** A failure that its reader may see. `name` is the code, so that a state machine can match it. */
export class MusterError extends Error {
  readonly code: ErrorCode;
  readonly details: Details;

  constructor(code: ErrorCode, message: string, details: Details = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = code;
    this.code = code;
    this.details = details;
  }
}

export const isCode = (value: unknown): value is ErrorCode => typeof value === "string" && Object.hasOwn(errors, value);

/** Whether the same call may succeed later. */
export const isRetryable = (error: unknown): boolean => error instanceof MusterError && errors[error.code].retry;

/** Zod's issues in the system's own form, all of them. */
export function issuesOf(error: z.ZodError, prefix = ""): Issue[] {
  return error.issues.map(issue => ({
    path: [prefix, ...issue.path.map(String)].filter(part => part !== "").join("."),
    message: issue.message,
  }));
}
