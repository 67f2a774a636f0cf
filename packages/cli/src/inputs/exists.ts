/** What the control plane has already. */
import type { Client } from "@muster/api/client.ts";
import { type Info, type Item, MOST_ITEMS } from "@muster/core/upload/upload.ts";

/** Asks for each of these, in as few calls as may be. */
export async function ask(
  client: Pick<Client, "uploads">,
  items: readonly Item[],
  signal?: AbortSignal,
): Promise<Info[]> {
  const answers: Info[] = [];
  for (let at = 0; at < items.length; at += MOST_ITEMS) {
    const body = { items: items.slice(at, at + MOST_ITEMS) };
    answers.push(...(await client.uploads.create({ body }, signal && { signal })).items);
  }
  return answers;
}
