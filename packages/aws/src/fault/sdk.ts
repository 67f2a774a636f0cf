/** Errors of the SDK's clients as faults: of EC2's, for which alone the SDK is used. */
import { kindOf } from "./ec2.ts";
import { Fault } from "./fault.ts";
import type { Kind } from "./types.ts";

/** What the SDK puts on its errors, each of it sometimes. */
interface SdkError extends Error {
  readonly code?: unknown;
  readonly Code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly $response?: { readonly statusCode?: number };
}

/** The connection did not come about: nothing was sent. */
const UNSENT = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH", "ENETUNREACH"]);
/** Limits on time, and ends that we made ourselves. */
const GIVEN_UP = new Set(["TimeoutError", "AbortError", "RequestTimeoutError"]);

/**
 * The fault that this error is.
 * @param service for the name of a permission that is missing
 * @throws the error itself, when it is no failure of a call but a mistake in a program
 */
export function faultOf(error: unknown, operation: string, service = "ec2"): Fault {
  if (error instanceof Fault) return error;
  if (!(error instanceof Error)) throw error;
  const found = answered(error) ?? unanswered(error);
  if (found === undefined) throw error;
  return new Fault({ ...found, message: error.message, operation, service }, error);
}

interface Found {
  readonly code: string;
  readonly status: number;
  readonly kind: Kind;
}

function answered(error: SdkError): Found | undefined {
  const status = error.$metadata?.httpStatusCode ?? error.$response?.statusCode;
  if (status === undefined) return undefined;
  // What could not be read has no code but the name of the parser's error.
  if (error instanceof SyntaxError || error.name === "Error" || status < 300)
    return { code: "UnreadableAnswer", status, kind: status >= 400 && status < 500 ? "refused" : "unknown" };
  const code = typeof error.Code === "string" ? error.Code : error.name;
  return { code, status, kind: kindOf({ code, body: {} }, status) };
}

function unanswered(error: SdkError): Found | undefined {
  if (error.name === "CredentialsProviderError") return { code: error.name, status: 0, kind: "refused" };
  const code = [error.code, error.name].find(name => UNSENT.has(name as string));
  if (typeof code === "string") return { code, status: 0, kind: "throttled" };
  // Node's errors of the network have a code in capitals, such as ECONNRESET; so have its complaints about arguments.
  if (typeof error.code === "string" && /^(?!ERR_INVALID)[A-Z][A-Z0-9_]+$/.test(error.code))
    return { code: error.code, status: 0, kind: "unknown" };
  return GIVEN_UP.has(error.name) ? { code: error.name, status: 0, kind: "unknown" } : undefined;
}
