/**
 * The command line as a process of its own, on a real control plane with real agents and jobs, over real TCP connections which
 * a proxy of ours cuts, resets, tears, half-closes and delays.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Home } from "../cli/support/muster.ts";
import { type ChaosProxy, chaosProxy } from "../support/chaos-proxy.ts";
import { ended, type InProcess, launch, openPlane } from "../support/plane.ts";
import { until } from "../support/until.ts";

const CUTS = 200;
const LAUNCHES = 12;

let plane: InProcess;
let proxy: ChaosProxy;
let home: Home;
beforeAll(async () => {
  plane = await openPlane();
  proxy = await chaosProxy(plane.url, 1);
  home = new Home({ MUSTER_ENDPOINT: proxy.url, MUSTER_TOKEN: plane.token });
});
afterAll(async () => {
  proxy.harm(false);
  await home[Symbol.asyncDispose]();
  await proxy.close();
  await plane.close();
});

const cutsOf = ({ cuts }: ChaosProxy): number => Object.values(cuts).reduce((sum, each) => sum + each, 0);

test(`logs -f over ${CUTS} connections that are cut: no line is lost, and none comes twice`, async () => {
  const stop = join(plane.home, "stop");
  const run = `n=0; while [ ! -e '${stop}' ]; do echo "line $n"; n=$((n + 1)); sleep 0.05; done; echo "printed $n"`;
  const job = await launch(plane, "chatter", { run });
  const follower = home.start(["logs", "-f", job.id]);
  await follower.saw("line 0\n");
  proxy.harm(true);
  await until(`${CUTS} cuts`, () => cutsOf(proxy) >= CUTS, 240_000);
  writeFileSync(stop, "");
  await ended(plane, job);
  const { code, out, err } = await follower.ended;
  proxy.harm(false);
  expect(code, err).toBe(0);
  const lines = out.trimEnd().split("\n");
  const count = lines.length - 1;
  expect(count).toBeGreaterThan(100);
  expect(lines).toEqual([...Array.from({ length: count }, (_, n) => `line ${n}`), `printed ${count}`]);
  for (const [how, times] of Object.entries(proxy.cuts)) expect(times, how).toBeGreaterThan(0);
});

test("a launch makes one job, however often its connection is cut, and says so when it could not", async () => {
  const before = cutsOf(proxy);
  proxy.harm(true);
  const codes: (number | null)[] = [];
  for (let n = 0; n < LAUNCHES; n++) {
    const { code } = await home.run("launch", "-c", "chatter", "-n", `job-${n}`, "-d", "--run", "true");
    codes.push(code);
  }
  proxy.harm(false);
  expect(cutsOf(proxy)).toBeGreaterThan(before + LAUNCHES / 2);
  const { items } = await plane.api.jobs.list({ query: { limit: 100 } });
  const made = codes.map((_, n) => items.filter(({ name }) => name === `job-${n}`).length);
  for (const [n, code] of codes.entries())
    expect(code === 0 ? [1] : [0, 1], `launch ${n} ended with ${code}`).toContain(made[n]);
  // Five tries are mostly enough.
  expect(codes.filter(code => code === 0).length).toBeGreaterThan(LAUNCHES / 2);
});
