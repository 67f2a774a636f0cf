/** What options say of idle policies, and how policies are told. Pure. */
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { Idle, type Kept, describe as sentence } from "@muster/core/cluster/idle.ts";
import type * as Launch from "@muster/core/launch/launch.ts";
import { describe, expect, test } from "vitest";
import { define } from "../../packages/cli/src/cli.ts";
import { column, planned as drawn, held, idleOf, resting } from "../../packages/cli/src/idle.ts";
import { addIdleOptions, changed, type IdleOptions, isSaid } from "../../packages/cli/src/idle-options.ts";
import { planned } from "../../packages/cli/src/local-disks.ts";

const STOPS = { after: 30, action: "stop", then: { after: 4320, action: "terminate" } } as const;
const WORK = { days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "20:00" } as const;
const NIGHT = { days: ["sat", "sun"], from: "22:00", to: "06:00" } as const;
const FULL: Exclude<Idle, "never"> = {
  ...STOPS,
  ...{ waitFor: "jobs_and_sessions", cpuBelow: 0.05, gpuBelow: 0.1, command: "./busy" },
  keep: { zone: "UTC", hours: [{ ...WORK, days: [...WORK.days] }] },
  hook: { run: "./save", timeout: 10 },
};

/** As the command line has it. */
function parsed(...argv: string[]): IdleOptions {
  const command = addIdleOptions(define("autostop", "", ""))
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  return command.parse(argv, { from: "user" }).opts();
}

const policyOf = (before: Kept, ...argv: string[]) => changed(before, parsed(...argv), "Europe/Berlin");

describe("muster autostop", () => {
  test.each<[string, Kept, string[], Kept]>([
    ["minutes", STOPS, ["-i", "60"], { ...STOPS, after: 60 }],
    ["never", FULL, ["-i", "never"], "never"],
    ["never, as others say it", FULL, ["-i", "-1"], "never"],
    ["what was never keeps its disks", "never", ["-i", "0"], { after: 0, action: "stop" }],
    ["what was never, terminated", "never", ["-i", "5", "--down"], { after: 5, action: "terminate" }],
    ["terminated in place of stopped", STOPS, ["--down"], { after: 30, action: "terminate" }],
    ["stopped in place of terminated", { after: 9, action: "terminate" }, ["--stop"], { after: 9, action: "stop" }],
    ["what follows", STOPS, ["--then", "12h"], { ...STOPS, then: { after: 720, action: "terminate" } }],
    ["nothing follows", STOPS, ["--no-then"], { after: 30, action: "stop" }],
    ["sessions", STOPS, ["--wait-for", "jobs_and_sessions"], { ...STOPS, waitFor: "jobs_and_sessions" }],
    ["shares", STOPS, ["--cpu-below", "0.5%", "--gpu-below", "0.1"], { ...STOPS, cpuBelow: 0.005, gpuBelow: 0.1 }],
    ["a script", STOPS, ["--command", "test -e /tmp/idle"], { ...STOPS, command: "test -e /tmp/idle" }],
    [
      "hours, in the zone of this machine",
      STOPS,
      ["--keep", "mon-fri 08:00-20:00", "--keep", "sat,sun 22:00-06:00"],
      { ...STOPS, keep: { zone: "Europe/Berlin", hours: [WORK, NIGHT] } as never },
    ],
    [
      "hours, in the zone that they had",
      FULL,
      ["--keep", "sat-sun 22:00-06:00"],
      { ...FULL, keep: { zone: "UTC", hours: [NIGHT] } as never },
    ],
    [
      "hours and a zone",
      FULL,
      ["--keep", "sat-sun 22:00-06:00", "--zone", "Asia/Tokyo"],
      { ...FULL, keep: { zone: "Asia/Tokyo", hours: [NIGHT] } as never },
    ],
    ["a zone", FULL, ["--zone", "Asia/Tokyo"], { ...FULL, keep: { zone: "Asia/Tokyo", hours: [WORK] } as never }],
    ["a hook", STOPS, ["--hook", "git push"], { ...STOPS, hook: { run: "git push" } }],
    ["a hook, in its time", FULL, ["--hook", "git push"], { ...FULL, hook: { run: "git push", timeout: 10 } }],
    ["a hook's time", FULL, ["--hook-timeout", "90s"], { ...FULL, hook: { run: "./save", timeout: 1.5 } }],
    [
      "none of what keeps it",
      FULL,
      ["--no-cpu-below", "--no-gpu-below", "--no-command", "--no-keep", "--no-hook"],
      { ...STOPS, waitFor: "jobs_and_sessions" },
    ],
    [
      "what is kept beside its record stays there",
      { ...STOPS, command: true, keep: true, hook: { timeout: 3 } },
      ["-i", "9", "--hook-timeout", "4m"],
      { ...STOPS, after: 9, command: true, keep: true, hook: { timeout: 4 } },
    ],
  ])("%s", (_, before, argv, wanted) => {
    expect(policyOf(before, ...argv)).toEqual(wanted);
  });

  test("every part stays of which nothing is said, and a policy is what comes of it", () => {
    expect(policyOf(FULL, "-i", "45")).toEqual({ ...FULL, after: 45 });
    expect(Idle.parse(policyOf(FULL, "-i", "45", "--keep", "daily 0:00-24:00"))).toMatchObject({ after: 45 });
    expect([isSaid(parsed()), isSaid(parsed("--no-hook"))]).toEqual([false, true]);
  });

  test.each([
    [["-i", "x"], /whole number|number/i],
    [["--cpu-below", "5"], "Write a share of more than 0 and 100% at most, such as 5%."],
    [["--gpu-below", "0"], "Write a share"],
    [["--keep", "monday"], 'It must be days and hours, and is "monday"; write mon-fri 08:00-20:00.'],
    [["--keep", "mom 8:00-9:00"], "It has a slip: \"mom\" is no day of the week; did you mean 'mon'?"],
    [["--zone", "Europe/Berln"], "There is no time zone 'Europe/Berln': did you mean Europe/Berlin?"],
    [["--hook-timeout", "2h"], "A hook has an hour at most."],
    [["--hook", " "], "There is nothing to run in it."],
    [["--wait-for", "job"], "Allowed choices are jobs, jobs_and_sessions, none."],
  ])("%j is a slip", (argv, message) => {
    expect(() => parsed(...argv)).toThrow(message);
  });

  test.each<[string, Kept, string[], RegExp, string]>([
    ["nothing to change", "never", ["--cpu-below", "5%"], /never stops by itself/, "add -i 30"],
    ["two ends", STOPS, ["--down", "--stop"], /--down and --stop contradict/, "keep one"],
    ["never and more", STOPS, ["-i", "never", "--hook", "x"], /-i never is no policy at all/, "leave the other"],
    ["what follows an end", STOPS, ["--down", "--then", "1d"], /--then is what follows a stop/, "add --stop"],
    ["a zone of nothing", STOPS, ["--zone", "UTC"], /there are none/, "add --keep"],
    ["a time of no hook", STOPS, ["--hook-timeout", "5m"], /there is none/, "add --hook"],
    ["a time of a hook that goes", FULL, ["--no-hook", "--hook-timeout", "5m"], /there is none/, "add --hook"],
  ])("%s: refused, with what to do", (_, before, argv, message, hint) => {
    const refused = () => policyOf(before, ...argv);
    expect(refused).toThrow(message);
    const details = expect.objectContaining({ hint: expect.stringContaining(hint) });
    expect(refused).toThrow(expect.objectContaining({ code: "invalid_request", details }));
  });
});

