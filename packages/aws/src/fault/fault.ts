/** A call to AWS that failed. */
import { type MeaningOf, meaningOf } from "./codes.ts";
import type { Facts, Kind, Problem } from "./types.ts";

export class Fault extends Error {
  readonly code: string;
  readonly service: string;
  readonly operation: string;
  readonly status: number;
  readonly kind: Kind;
  readonly body: Readonly<Record<string, unknown>>;
  /** AWS's own words. */
  readonly said: string;

  constructor(facts: Facts, cause?: unknown) {
    super(`${facts.operation}: ${facts.code}: ${facts.message}`, cause === undefined ? undefined : { cause });
    this.name = "Fault";
    this.code = facts.code;
    this.service = facts.service ?? "";
    this.operation = facts.operation;
    this.status = facts.status;
    this.kind = facts.kind;
    this.body = facts.body ?? {};
    this.said = facts.message;
  }
}

/** Why DynamoDB may cancel a transaction that would do later. */
const PASSING = new Set(["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]);

/** What a failure that was answered means: by its code where that is known. */
export function kindOf(
  { code, body }: Pick<Problem, "code" | "body">,
  status: number,
  meaning: MeaningOf = meaningOf,
): Kind {
  if (isPassing(body.CancellationReasons)) return "throttled";
  const known = meaning(code)?.kind;
  if (known !== undefined) return known;
  if (status === 429) return "throttled";
  return status >= 500 && status !== 501 ? "unknown" : "refused";
}

function isPassing(reasons: unknown): boolean {
  if (!Array.isArray(reasons)) return false;
  const codes = reasons
    .map((reason: { Code?: string } | null) => reason?.Code ?? "None")
    .filter(code => code !== "None");
  return codes.length > 0 && codes.every(code => PASSING.has(code));
}
