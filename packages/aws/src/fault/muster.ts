/** Failures of AWS in the system's own words. */
import { type ErrorCode, MusterError } from "@muster/core/error.ts";
import { type Meaning, type MeaningOf, meaningOf } from "./codes.ts";
import type { Fault } from "./fault.ts";
import type { Context, Kind } from "./types.ts";

/** What AWS says may be long, and is kept in records. */
const SAID_CHARACTERS = 300;

/**
 * What to tell whoever asked: `busy` when certainly nothing was done and it may go later, `unavailable` when nobody
 * knows, `no_capacity` and `quota_exceeded` when another machine type or place may do, and otherwise `launch_failed` in a
 * launch. `details` has AWS's code and operation, and a hint with the next step.
 */
export function toMusterError(fault: Fault, context: Context = {}, meaning: MeaningOf = meaningOf): MusterError {
  const { code, operation, service, kind } = fault;
  const about = { ...context, operation, service, said: shortened(fault.said) };
  const found = meaning(code, fault.said) ?? OTHERWISE[kind];
  const words = (text: Meaning["says"]) => (typeof text === "string" ? text : text(about));
  const error = kind === "throttled" ? "busy" : errorOf(found, context);
  return new MusterError(error, words(found.says), { hint: words(found.hint), aws: { code, operation } }, fault);
}

function errorOf({ error }: Meaning, { during }: Context): ErrorCode {
  if (error !== "denied" && error !== "bad") return error;
  if (during === "launch") return "launch_failed";
  return error === "denied" ? "unavailable" : "internal";
}

/** Of codes that are not in the table. */
const OTHERWISE: Readonly<Record<Kind, Meaning>> = {
  throttled: {
    kind: "throttled",
    error: "busy",
    says: ({ operation }) => `AWS could not take ${operation} for now`,
    hint: "try again in a moment",
  },
  refused: {
    kind: "refused",
    error: "bad",
    says: ({ operation, said }) => `AWS refuses ${operation}: ${said}`,
    hint: "change what was asked for, or the deployment",
  },
  unknown: {
    kind: "unknown",
    error: "unavailable",
    says: ({ operation }) => `AWS failed to answer ${operation}`,
    hint: "try again in a moment",
  },
};

const shortened = (said: string): string =>
  said.length > SAID_CHARACTERS ? `${said.slice(0, SAID_CHARACTERS - 1)}…` : said;
