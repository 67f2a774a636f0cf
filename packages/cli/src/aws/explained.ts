/** What API Gateway says of signatures, with what to do about it. */
import { MusterError } from "@muster/core/error.ts";

/** The same failure, in words of whoever signs. */
export function explained(error: unknown, endpoint: string): unknown {
  if (!(error instanceof MusterError)) return error;
  const hint = HINTS.find(([pattern]) => pattern.test(error.message))?.[1];
  if (hint === undefined || error.code !== "forbidden") return error;
  const message = `${endpoint} does not take these AWS credentials: ${error.message}`;
  return new MusterError(error.code, message, { ...error.details, hint }, error);
}

const HINTS = [
  [
    /Signature (expired|not yet)|token included in the request is expired/i,
    "the credentials have expired, or this machine's clock is wrong: muster doctor tells",
  ],
  [/scoped to a valid region/i, "give the region of the deployment: --region eu-central-1"],
  [
    /not authorized|explicit deny|^Forbidden$/i,
    "they need the permission execute-api:Invoke on this API, in its account",
  ],
  [/signature|security token|Missing Authentication/i, "check which they are: aws sts get-caller-identity"],
] as const;
