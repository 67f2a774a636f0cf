/** The deployment: what there is, in the order in which it needs each other. */
import { alarms } from "./alarms.ts";
import { api, gateway } from "./api.ts";
import { compute } from "./compute.ts";
import { cron } from "./cron.ts";
import { data } from "./data.ts";
import { defaults } from "./defaults.ts";
import { listen, rings } from "./doorbell.ts";
import { events } from "./events.ts";
import { handler } from "./functions.ts";
import { here } from "./here.ts";
import { machines } from "./lifecycle.ts";
import { doorbellLink, fleetLink, musterLink, outboxLink } from "./links.ts";
import { outside, tell } from "./outbox.ts";
import { runtime } from "./runtime.ts";

/** @returns what SST shows after a deployment. */
export function main() {
  const at = here();
  defaults(at);
  const kept = data(at);
  const muster = musterLink(at, kept);
  const http = gateway(at);
  const edge = api(at, kept, http, muster);

  const fleet = fleetLink(at, http, compute(at, kept, http), runtime(kept.bucket));
  const make = (name: "lifecycle" | "events" | "cron") => handler(at, kept, name, [muster, fleet]);
  const lifecycle = make("lifecycle");
  const driven = machines(at, kept, lifecycle);

  const ringing = rings(at);
  const doorbell = handler(at, kept, "doorbell", [muster, fleet, doorbellLink(driven, ringing.rings)]);
  listen(doorbell, kept.table, ringing);

  const told = outside(at);
  const outbox = handler(at, kept, "outbox", [muster, outboxLink(at, told.deliveries)]);
  tell(outbox, kept.table, told);

  const functions = { ...edge, lifecycle, doorbell, outbox, events: make("events"), cron: make("cron") };
  const dead = {
    ...ringing.dead,
    ...told.dead,
    events: events(at, functions.events),
    cron: cron(at, kept, functions.cron, outbox),
  };
  alarms(at, { functions, machines: driven, dead, api: http });
  return {
    endpoint: http.url,
    deployment: at.deployment,
    region: at.options.region,
    table: kept.table.name,
    bucket: kept.bucket.name,
  };
}
