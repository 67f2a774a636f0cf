/** When a cluster stops or ends and what keeps it, in Muster's own words and in SkyPilot's. Pure. */
import { describe, expect, test } from "vitest";
import { problems, read } from "./support.ts";

describe("idle", () => {
  test.each([
    ["never", "never"],
    ["false", "never"],
    ["45", { after: 45, action: "stop" }],
    ["2h", { after: 120, action: "stop" }],
    ["{ after: 10, action: terminate }", { after: 10, action: "terminate" }],
  ])("idle: %s", (text, wanted) => {
    expect(read(`idle: ${text}\n`).draft.idle).toEqual(wanted);
  });

  test("what keeps it, and what runs before it stops", () => {
    const text = `idle:
  after: 30m
  action: stop
  then: { after: 3d, action: terminate }
  wait_for: jobs_and_sessions
  cpu_below: 5%
  gpu_below: 0.05
  command: test ! -e /tmp/busy
  keep:
    zone: Europe/Berlin
    hours: ["Mon-Fri 8:00-20:00", "sat, sunday 09:30-24:00", fri-mon 22:00-06:00, daily 12:00-13:00]
  hook: { run: ./save, timeout: 10m }
`;
    expect(read(text).draft.idle).toEqual({
      ...{ after: 30, action: "stop", then: { after: 4320, action: "terminate" } },
      ...{ waitFor: "jobs_and_sessions", cpuBelow: 0.05, gpuBelow: 0.05, command: "test ! -e /tmp/busy" },
      keep: {
        zone: "Europe/Berlin",
        hours: [
          { days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "20:00" },
          { days: ["sat", "sun"], from: "09:30", to: "00:00" },
          { days: ["fri", "sat", "sun", "mon"], from: "22:00", to: "06:00" },
          { days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from: "12:00", to: "13:00" },
        ],
      },
      hook: { run: "./save", timeout: 10 },
    });
  });

  test.each([
    ["wait_for: JOBS", { waitFor: "jobs" }],
    ["wait_for: none", { waitFor: "none" }],
    ["hook: ./save", { hook: { run: "./save" } }],
    ["hook: { run: ./save, timeout: 90s }", { hook: { run: "./save", timeout: 1.5 } }],
    ["hook: { run: ./save, timeout: 60 }", { hook: { run: "./save", timeout: 60 } }],
    ["cpu_below: 0.5%", { cpuBelow: 0.005 }],
    ["cpu_below: 1", { cpuBelow: 1 }],
    [
      "keep: { zone: UTC, hours: tue 00:00-23:59 }",
      { keep: { zone: "UTC", hours: [{ days: ["tue"], from: "00:00", to: "23:59" }] } },
    ],
  ])("idle: { after: 1h, %s }", (key, wanted) => {
    expect(read(`idle: { after: 1h, ${key} }\n`).draft.idle).toEqual({ after: 60, action: "stop", ...wanted });
  });

  test.each([
    ["wait_for: job", 'idle.wait_for (line 1): must be one of jobs, jobs_and_sessions, none, and is "job"', "'jobs'"],
    ["cpu_below: 5", "idle.cpu_below (line 1): must be more than 0 and 100% at most", "write 5%"],
    ["cpu_below: 0%", "idle.cpu_below (line 1): must be more than 0 and 100% at most", ""],
    ["gpu_below: 101%", "idle.gpu_below (line 1): must be more than 0 and 100% at most", ""],
    ["gpu_below: low", 'idle.gpu_below (line 1): must be a share such as 5% or 0.05, and is "low"', ""],
    ["then: { after: 30s }", "idle.then.after (line 1): must be a minute at least", "write such as 3d"],
    ["then: { after: 366d }", "idle.then.after (line 1): must be a year at most", "write 365d"],
    ["command: [ls]", "idle.command (line 1): must be text, and is a list", "a line for each command"],
    ["command: ' '", "idle.command (line 1): has nothing to run", "leave the key out"],
    [`command: ${"x".repeat(4097)}`, "idle.command (line 1): must be 4096 characters at most", "into a file"],
    ["hook: { timeout: 5m }", "idle.hook (line 1): does not say what to run", "add `run`"],
    ["hook: { run: x, timeout: 2h }", "idle.hook.timeout (line 1): must be more than 0, and an hour at most", "10m"],
    ["hook: { run: x, timeout: 0 }", "idle.hook.timeout (line 1): must be more than 0, and an hour at most", "10m"],
    ["hook: { runs: x }", "idle.hook.runs (line 1): is not a key that Muster knows", "'run'"],
    ["keep: mon", "idle.keep (line 1): must be a map, and is text", ""],
    ["keep: { zone: UTC }", "idle.keep (line 1): does not say in which hours", "hours: ["],
    ["keep: { zone: UTC, hours: [] }", "idle.keep.hours (line 1): must be 1 to 14 lines of hours, and are 0", ""],
    ["keep: { hours: mon 8:00-9:00 }", "idle.keep (line 1): does not say in which time zone", "zone: Europe/Berlin"],
    [
      "keep: { zone: Europe/Berln }",
      "idle.keep.zone (line 1): there is no time zone 'Europe/Berln'",
      "mean Europe/Berlin?",
    ],
    [
      "keep: { zone: UTC, hours: [monday] }",
      'idle.keep.hours.0 (line 1): must be days and hours, and is "monday"',
      "-",
    ],
    ["keep: { zone: UTC, hours: mun 8:00-9:00 }", 'idle.keep.hours (line 1): "mun" is no day of the week', "'mon'"],
    ["keep: { zone: UTC, hours: m 8:00-9:00 }", 'idle.keep.hours (line 1): "m" is no day of the week', "write such"],
    ["keep: { zone: UTC, hours: mon 8:00-24:30 }", 'idle.keep.hours (line 1): "24:30" is no time of day', "08:00"],
    ["keep: { zone: UTC, hours: mon 8-17 }", 'idle.keep.hours (line 1): "8" is no time of day', "08:00"],
  ])("idle: { after: 1h, %s } is refused", (key, message, suggestion) => {
    const [problem, ...more] = problems(`idle: { after: 1h, ${key} }\n`);
    expect(more).toEqual([]);
    expect(`${problem?.path} (line ${problem?.line}): ${problem?.message}`).toBe(message);
    expect(problem?.suggestion ?? "").toContain(suggestion);
  });

  const sessions = { waitFor: "jobs_and_sessions" } as const;
  test.each([
    ["true", { after: 5, action: "stop", ...sessions }],
    ["false", "never"],
    ["-1", "never"],
    ["-60", "never"],
    ["10", { after: 10, action: "stop", ...sessions }],
    ["10h", { after: 600, action: "stop", ...sessions }],
    ["'45'", { after: 45, action: "stop", ...sessions }],
    ["1d", { after: 1440, action: "stop", ...sessions }],
    ["{}", { after: 5, action: "stop", ...sessions }],
    ["{ wait_for: jobs_and_ssh }", { after: 5, action: "stop", ...sessions }],
    ["{ wait_for: none }", { after: 5, action: "stop", waitFor: "none" }],
    ["{ idle_minutes: 0, wait_for: JOBS, down: false }", { after: 0, action: "stop" }],
    ["{ idle_minutes: 7, down: true }", { after: 7, action: "terminate", ...sessions }],
    ["{ down: true, wait_for: jobs }", { after: 5, action: "terminate" }],
    ["{ hook: git push }", { after: 5, action: "stop", ...sessions, hook: { run: "git push", timeout: 60 } }],
    [
      "{ hook: git push, hook_timeout: 300 }",
      { after: 5, action: "stop", ...sessions, hook: { run: "git push", timeout: 5 } },
    ],
  ])("autostop, whose defaults are SkyPilot's: %s", (text, wanted) => {
    const { draft, warnings, unsupported } = read(`resources: { autostop: ${text} }\n`);
    expect(draft.idle).toEqual(wanted);
    expect({ warnings, unsupported }).toEqual({ warnings: [], unsupported: [] });
  });

  test("a hook of SkyPilot's has an hour at most, which is told", () => {
    const { draft, warnings } = read("resources: { autostop: { hook: git push, hook_timeout: 7200 } }\n");
    expect(draft.idle).toMatchObject({ hook: { run: "git push", timeout: 60 } });
    expect(warnings).toEqual([expect.stringMatching(/^resources.autostop.hook_timeout: .* 3600 seconds count here/)]);
    expect(problems("resources: { autostop: { hook: x, hook_timeout: 0 } }\n")).toMatchObject([
      { path: "resources.autostop.hook_timeout", message: "must be seconds, at least 1" },
    ]);
  });

  test.each([
    "{ action: stop }",
    "{ after: 1h, action: terminat }",
    "{ after: 1h, action: terminate, then: { after: 1d } }",
    "{ after: 1h, then: {} }",
    "{ afte: 1h }",
    "[1]",
    "400d",
    "true",
  ])("idle: %s is refused", text => {
    expect(problems(`run: x\nidle: ${text}\n`)).not.toEqual([]);
  });

  test.each([
    ["idle: 366d\n", "idle"],
    ["idle: { after: 366d }\n", "idle.after"],
    ["resources: { autostop: 366d }\n", "resources.autostop"],
  ])("a time has a year at most: %j", (text, path) => {
    const suggestion = expect.stringContaining("365d");
    expect(problems(text)).toMatchObject([{ path, message: "must be a year at most", suggestion }]);
  });

  test("a policy is said once", () => {
    expect(problems("idle: 5\nresources: { autostop: 5 }\n")).toMatchObject([{ path: "idle", line: 1 }]);
  });
});
