/** Duties: what is done at all times, whether anything happened or not. */
import { roles } from "@muster/aws/grants.ts";
import { idOf } from "./functions.ts";
import { type Here, type Kept, trust } from "./here.ts";
import { deadLetters, queuePolicy } from "./queue.ts";
import { roleOf } from "./roles.ts";

/** Minutes between two runs of a duty. */
const DUTIES = { due: 1, orphans: 5, catalog: 60, secrets: 60, unused: 60 } as const;

/** That of the outbox's function, which calls others and makes no machine. */
const OUTSIDE = { outbox: 1 } as const;

/** @returns the queue of runs that failed. */
export function cron(at: Here, kept: Kept, to: sst.aws.Function, outbox: sst.aws.Function): aws.sqs.Queue {
  const dead = deadLetters(at, "CronDead", "cron");
  queuePolicy("CronDeadPolicy", dead);
  const group = new aws.scheduler.ScheduleGroup("Duties", { name: at.deployment });
  const role = roleOf(at, kept, "SchedulerRole", "scheduler", {
    trust: trust(at, roles.scheduler.service, [group.arn]),
  });
  for (const [duty, minutes] of Object.entries(DUTIES)) schedule(at, duty, minutes, { to, dead, role, group });
  for (const [duty, minutes] of Object.entries(OUTSIDE)) schedule(at, duty, minutes, { to: outbox, dead, role, group });
  // The next run comes anyway; a second try of this one would only overlap it.
  new aws.lambda.FunctionEventInvokeConfig("CronRetries", {
    functionName: to.name,
    maximumRetryAttempts: 0,
    maximumEventAgeInSeconds: 60,
    destinationConfig: { onFailure: { destination: dead.arn } },
  });
  return dead;
}

interface Parts {
  readonly to: sst.aws.Function;
  readonly dead: aws.sqs.Queue;
  readonly role: aws.iam.Role;
  readonly group: aws.scheduler.ScheduleGroup;
}

const schedule = (at: Here, duty: string, minutes: number, { to, dead, role, group }: Parts) =>
  new aws.scheduler.Schedule(`${idOf(duty)}Schedule`, {
    name: `${at.deployment}-${duty}`,
    groupName: group.name,
    scheduleExpression: minutes === 1 ? "rate(1 minute)" : `rate(${minutes} minutes)`,
    flexibleTimeWindow: { mode: "OFF" },
    kmsKeyArn: at.options.kmsKey,
    target: {
      arn: to.arn,
      roleArn: role.arn,
      input: JSON.stringify({ duty }),
      retryPolicy: { maximumEventAgeInSeconds: 60, maximumRetryAttempts: 1 },
      deadLetterConfig: { arn: dead.arn },
    },
  });