describe("muster launch -i", () => {
  test("-i changes the minutes of the policy that holds, and --down its action", () => {
    const stops = { after: 30, action: "stop", then: { after: 60, action: "terminate" } } as const;
    expect(idleOf(undefined, true, stops)).toBeUndefined();
    expect(idleOf(5, false, stops)).toEqual({ ...stops, after: 5 });
    expect(idleOf(5, true, stops)).toEqual({ after: 5, action: "terminate" });
    expect(idleOf(5, true, FULL)).toEqual({ ...FULL, after: 5, action: "terminate", then: undefined });
    expect(idleOf(5, false, { ...STOPS, command: true, keep: true, hook: { timeout: 1 } })).toEqual({
      ...STOPS,
      after: 5,
    });
    expect(idleOf(5, false, "never")).toEqual({ after: 5, action: "terminate" });
    expect(idleOf("never", true, stops)).toBe("never");
  });
});

describe("the plan of a launch", () => {
  const plan = (fields: object) =>
    ({ cluster: "demo", reused: false, idle: STOPS, notices: ["first"], ...fields }) as unknown as Launch.Plan;
  const asked = { given: undefined, down: false, file: undefined };

  test("has the policy that is asked for, where it makes the cluster", () => {
    const idle = { ...STOPS, after: 5 };
    expect(drawn(plan({}), { ...asked, given: 5 })).toEqual({ plan: plan({ idle }), idle });
    expect(drawn(plan({}), { ...asked, file: "never" })).toEqual({ plan: plan({}) });
  });

  test.each<[string, object, string | undefined]>([
    ["minutes", { given: 5 }, " -i 5"],
    ["minutes, and an end", { given: 5, down: true }, " -i 5 --down"],
    ["never", { given: "never" }, " -i never"],
    ["another file's", { file: FULL }, ""],
    ["its own minutes", { given: 30 }, undefined],
    ["its own, as the file has it", { file: STOPS }, undefined],
    ["nothing", { down: true }, undefined],
  ])("of one that is there has the one that it keeps: %s", (_, more, options) => {
    const notice = `its idle policy stays as it is; change it with: muster autostop demo${options}`;
    const notices = ["first", ...(options === undefined ? [] : [notice])];
    expect(drawn(plan({ reused: true }), { ...asked, ...more })).toEqual({ plan: plan({ reused: true, notices }) });
  });
});

