/** What the table's failures mean to its callers. */
import { type ErrorCode, MusterError } from "@muster/core/error.ts";
import { Fault } from "../fault.ts";

/** The word with which DynamoDB says that an item or a transaction is too big. */
const SIZE = /size/i;

/**
 * @param doubt whether an earlier request of the same call may have been applied: then "nothing was written" is no
 * longer known, whatever the last one met.
 */
export function troubleOf(error: unknown, doubt = false): unknown {
  if (!(error instanceof Fault)) return error;
  if (error.kind === "refused" && !doubt) return refusalOf(error);
  if (error.kind === "throttled" && !doubt)
    return new MusterError("busy", "the table takes no more requests now", { hint: "try again" }, error);
  return new MusterError("unavailable", "the table did not answer", { hint: "look before you try again" }, error);
}

function refusalOf(fault: Fault): MusterError {
  const { code, message, hint } = explain(fault);
  return new MusterError(code, message, hint === undefined ? {} : { hint }, fault);
}

function explain(fault: Fault): { code: ErrorCode; message: string; hint?: string } {
  const { code, operation } = fault;
  const said = [fault.message, ...reasonsOf(fault).map(reason => reason.Message)].join(" ");
  if ((code === "ValidationException" || code === "TransactionCanceledException") && SIZE.test(said))
    return { code: "too_large", message: "this is more than the table takes at once" };
  if (code === "AccessDeniedException")
    return { code: "unavailable", message: "the table refuses us", hint: `its role lacks dynamodb:${operation}` };
  if (code === "ResourceNotFoundException")
    return { code: "unavailable", message: "there is no such table, or no such index", hint: "deploy again" };
  return { code: "internal", message: `the table refused ${operation}: ${code}` };
}

export interface Reason {
  readonly Code?: unknown;
  readonly Message?: unknown;
  readonly Item?: unknown;
}

/** Why a transaction was cancelled: one reason for each of its items, in their order. */
export function reasonsOf(error: unknown): readonly Reason[] {
  if (!(error instanceof Fault && error.code === "TransactionCanceledException")) return [];
  const { CancellationReasons: reasons } = error.body;
  return Array.isArray(reasons) ? reasons.map((reason: Reason | null) => reason ?? {}) : [];
}
