/**
 * Taking from budgets, and giving back: the writes that go into the transaction which changes what a cluster may cost, or does.
 * The workspace's budget is one of them, and is checked also where nothing is taken: whoever begins something finds that
 * nothing may begin any more.
 */
import { dollars, MILLION, over } from "../cost/amount.ts";
import { type Closed, rolled } from "../cost/meter.ts";
import { MusterError } from "../error.ts";
import * as Keys from "../keys.ts";
import type { Write } from "../ports/table.ts";
import type { Basics } from "../ports/world.ts";
import * as Quota from "../quota/quota.ts";
import { amend, type Stored, UNWRITTEN } from "../record.ts";
import { alerts } from "./alert.ts";
import * as Budget from "./budget.ts";

/** What changes for one user. */
export interface Share {
  readonly user: string;
  /** Per hour, more than before. */
  readonly takes: number;
  /** Per hour, more than before: what runs by now. */
  readonly hourly: number;
  /** Spent at once. */
  readonly extra: number;
  /** Epoch ms since when that is so; absent: now. */
  readonly at?: number | undefined;
}

type Sum = Omit<Share, "user">;

const isSome = ({ takes, hourly, extra }: Sum): boolean => takes !== 0 || hourly !== 0 || extra !== 0;

const sum = (shares: readonly Sum[]): Sum => ({
  takes: shares.reduce((all, { takes }) => all + takes, 0),
  hourly: shares.reduce((all, { hourly }) => all + hourly, 0),
  extra: shares.reduce((all, { extra }) => all + extra, 0),
  at: shares.find(({ at }) => at !== undefined)?.at,
});

/**
 * @param begins whether machines are to begin that did not run before, also such as cost nothing
 * @param counts how many clusters, hosts and GPUs more are alive than before
 * @throws MusterError `over_budget` when that is more than a ceiling leaves; `quota_exceeded`; `frozen`.
 */
export async function take(
  world: Basics,
  workspace: string,
  shares: readonly Share[],
  begins = false,
  counts: Quota.Counts = Quota.NONE,
): Promise<readonly Write[]> {
  const changes = shares.filter(isSome);
  const isCounted = Quota.isSome(counts);
  if (changes.length === 0 && !begins && !isCounted) return [];
  const budget = await Budget.get(world.table, workspace);
  if (begins || changes.some(({ takes }) => takes > 0)) requireThawed(budget);
  const all = sum(changes);
  if (begins) Quota.requireAlive(budget.quotas, budget.held ?? Quota.NONE, counts);
  const held = isCounted ? Quota.plus(budget.held ?? Quota.NONE, counts) : budget.held;
  const whole = isSome(all) ? changed(world, { ...budget, held }, all) : seen(budget, held, begins);
  const own = changes.map(async change =>
    changed(world, await Budget.get(world.table, workspace, change.user), change, budget),
  );
  return [...whole, ...(await Promise.all(own)).flat()];
}

/** Where nothing is spent: the count alone; or not even that, but whoever freezes it meanwhile is not overlooked. */
function seen(budget: Stored<Budget.Budget>, held: Quota.Counts | undefined, isChecked: boolean): readonly Write[] {
  if (held !== budget.held) return [amend(Budget.noun, budget, { held }).write];
  const expect = budget.version === UNWRITTEN ? "absent" : budget.version;
  return isChecked ? [{ check: Budget.noun.key(budget), expect }] : [];
}

function requireThawed({ frozen }: Budget.Budget): void {
  if (frozen === undefined) return;
  const since = new Date(frozen.at).toISOString();
  throw new MusterError("frozen", `nothing begins any more: ${frozen.by} has frozen the workspace at ${since}`, {
    by: frozen.by,
    since: frozen.at,
    hint: "an admin may let it go on: muster unfreeze",
  });
}

const NOTHING: Sum = { takes: 0, hourly: 0, extra: 0 };

/** A budget as it is now, with what is to be told of it. */
export const told = (world: Basics, budget: Stored<Budget.Budget>): readonly Write[] => changed(world, budget, NOTHING);

/** @param whole the workspace's budget, for one of a user's */
function changed(
  world: Basics,
  budget: Stored<Budget.Budget>,
  { takes, hourly, extra, at = world.clock.now() }: Sum,
  whole?: Budget.Budget,
): readonly Write[] {
  const { meter, closed } = rolled(budget.meter, at);
  const taken = budget.taken + takes;
  // Another change may be of a later time, and counted until then without this one.
  const next = { ...meter, hourly: meter.hourly + hourly, spent: meter.spent + extra + over(hourly, meter.at - at) };
  if (takes > 0) {
    requireHourly({ ...budget, ceiling: budget.ceiling ?? whole?.each }, takes);
    requireMonthly({ ...budget, meter: next }, takes);
  }
  const alert = alerts(world, { ...budget, meter: next });
  const { write } = amend(Budget.noun, budget, { taken, meter: next, held: budget.held, ...alert.patch });
  return [write, ...alert.writes, ...closed.map(one => closing(budget, one))];
}

/** What a month came to. The budget's version keeps it from being told twice. */
const closing = ({ workspace, user }: Budget.Budget, { month, spent }: Closed): Write => ({
  put: {
    ...Keys.closedMonth(workspace, month, user),
    type: "month",
    data: { workspace, month, spent, ...(user !== undefined && { user }) },
  },
  expect: "absent",
});

function requireHourly({ ceiling, taken, user }: Budget.Budget, more: number): void {
  if (ceiling === undefined || taken + more <= ceiling) return;
  const left = Math.max(0, ceiling - taken);
  throw tooMuch(user, more, {
    ...{ ceiling: "hourly", left },
    message: `${dollars(left)} of the ${dollars(ceiling)} per hour of ${whose(user)} are left`,
    raise: `--hourly ${Math.ceil((taken + more) / MILLION)}`,
  });
}

/** What is spent, and an hour of all that is to run, must be within it. */
function requireMonthly({ monthly, taken, meter, user }: Budget.Budget, more: number): void {
  if (monthly === undefined || meter === undefined || meter.spent + taken + more <= monthly) return;
  const left = Math.max(0, monthly - meter.spent - taken);
  throw tooMuch(user, more, {
    ...{ ceiling: "monthly", left },
    message: `${dollars(left)} of the ${dollars(monthly)} of ${whose(user)} for ${meter.month} are left, beside an hour of what runs`,
    raise: `--monthly ${Math.ceil((meter.spent + taken + more) / MILLION)}`,
  });
}

const whose = (user: string | undefined): string => (user === undefined ? "the workspace" : user);

interface Excess {
  readonly ceiling: string;
  readonly left: number;
  readonly message: string;
  readonly raise: string;
}

function tooMuch(user: string | undefined, more: number, { ceiling, left, message, raise }: Excess): MusterError {
  const who = user === undefined ? "" : `--user ${user} `;
  return new MusterError("over_budget", `that would cost ${dollars(more)} per hour; ${message}`, {
    ceiling: `${user === undefined ? "workspace" : "user"}_${ceiling}`,
    left: left / MILLION,
    hint: `end what is not needed (muster status), or let an admin raise the ceiling: muster budget ${who}${raise}`,
  });
}

/** Whether a budget says no, and not something else: it may say yes another time. */
export const isRefusal = (error: unknown): error is MusterError =>
  error instanceof MusterError && REFUSALS.has(error.code);

const REFUSALS: ReadonlySet<string> = new Set(["over_budget", "quota_exceeded", "frozen"]);