describe("as it is told", () => {
  test.each<[Kept, string]>([
    [{ after: 100 / 60, action: "stop" }, "stops after 100 seconds without a job"],
    [{ ...STOPS, hook: { timeout: 20 / 60 } }, "runs its hook first for at most 20 seconds"],
  ])("%j: in whole seconds where it has no whole minutes", (idle, words) => {
    expect(sentence(idle)).toContain(words);
  });

  const HOUR = 3_600_000;
  const NOW = 1_000 * HOUR;
  const cluster = (fields: Partial<Cluster.Info>) =>
    ({ state: "stopped", idle: STOPS, changedAt: NOW - 1000, stoppedHourly: 0.011, ...fields }) as Cluster.Info;

  test.each([
    ["never", {}, "never"],
    [STOPS, {}, "stop 30m, end 3d"],
    [{ after: 0, action: "terminate" }, {}, "end 5m"],
    [{ ...STOPS, keep: true }, {}, "stop 30m out of hours, end 3d"],
    [STOPS, { hold: { until: NOW + 3 * HOUR - 1, by: "usr_ada" } }, "held 3h, stop 30m, end 3d"],
    ["never", { hold: { until: NOW - 1, by: "usr_ada" } }, "never"],
  ] as [Kept, object, string][])("in a column: %j", (idle, more, wanted) => {
    expect(column({ idle, ...more }, NOW)).toBe(wanted);
  });

  test.each([
    [{}, "its disks cost $0.0110/h until it ends in 3d by its policy"],
    [{ state: "stopping" }, "its disks cost $0.0110/h until it ends in 3d by its policy"],
    [{ idle: "never" }, "its disks cost $0.0110/h until somebody starts or ends it"],
    [{ stoppedHourly: undefined }, "it ends in 3d by its policy"],
    [{ stoppedHourly: undefined, idle: "never" }, undefined],
    [{ endBy: NOW + HOUR }, "its disks cost $0.0110/h until it ends in 1h as its lifetime does"],
    [{ endBy: NOW + 99 * HOUR }, "its disks cost $0.0110/h until it ends in 3d by its policy"],
    [{ changedAt: NOW - 99 * HOUR }, "its disks cost $0.0110/h until it ends now by its policy"],
    [
      { changedAt: NOW - 99 * HOUR, hold: { until: NOW + 2 * HOUR, by: "usr_ada" } },
      "its disks cost $0.0110/h until it ends in 2h by its policy",
    ],
    [{ state: "ready" }, undefined],
  ] as [Partial<Cluster.Info>, string | undefined][])("at rest: %j", (fields, wanted) => {
    expect(resting(cluster(fields), NOW)).toBe(wanted);
  });

  test("who holds it", () => {
    const hold = { until: NOW + 2 * HOUR, by: "usr_ada" };
    expect(held(cluster({ hold }), NOW)).toBe("held for 2h more by usr_ada");
    expect(held(cluster({ hold: { ...hold, reason: "a look" } }), NOW)).toBe("held for 2h more by usr_ada: a look");
    expect(held(cluster({ hold }), NOW + 3 * HOUR)).toBeUndefined();
    expect(held(cluster({}), NOW)).toBeUndefined();
  });

  test("local disks, by group where there are several", () => {
    const group = (name: string, nodes: number, localDisk?: number) =>
      ({ name, nodes, offers: [{ localDisk }] }) as unknown as Parameters<typeof planned>[0][number];
    expect(planned([group("main", 1, 900)])).toBe("local NVMe disks: 900 GB, lost when it stops or ends");
    expect(planned([group("main", 4, 900)])).toContain("900 GB on each host");
    expect(planned([group("head", 1, 75), group("cpu", 2), group("gpu", 2, 900)])).toBe(
      "local NVMe disks: head 75 GB; gpu 900 GB on each host, lost when it stops or ends",
    );
    expect([planned([group("main", 1)]), planned([])]).toEqual([undefined, undefined]);
  });
});
