/** What tests of schedules ask for. */
import type * as Schedule from "@muster/core/schedule/schedule.ts";
import { Task, type TaskInput } from "@muster/core/task/task.ts";
import { launchRequest } from "../support/requests.ts";

/** Every hour, on the cluster `demo`. */
export const request = (more: Partial<Schedule.Change> = {}, task: TaskInput = {}): Schedule.Change => ({
  cron: "0 * * * *",
  timeZone: "UTC",
  overlap: "skip",
  launch: { ...launchRequest, task: Task.parse({ run: "true", ...task }) },
  ...more,
});
