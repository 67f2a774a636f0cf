/** What options say of an idle policy that a cluster has: what they leave out stays as it is. */
import type { Kept } from "@muster/core/cluster/idle.ts";
import { MusterError } from "@muster/core/error.ts";
import { isZone, zoneMeant } from "@muster/core/time-zone.ts";
import { type Hours, hoursOf } from "@muster/task/hours.ts";
import { shareOf } from "@muster/task/quantity.ts";
import { type Command, InvalidArgumentError, Option } from "commander";
import { lifetime, minutes, seconds } from "./task-options.ts";

export interface IdleOptions {
  readonly idleMinutes?: number | "never";
  readonly down?: boolean;
  readonly stop?: boolean;
  /** Minutes; false takes it out, as it does of those below. */
  readonly then?: number | false;
  readonly waitFor?: NonNullable<Policy["waitFor"]>;
  readonly cpuBelow?: number | false;
  readonly gpuBelow?: number | false;
  readonly command?: string | false;
  readonly keep?: readonly Hours[] | false;
  readonly zone?: string;
  readonly hook?: string | false;
  /** Minutes. */
  readonly hookTimeout?: number;
}

type Policy = Exclude<Kept, "never">;

const MINUTE = 60;
const MOST_HOOK = 60;

export const addIdleOptions = (command: Command): Command =>
  command
    .option("-i, --idle-minutes <minutes>", "minutes in which nothing keeps it, or never (-1)", minutes)
    .option("--down", "terminate it then")
    .option("--stop", "stop it then, and keep its disks")
    .option("--then <time>", "terminate it so long after it has stopped: 12h, 3d", lifetime)
    .option("--no-then", "leave it stopped until somebody starts or ends it")
    .addOption(
      new Option("--wait-for <what>", "what keeps it; none: the time counts from when it is ready").choices([
        "jobs",
        "jobs_and_sessions",
        "none",
      ]),
    )
    .option("--cpu-below <share>", "hosts whose CPUs are busier keep it: 5%", share)
    .option("--no-cpu-below", "busy CPUs do not keep it")
    .option("--gpu-below <share>", "hosts with a busier GPU keep it: 5%", share)
    .option("--no-gpu-below", "busy GPUs do not keep it")
    .option("--command <script>", "run now and then on each host: it keeps the cluster while it fails", text)
    .option("--no-command", "no script keeps it")
    .option("--keep <hours>", "keep it in these hours, such as 'mon-fri 08:00-20:00'; may be said again", hours)
    .option("--no-keep", "keep it in no hours")
    .option("--zone <name>", "time zone of the hours, such as Europe/Berlin (default: this machine's)", zone)
    .option("--hook <script>", "run on each host before it stops or ends by its policy", text)
    .option("--no-hook", "run nothing before it stops")
    .option(
      "--hook-timeout <time>",
      "most that the hook may take: 90s, 10m; an hour at most (default: 5m)",
      hookTimeout,
    );

/** Whether anything is said. */
export const isSaid = (options: IdleOptions): boolean => Object.values(options).some(value => value !== undefined);

/**
 * The policy with what the options say of it.
 * @param here the time zone of hours for which none is named
 * @throws MusterError `invalid_request` when the options contradict each other, or the policy
 */
export function changed(before: Kept, options: IdleOptions, here: string): Kept {
  if (options.idleMinutes === "never") return never(options);
  const policy = timed(before, options, options.idleMinutes);
  const parts = {
    then: thenOf(policy, options),
    waitFor: options.waitFor ?? policy.waitFor,
    cpuBelow: part(options.cpuBelow, policy.cpuBelow),
    gpuBelow: part(options.gpuBelow, policy.gpuBelow),
    command: part(options.command, policy.command),
    keep: keepOf(policy.keep, options, here),
    hook: hookOf(policy.hook, options),
  };
  const said = Object.entries(parts).filter(([, value]) => value !== undefined);
  return { after: policy.after, action: policy.action, ...Object.fromEntries(said) };
}

function never({ idleMinutes: _, ...options }: IdleOptions): "never" {
  if (!isSaid(options)) return "never";
  throw new MusterError("invalid_request", "-i never is no policy at all: nothing else can be said of it", {
    hint: "leave the other options out, or say after how many minutes",
  });
}

/** When it acts, and what it does then. */
function timed(before: Kept, { down, stop }: IdleOptions, after: number | undefined): Policy {
  if (down && stop)
    throw new MusterError("invalid_request", "--down and --stop contradict each other", { hint: "keep one of them" });
  if (before === "never" && after === undefined)
    throw new MusterError("invalid_request", "it never stops by itself: say after how long it is to", {
      hint: "add -i 30",
    });
  // What nobody has said to terminate keeps its disks.
  const policy: Policy = before === "never" ? { after: 0, action: "stop" } : before;
  return {
    ...policy,
    ...(after !== undefined && { after }),
    ...(stop && { action: "stop" as const }),
    ...(down && { action: "terminate" as const }),
  };
}

function thenOf({ action, then }: Policy, { then: said }: IdleOptions): Policy["then"] {
  if (action === "stop") return part(typeof said === "number" ? { after: said, action: "terminate" } : said, then);
  if (!said) return undefined;
  throw new MusterError("invalid_request", "--then is what follows a stop, and this terminates it at once", {
    hint: "add --stop",
  });
}

function keepOf(before: Policy["keep"], { keep, zone }: IdleOptions, here: string): Policy["keep"] {
  const known = typeof before === "object" ? before : undefined;
  if (keep) return { zone: zone ?? known?.zone ?? here, hours: [...keep] };
  if (zone === undefined) return part(keep, before);
  if (known !== undefined && keep === undefined) return { ...known, zone };
  throw new MusterError("invalid_request", "--zone is that of hours, and there are none", {
    hint: "add --keep 'mon-fri 08:00-20:00'",
  });
}

function hookOf(before: Policy["hook"], { hook, hookTimeout: timeout }: IdleOptions): Policy["hook"] {
  const next = part(typeof hook === "string" ? { ...before, run: hook } : hook, before);
  if (timeout === undefined) return next;
  if (next !== undefined) return { ...next, timeout };
  throw new MusterError("invalid_request", "--hook-timeout is that of a hook, and there is none", {
    hint: "add --hook './save.sh'",
  });
}

/** What the options say, or what it was; nothing for what they take out. */
function part<T>(said: NoInfer<T> | false | undefined, before: T | undefined): T | undefined {
  if (said === false) return undefined;
  return said ?? before;
}

function share(given: string): number {
  const read = shareOf(given);
  if (read !== undefined) return read;
  throw new InvalidArgumentError("Write a share of more than 0 and 100% at most, such as 5%.");
}

function text(given: string): string {
  if (given.trim() !== "") return given;
  throw new InvalidArgumentError("There is nothing to run in it.");
}

function hours(given: string, before: readonly Hours[] | false | undefined): readonly Hours[] {
  const read = hoursOf(given);
  if (!("message" in read)) return [...(before || []), read];
  const { message, suggestion } = read;
  throw new InvalidArgumentError(
    `It ${message.startsWith("must") ? message : `has a slip: ${message}`}; ${suggestion}.`,
  );
}

function zone(given: string): string {
  if (isZone(given)) return given;
  throw new InvalidArgumentError(`There is no time zone '${given}': ${zoneMeant(given)}`);
}

function hookTimeout(given: string): number {
  const value = seconds(given) / MINUTE;
  if (value <= MOST_HOOK) return value;
  throw new InvalidArgumentError("A hook has an hour at most.");
}
