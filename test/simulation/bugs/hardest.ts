/** What users do is drawn by the seed; for these bugs it is this: elsewhere one seed in some hundreds meets them. */
import type { Mix } from "../mixes.ts";

export const hardest: Readonly<Record<string, Mix | undefined>> = {
  "begun-runs-shown-as-cancelled": "arrays",
  "earlier-groups-trusted-to-show": "launches",
  "held-jobs-begin": "order",
  "renewed-machines-ended-with-the-old-ones": "managed",
  "schedules-launch-twice": "order",
  "secrets-swept-at-once": "launches",
};
