/**
 * Kills: SIGKILL of the control plane and of agents at every phase of a job. Real processes on this machine; the control
 * plane is a process of its own, started again in the same home. After it, each job ends as it should, and its log is
 * whole, with no line twice.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  clearHome,
  ended,
  inState,
  killAgent,
  launch,
  logOf,
  machineOf,
  newHome,
  type OwnProcess,
  spawnPlane,
} from "../support/plane.ts";
import { until } from "../support/until.ts";

const LINES = 40;
const expected = Array.from({ length: LINES }, (_, line) => `line ${line}\n`).join("");

/** Prints half its lines, says that it is in the middle, waits until it is told to go on, prints the rest, exits with 5. */
const script = (gate: string) =>
  [
    `for i in $(seq 0 ${LINES / 2 - 1}); do echo "line $i"; done`,
    `touch ${gate}.reached`,
    `until [ -e ${gate}.open ]; do sleep 0.05; done`,
    `for i in $(seq ${LINES / 2} ${LINES - 1}); do echo "line $i"; done`,
    `touch ${gate}.left`,
    "exit 5",
  ].join("\n");

let home: string;
let plane: OwnProcess;
let gate: string;

beforeEach(async () => {
  home = newHome();
  gate = join(home, "gate");
  plane = await spawnPlane(home);
});

afterEach(async () => {
  await plane.kill();
  clearHome(home);
});

const reached = () => until("the script's middle", () => existsSync(`${gate}.reached`));
const open = () => writeFileSync(`${gate}.open`, "");
const left = () => until("the script's end", () => existsSync(`${gate}.left`));

async function restart() {
  await plane.kill();
  plane = await spawnPlane(home);
}

describe("the control plane is killed", () => {
  test("while setup runs", async () => {
    const job = await launch(plane, "demo", { setup: script(gate).replace("exit 5", "true"), run: "echo ran; exit 5" });
    await reached();
    await restart();
    open();
    expect(await ended(plane, job)).toMatchObject({ state: "failed", exitCode: 5, logsComplete: true });
    expect(await logOf(plane, job)).toBe(`${expected}ran\n`);
  });

  test("while the script runs", async () => {
    const job = await launch(plane, "demo", { run: script(gate) });
    await reached();
    await restart();
    open();
    expect(await ended(plane, job)).toMatchObject({ state: "failed", exitCode: 5, logsComplete: true });
    expect(await logOf(plane, job)).toBe(expected);
  });

  test("before the exit can be reported", async () => {
    const job = await launch(plane, "demo", { run: script(gate) });
    await reached();
    await plane.kill();
    open();
    await left();
    plane = await spawnPlane(home);
    expect(await ended(plane, job)).toMatchObject({ state: "failed", exitCode: 5, logsComplete: true });
    expect(await logOf(plane, job)).toBe(expected);
  });

  test("as soon as a launch was accepted", async () => {
    const job = await launch(plane, "demo", { run: "echo hello" });
    await restart();
    expect(await until("the end", async () => (await ended(plane, job)).state, 90_000)).toBe("succeeded");
    expect(await logOf(plane, job)).toBe("hello\n");
  });

  test("again and again while jobs run one after the other: each runs once, in order", async () => {
    const jobs = [];
    for (let index = 0; index < 12; index++)
      jobs.push(await launch(plane, "demo", { run: `echo ${index} >> ${gate}.order; sleep 0.2` }));
    for (let kill = 0; kill < 3; kill++) {
      const index = kill * 4;
      await until(
        `job ${index} to run`,
        () => existsSync(`${gate}.order`) && readFileSync(`${gate}.order`, "utf8").includes(`${index}\n`),
      );
      await restart();
    }
    for (const job of jobs) expect(await ended(plane, job)).toMatchObject({ state: "succeeded" });
    expect(readFileSync(`${gate}.order`, "utf8")).toBe(jobs.map((_, index) => `${index}\n`).join(""));
  });
});

describe("the agent is killed", () => {
  test("while setup runs", async () => {
    const job = await launch(plane, "demo", { setup: script(gate).replace("exit 5", "true"), run: "echo ran; exit 5" });
    await reached();
    killAgent(machineOf(plane));
    open();
    expect(await ended(plane, job)).toMatchObject({ state: "failed", exitCode: 5, logsComplete: true });
    expect(await logOf(plane, job)).toBe(`${expected}ran\n`);
  });

  test("while the script runs", async () => {
    const job = await launch(plane, "demo", { run: script(gate) });
    await inState(plane, job, "running");
    await reached();
    killAgent(machineOf(plane));
    open();
    expect(await ended(plane, job)).toMatchObject({ state: "failed", exitCode: 5, logsComplete: true });
    expect(await logOf(plane, job)).toBe(expected);
  });

  test("before it can report the exit: the script ends with nobody there", async () => {
    const job = await launch(plane, "demo", { run: `${script(gate)}`.replace("touch", "trap '' HUP; touch") });
    await reached();
    const machine = machineOf(plane);
    killAgent(machine);
    open();
    await left();
    expect(await ended(plane, job)).toMatchObject({ state: "failed", exitCode: 5, logsComplete: true });
    expect(await logOf(plane, job)).toBe(expected);
  });

  test("together with the control plane", async () => {
    const job = await launch(plane, "demo", { run: script(gate) });
    await reached();
    await plane.kill();
    killAgent(machineOf(plane));
    open();
    await left();
    plane = await spawnPlane(home);
    expect(await ended(plane, job)).toMatchObject({ state: "failed", exitCode: 5, logsComplete: true });
    expect(await logOf(plane, job)).toBe(expected);
  });
});
