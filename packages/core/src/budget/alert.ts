/**
 * Alerts on the way to a month's ceiling: an event at each of these shares of it, once a month. When the next is due follows
 * from the rate at which the month goes on, so that nobody need look before.
 */
import * as Actor from "../actor/actor.ts";
import { dollars, HOUR } from "../cost/amount.ts";
import { type Meter, spentIn } from "../cost/meter.ts";
import { endOf, monthOf, startOf } from "../cost/month.ts";
import * as Event from "../event/event.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import type { Budget } from "./budget.ts";

/** Percent of the ceiling. */
const SHARES = [50, 80, 100] as const;

/** Months ahead that are looked at: they differ in their length alone. */
const AHEAD = 3;

type Alerting = Pick<Budget, "monthly" | "told"> & { readonly meter: Meter };

const toldOf = ({ told }: Pick<Budget, "told">, month: string): number => (told?.month === month ? told.percent : 0);

/** Epoch ms at which there is something to tell; undefined when there never is as things go on. */
function nextAt({ monthly = 0, meter, told }: Alerting): number | undefined {
  if (monthly === 0 || meter.hourly === 0) return undefined;
  let { month } = meter;
  for (let ahead = 0; ahead < AHEAD; ahead++) {
    const from = Math.max(meter.at, startOf(month));
    const share = SHARES.find(percent => percent > toldOf({ told }, month));
    const left = (monthly * (share ?? Infinity)) / 100 - (spentIn(meter, month, from) ?? 0);
    const at = from + Math.ceil((Math.max(0, left) / meter.hourly) * HOUR);
    if (at < endOf(month)) return at;
    month = monthOf(endOf(month));
  }
  return undefined;
}

/** What is to be told of a budget as it is now, and when to look again. */
export function alerts(
  world: Pick<Basics, "random">,
  { workspace, user, monthly = 0, told, meter }: Pick<Budget, "workspace" | "user" | "monthly" | "told"> & Alerting,
): { readonly patch: Pick<Budget, "told" | "dueAt">; readonly writes: readonly Write[] } {
  const share = monthly === 0 ? 0 : Math.floor((meter.spent / monthly) * 100);
  const percent = SHARES.findLast(one => one <= share) ?? 0;
  const isNew = percent > toldOf({ told }, meter.month);
  const now = isNew ? { month: meter.month, percent } : told;
  const dueAt = nextAt({ monthly, meter, told: now });
  if (!isNew) return { patch: { told: now, dueAt }, writes: [] };
  const whose = user === undefined ? "the workspace" : user;
  const message = `${whose} has spent ${dollars(meter.spent)} in ${meter.month}: ${percent} % of ${dollars(monthly)}`;
  const put = Event.draft(Keys.budget(workspace), Actor.system(workspace), {
    id: `evt_${world.random.ulid()}`,
    at: meter.at,
    subject: user ?? workspace,
    kind: percent === 100 ? "budget.spent" : "budget.alert",
    message,
    details: { month: meter.month, percent },
  });
  return { patch: { told: now, dueAt }, writes: [{ put, expect: "absent" }] };
}
