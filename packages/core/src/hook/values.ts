/**
 * What a task is told of the event that launched it: variables, never text in a script. What others write stands in them as
 * it is, so a script puts them in quotes: "$MUSTER_COMMENT".
 */
import type { Delivery } from "./delivery.ts";
import type { Facts } from "./facts.ts";
import { cloneOf } from "./forge.ts";
import type { Hook } from "./hook.ts";

/** Bytes of one value: Linux takes 128 KiB for a variable with its name, and a task 32,768 characters. */
export const MOST_BYTES = 32_000;

export function valuesOf(hook: Hook, delivery: Pick<Delivery, "id">, facts: Facts): Record<string, string> {
  const values: Readonly<Record<string, string | undefined>> = {
    MUSTER_HOOK: hook.name,
    MUSTER_DELIVERY: delivery.id,
    MUSTER_EVENT: facts.event,
    MUSTER_EVENT_ACTION: facts.action,
    MUSTER_EVENT_URL: facts.url,
    MUSTER_EVENT_TITLE: facts.title,
    MUSTER_EVENT_BODY: facts.body,
    MUSTER_GIT_REPOSITORY: facts.repository,
    MUSTER_GIT_URL: cloneOf(hook, facts),
    MUSTER_GIT_SHA: facts.sha,
    MUSTER_GIT_BEFORE: facts.before,
    MUSTER_GIT_REF: facts.ref,
    MUSTER_GIT_BRANCH: facts.branch,
    MUSTER_GIT_TAG: facts.tag,
    MUSTER_PULL: facts.pull?.toString(),
    MUSTER_SENDER: facts.sender,
    MUSTER_LABELS: facts.labels?.join("\n"),
    MUSTER_COMMENT: facts.comment,
  };
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [[name, fitting(value)]])),
  );
}

/** As an environment can hold it: no zero bytes, no half characters, and no more than that. */
export function fitting(text: string): string {
  const whole = text.replaceAll("\0", "").toWellFormed();
  const bytes = new TextEncoder().encode(whole);
  if (bytes.length <= MOST_BYTES) return whole;
  let end = MOST_BYTES;
  // Not within a character: its later bytes begin with 10.
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new TextDecoder().decode(bytes.subarray(0, end));
}
