/** Faults on the wire: what can happen to one call between a client and AWS. */

import { AwsError } from "./edge-errors.ts";
import type { Call } from "./edge-identify.ts";

interface Aim {
  /** `service.Operation`, or `service.*`. */
  readonly on: string;
  /** How many calls it hits; 1 when absent. `Infinity` for all. */
  readonly times?: number;
  /** How many calls it lets pass first; 0 when absent. */
  readonly skip?: number;
  /** Hits only calls whose body this accepts. */
  readonly match?: (body: string) => boolean;
}

/**
 * - `throttle`: refused with the service's own throttling code, or `code`; nothing is applied.
 * - `error`: refused with `code` and `status` (400 when absent); `fields` go into a JSON answer. Nothing is applied.
 * - `http500`, `http503`: refused with the service's usual code of that status; nothing is applied.
 * - `reset`: the connection breaks before the call is applied; `reset-after-apply`: after it, so the answer is lost.
 * - `timeout`, `timeout-after-apply`: the same, but the connection stays open and silent.
 * - `duplicate`: applied twice, one after the other; the answer is the first one's.
 * - `delay`: applied after `ms`.
 * - `truncate`: applied, and the connection breaks in the middle of the answer.
 */
export type Fault = Aim &
  (
    | { readonly kind: "throttle"; readonly code?: string }
    | {
        readonly kind: "error";
        readonly code: string;
        readonly status?: number;
        readonly message?: string;
        readonly fields?: Readonly<Record<string, unknown>>;
      }
    | { readonly kind: "http500" | "http503"; readonly code?: string }
    | { readonly kind: "reset" | "reset-after-apply" | "timeout" | "timeout-after-apply" | "duplicate" | "truncate" }
    | { readonly kind: "delay"; readonly ms: number }
  );

export interface Faults {
  add(faults: readonly Fault[]): void;
  clear(): void;
  /** The fault that hits this call, counted off. */
  take(call: Call, body: string): Fault | undefined;
}

export function createFaults(): Faults {
  let waiting: { readonly fault: Fault; skip: number; times: number }[] = [];
  return {
    add(faults) {
      waiting.push(...faults.map(fault => ({ fault, skip: fault.skip ?? 0, times: fault.times ?? 1 })));
    },
    clear() {
      waiting = [];
    },
    take(call, body) {
      const entry = waiting.find(({ fault, times }) => times > 0 && aimsAt(fault, call, body));
      if (entry === undefined) return undefined;
      if (entry.skip > 0) {
        entry.skip--;
        return undefined;
      }
      entry.times--;
      return entry.fault;
    },
  };
}

const aimsAt = (fault: Fault, { service, operation }: Call, body: string): boolean =>
  (fault.on === `${service}.${operation}` || fault.on === `${service}.*`) && (fault.match?.(body) ?? true);

/** As the services' references name them. */
const THROTTLES: Readonly<Record<string, AwsError>> = {
  dynamodb: new AwsError("ProvisionedThroughputExceededException", "the rate is exceeded (injected)"),
  ec2: new AwsError("RequestLimitExceeded", "Request limit exceeded. (injected)", 503),
  lambda: new AwsError("TooManyRequestsException", "Rate exceeded (injected)", 429),
  s3: new AwsError("SlowDown", "Please reduce your request rate. (injected)", 503),
};
const THROTTLE = new AwsError("ThrottlingException", "Rate exceeded (injected)");

/** The error with which a fault refuses its call before anything is applied; undefined for other kinds of faults. */
export function refusalOf(fault: Fault | undefined, { service }: Call): AwsError | undefined {
  if (fault?.kind === "throttle") {
    const usual = THROTTLES[service] ?? THROTTLE;
    return fault.code === undefined ? usual : new AwsError(fault.code, usual.message, usual.status);
  }
  if (fault?.kind === "error")
    return new AwsError(fault.code, fault.message ?? "refused (injected)", fault.status, fault.fields);
  if (fault?.kind === "http500")
    return new AwsError(fault.code ?? internal(service), "something went wrong (injected)", 500);
  if (fault?.kind === "http503")
    return new AwsError(fault.code ?? "ServiceUnavailable", "try again later (injected)", 503);
  return undefined;
}

const internal = (service: string): string =>
  ({ dynamodb: "InternalServerError", ssm: "InternalServerError", s3: "InternalError", ec2: "InternalError" })[
    service
  ] ?? "InternalFailure";
