/** What senders say that are no forges: Standard Webhooks, and whatever else signs what it sends. */
import * as z from "zod";
import { type Facts, short } from "./facts.ts";

const Body = z.object({ type: z.string().optional(), event: z.string().optional() });

/** Bytes of a body that are handed to the task as they came: as much as one variable may hold. */
export const MOST_BODY = 32_000;

/** @param body as text; undefined where it is none, or too long to be handed on */
export function factsOf(json: unknown, body: string | undefined): Facts {
  const said = Body.safeParse(json).data ?? {};
  const event = short(said.type ?? said.event ?? "message", 200) || "message";
  return { event, sender: "nobody", ...(body !== undefined && { body }) };
}
