/** Secrets as the one text under which every store keeps them. */
import * as z from "zod";
import { MusterError } from "../error.ts";
import type { Values } from "../ports/secrets.ts";

/**
 * Bytes of the text at most: what an advanced parameter of AWS's Parameter Store takes. The same everywhere, so that what
 * works on one machine works deployed.
 */
export const MOST_BYTES = 8192;

/** Parameter Store refuses values that hold `{{`, which is how documents name a parameter; JSON can say it otherwise. */
const write = (values: Values): string => JSON.stringify(values).replaceAll("{{", "{\\u007b");

export const sizeOf = (values: Values): number => new TextEncoder().encode(write(values)).length;

/** What is wrong with so many bytes; undefined when they fit. */
export function tooLarge(values: Values): string | undefined {
  const size = sizeOf(values);
  if (size <= MOST_BYTES) return undefined;
  return `the secrets have ${size} bytes with their names, ${MOST_BYTES} at most: let the job fetch large ones itself`;
}

/** @throws MusterError `invalid_request` when they are too large together. */
export function textOf(values: Values): string {
  const wrong = tooLarge(values);
  if (wrong !== undefined)
    throw new MusterError("invalid_request", wrong, { issues: [{ path: "task.secrets", message: wrong }] });
  return write(values);
}

const Kept = z.record(z.string(), z.string());

/** @throws MusterError `internal` for a text that is not ours; it says nothing of what the text holds. */
export function valuesOf(text: string): Values {
  try {
    return Kept.parse(JSON.parse(text));
  } catch {
    throw new MusterError("internal", "kept secrets are not as they were written");
  }
}
