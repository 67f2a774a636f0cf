/** Schedules that are refused at once, each with its place. On SQLite in memory. */
import type { MusterError } from "@muster/core/error.ts";
import type * as Schedule from "@muster/core/schedule/schedule.ts";
import { set } from "@muster/core/schedule/set.ts";
import { Task } from "@muster/core/task/task.ts";
import { describe, expect, test } from "vitest";
import { ADA, testWorld } from "../support/world.ts";
import { request } from "./schedule-support.ts";

describe("refused at once", () => {
  const refusal = (more: Partial<Schedule.Change>) =>
    set(testWorld(), ADA, "hourly", request(more)).catch(error => error as MusterError);

  test.each([
    ["a cron that never comes", { cron: "0 0 30 2 *" }, "cron"],
    ["one with seconds", { cron: "0 0 * * * *" }, "cron"],
    ["a zone that is none", { timeZone: "Europe/Nowhere" }, "timeZone"],
    ["a secret", { launch: request({}, { secrets: { TOKEN: "hunter2" } }).launch }, "launch.task.secrets.TOKEN"],
    [
      "a secret file",
      { launch: request({}, { secretFiles: { "~/.netrc": "aGk=" } }).launch },
      "launch.task.secretFiles.~/.netrc",
    ],
    ["a hold", { launch: { ...request().launch, hold: true } }, "launch.hold"],
  ] as const)("%s, with its place", async (_, more, path) => {
    const error = await refusal(more);
    expect(error).toMatchObject({ code: "invalid_request", details: { issues: [{ path }] } });
    expect(JSON.stringify(error)).not.toContain("hunter2");
  });

  test("a task with nothing to run, and a stored secret that is not there", async () => {
    const idle = { ...request().launch, task: Task.parse({}) };
    expect(await refusal({ launch: idle })).toMatchObject({ code: "invalid_request" });
    const stored = request({}, { storedSecrets: ["NOWHERE"] }).launch;
    expect(await refusal({ launch: stored })).toMatchObject({ code: "not_found" });
  });
});
