/** Delivering anew: what is named, or all that are dead. */
import { MusterError } from "@muster/core/error.ts";
import type { Cli } from "../cli.ts";
import { all, EVERY } from "../pages.ts";
import type { Delivery } from "./shown.ts";

export async function replay(
  { out, connect }: Cli,
  webhook: string,
  ids: readonly string[],
  dead: boolean,
): Promise<void> {
  if (dead === ids.length > 0)
    throw new MusterError("invalid_request", "name deliveries, or say --dead", {
      hint: `see what there is with: muster webhooks deliveries ${webhook}`,
    });
  const client = await connect();
  const found = dead
    ? await all(
        cursor =>
          client.webhooks.deliveries({ params: { webhook }, query: { outcome: "dead", ...(cursor && { cursor }) } }),
        EVERY,
      )
    : ids.map(id => ({ id }));
  const done: Delivery[] = [];
  for (const { id } of found) {
    done.push(await client.webhooks.replay({ params: { webhook, delivery: id } }));
    out.print(`Delivered anew: ${id}.`);
  }
  out.data(done);
  if (found.length === 0) out.print("There are none.");
}
