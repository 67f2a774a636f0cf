/** Trying a webhook out: one delivery, and what came of it. */
import { setTimeout as pause } from "node:timers/promises";
import { MusterError } from "@muster/core/error.ts";
import type { Cli } from "../cli.ts";

/** How long the answer is waited for, and how often it is looked for, in ms. A try takes 15 seconds at most. */
const PATIENCE = 90_000;
const LOOK = 250;

/** @throws MusterError `unavailable` when the receiver did not take it, so that scripts see it. */
export async function tryOut({ out, connect }: Cli, webhook: string): Promise<void> {
  const client = await connect();
  const { id } = await client.webhooks.test({ params: { webhook } });
  const until = performance.now() + PATIENCE;
  for (;;) {
    const found = await client.webhooks.delivery({ params: { webhook, delivery: id } });
    if (found.outcome !== undefined || performance.now() > until) {
      const last = found.log.at(-1);
      if (found.outcome !== "delivered")
        throw new MusterError("unavailable", `${webhook} did not take it: ${last?.reason ?? "nobody knows yet"}`, {
          hint: `muster webhooks deliveries ${webhook}`,
        });
      out.data(found);
      return out.print(`${webhook} took it: ${last?.status} after ${last?.ms} ms.`);
    }
    await pause(LOOK);
  }
}
