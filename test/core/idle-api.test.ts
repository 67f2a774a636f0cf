/** Idle policies and holds through the handlers of the API, on SQLite in memory and the fake provider. */
import { doorOf } from "@muster/api/door.ts";
import { routes } from "@muster/api/routes.ts";
import { dispatcher } from "@muster/api/serve.ts";
import { grant } from "@muster/core/token/create.ts";
import { expect, test } from "vitest";
import { api } from "../../functions/served/api.ts";
import { config } from "../../functions/served/config.ts";
import { eventOf } from "../api/support.ts";
import { readyCluster } from "../support/requests.ts";
import { ADA, testWorld } from "../support/world.ts";

async function opened() {
  const world = testWorld();
  await readyCluster(world);
  const dispatch = dispatcher(doorOf(world), routes, { ...api(world), ...config(world) });
  const { token } = await grant(world, { workspace: "acme", actor: ADA.id, role: "member" });
  return async (route: string, body?: unknown) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const said = body === undefined ? {} : { body: JSON.stringify(body) };
    const answer = await dispatch(eventOf(route, { pathParameters: { cluster: "demo" }, headers, ...said }));
    return { status: answer.statusCode, body: JSON.parse(answer.body) };
  };
}

const HOLD = "POST /v1/clusters/{cluster}/hold";
const AUTOSTOP = "PUT /v1/clusters/{cluster}/autostop";

test("a hold and its end", async () => {
  const ask = await opened();
  expect(await ask(HOLD, { seconds: 600, reason: "a look" })).toMatchObject({
    status: 200,
    body: { hold: { by: ADA.id, reason: "a look" } },
  });
  expect((await ask("GET /v1/clusters/{cluster}")).body.hold).toMatchObject({ by: ADA.id, reason: "a look" });
  const freed = await ask("DELETE /v1/clusters/{cluster}/hold");
  expect([freed.status, freed.body.hold]).toEqual([200, undefined]);
});

test("a hold of more than seven days is refused, with the most that there is", async () => {
  const ask = await opened();
  expect(await ask(HOLD, { seconds: 7 * 86_400 + 1 })).toMatchObject({
    status: 400,
    body: {
      details: {
        issues: [{ path: "body.seconds", message: "the longest hold is 7 days (604800 seconds); it may be prolonged" }],
      },
    },
  });
  expect((await ask(HOLD, { seconds: 7 * 86_400 })).status).toBe(200);
});

test("a policy's hours in a zone that there is not, or at no time, are refused at their place", async () => {
  const ask = await opened();
  const policy = (keep: unknown) => ({ idle: { after: 5, action: "stop", keep } });
  const issuesOf = async (keep: unknown) => (await ask(AUTOSTOP, policy(keep))).body.details?.issues;
  const hours = [{ days: ["mon"], from: "08:00", to: "20:00" }];
  expect(await issuesOf({ zone: "Europe/Pari", hours })).toEqual([
    { path: "body.idle.keep.zone", message: "there is no time zone 'Europe/Pari': did you mean Europe/Paris?" },
  ]);
  expect(await issuesOf({ zone: "Europe/Paris", hours: [{ ...hours[0], to: "24:00" }] })).toEqual([
    { path: "body.idle.keep.hours.0.to", message: "a time is written as 08:30, from 00:00 to 23:59" },
  ]);
  const whole = { zone: "Europe/Paris", hours };
  expect((await ask(AUTOSTOP, policy(whole))).body.idle).toEqual({ after: 5, action: "stop", keep: whole });
});

test("what a list shows of a policy can be set again, and changes nothing", async () => {
  const ask = await opened();
  const idle = { after: 5, action: "stop", command: "test -e done", hook: { run: "./save.sh", timeout: 2 } };
  await ask(AUTOSTOP, { idle });
  const { items } = (await ask("GET /v1/clusters")).body;
  expect(items[0].idle).toEqual({ after: 5, action: "stop", command: true, hook: { timeout: 2 } });
  expect((await ask(AUTOSTOP, { idle: items[0].idle })).body.idle).toEqual(idle);
  expect((await ask("GET /v1/clusters/{cluster}")).body.idle).toEqual(idle);
});
