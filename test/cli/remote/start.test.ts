/**
 * Starting clusters elsewhere: the command line as a process, against real handlers over a real table. That disks are copied
 * meanwhile is said by the test: the machines of this control plane stand where they stood.
 */
import { answer, type HttpAnswer, type HttpEvent } from "@muster/api/http.ts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type InProcess, openPlane } from "../../support/plane.ts";
import { openDoor } from "../support/door.ts";
import { Home } from "../support/muster.ts";

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

let plane: InProcess;
let home: Home;
beforeAll(async () => {
  plane = await openPlane();
  home = new Home();
  await home.login(plane.url, plane.token, "--name", "prod");
  await home.run("up", "-c", "demo");
  await home.run("stop", "demo");
});
afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await plane.close();
});

/** A door at which a start is taken, and after which these states are read one by one, the last for ever. */
async function openMoving(states: readonly string[], more: object = {}) {
  const asked: HttpEvent[] = [];
  let read = -1;
  const before = async (event: HttpEvent): Promise<HttpEvent | HttpAnswer> => {
    if (event.routeKey !== "POST /v1/clusters/{cluster}/start") return event;
    asked.push(event);
    read = 0;
    const cluster = await plane.api.clusters.get({ params: { cluster: "demo" } });
    return answer(202, { ...cluster, state: states[0] });
  };
  const after = (key: string, value: object) => {
    if (key !== "GET /v1/clusters/{cluster}" || read < 0) return value;
    read = Math.min(read + 1, states.length);
    const state = states[read - 1];
    return { ...value, state, ...(read === states.length && more) };
  };
  const door = await openDoor(plane.plane.world, { before, after });
  const other = new Home();
  await other.login(door.url, plane.token);
  const close = async () => {
    await other[Symbol.asyncDispose]();
    await door[Symbol.asyncDispose]();
  };
  return { home: other, asked, [Symbol.asyncDispose]: close };
}

test("--move asks for other machines, and waits through all of the way there", async () => {
  await using moving = await openMoving(["moving", "moving", "launching", "booting", "ready"]);
  const { code, err } = await moving.home.run("start", "demo", "--move");
  expect([code, err]).toEqual([0, expect.stringMatching(/✓ cluster demo {2}stopped → ready/)]);
  expect(moving.asked.map(event => event.rawQueryString)).toEqual(["move=true"]);
});

test("without it the machines are asked for where they are", async () => {
  await using moving = await openMoving(["starting", "ready"]);
  expect((await moving.home.run("start", "demo")).code).toBe(0);
  expect(moving.asked.map(event => event.rawQueryString)).toEqual([""]);
});

test("a cluster that is on its way can be left alone", async () => {
  await using moving = await openMoving(["moving"]);
  const { code, err } = await moving.home.run("start", "demo", "--move", "--detach");
  expect([code, err]).toEqual([0, expect.stringContaining("stopped → moving")]);
});

test("a move that leads nowhere says why, and the cluster is stopped as it was", async () => {
  const failure = { code: "no_capacity", message: "no zone has machines", hint: "try again later" };
  await using moving = await openMoving(["moving", "stopped"], { failure });
  const { code, err } = await moving.home.run("start", "demo", "--move");
  expect([code, err]).toEqual([
    124,
    expect.stringMatching(/✗ cluster demo {2}is stopped.*\n.*no zone has machines\n {2}try again/),
  ]);
});

test("under --json a move that leads nowhere is an error and no list", async () => {
  await using moving = await openMoving(["moving", "stopped"]);
  const { code, out, err } = await moving.home.run("start", "demo", "--move", "--json");
  expect([code, out]).toEqual([124, ""]);
  expect(JSON.parse(err.trim().split("\n").at(-1) ?? "")).toMatchObject({ code: "launch_failed", exitCode: 124 });
});

test("why tells what became of a cluster on which no job has run", async () => {
  const failure = { code: "no_capacity", message: "no zone has machines", hint: "try again later" };
  const after = (key: string, value: object) =>
    key === "GET /v1/clusters/{cluster}" ? { ...value, state: "failed", failure } : value;
  await using door = await openDoor(plane.plane.world, { after });
  await using other = new Home();
  await other.login(door.url, plane.token);
  const { code, out } = await other.run("why", "demo");
  expect([code, out]).toEqual([
    0,
    "cluster demo is failed; no job has run on it\n  no zone has machines\n  try again later\n",
  ]);
  expect(await other.json("why", "demo")).toMatchObject({
    cluster: { name: "demo" },
    reasons: [failure.message, failure.hint],
  });
});
