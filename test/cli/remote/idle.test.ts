/**
 * Idle policies, stopped disks and local disks: the command line as a process, against real handlers over a real table, with
 * a shop of ours. Machines are never made: what a stopped cluster says of itself, and what a stop answers, is the test's own.
 */
import * as Create from "@muster/core/cluster/create.ts";
import type { Offering } from "@muster/core/ports/world.ts";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type InProcess, openPlane } from "../../support/plane.ts";
import { type Door, openDoor } from "../support/door.ts";
import { Home } from "../support/muster.ts";
import { shop } from "../support/shop.ts";

vi.setConfig({ testTimeout: 60_000 });

const fast: Offering = {
  ...shop,
  offers: async (...asked) => {
    const found = await shop.offers(...asked);
    return { offers: found.offers.map(offer => ({ ...offer, disk: 0.011, localDisk: 900 })) };
  },
  catalog: async () => (await shop.catalog()).map(one => ({ ...one, ...(one.cpus === 8 && { localDisk: 900 }) })),
};

const STOPS = { after: 30, action: "stop", then: { after: 4320, action: "terminate" } } as const;

let plane: InProcess;
let door: Door;
let ada: Home;
/** What is put over the answers about the cluster `fast`. */
const over: Record<string, unknown> = {};
beforeAll(async () => {
  plane = await openPlane();
  const world = { ...plane.plane.world, providers: new Map([["shop", fast]]) };
  const owner = { workspace: "local", id: "usr_ada", role: "admin" } as const;
  for (const name of ["plain", "fast"])
    await Create.create(world, owner, { name, nodes: 1, resources: {}, shared: false, idle: STOPS });
  const changed = (one: unknown) =>
    (one as { name?: string }).name === "fast" ? { ...(one as object), ...over } : one;
  door = await openDoor(world, {
    before: async event => {
      if (event.routeKey !== "POST /v1/clusters/{cluster}/stop") return event;
      const at = Date.now();
      const stopped = { ...(await plane.api.clusters.get({ params: { cluster: "fast" } })), ...over, changedAt: at };
      Object.assign(over, { state: "stopped", changedAt: at });
      return { statusCode: 202, headers: {}, body: JSON.stringify({ ...stopped, state: "stopped" }) };
    },
    after: (_, value) =>
      changed("items" in value ? { ...value, items: (value.items as unknown[]).map(changed) } : value),
  });
  ada = new Home();
  await ada.login(door.url, plane.token, "--name", "prod");
});
afterAll(async () => {
  for (const one of [ada, door]) await one[Symbol.asyncDispose]();
  await plane.close();
});

test("a policy is shown, changed part by part, and shown again", async () => {
  const first = "Cluster plain stops after 30 minutes without a job, terminates 3 days later.\n";
  expect(await ada.run("autostop", "plain")).toMatchObject({ code: 0, out: first });
  const changed = await ada.run(
    ...["autostop", "plain", "-i", "60", "--wait-for", "jobs_and_sessions", "--cpu-below", "5%"],
    ...[
      "--keep",
      "mon-fri 08:00-20:00",
      "--zone",
      "Europe/Berlin",
      "--hook",
      "./save\n./send",
      "--hook-timeout",
      "10m",
    ],
    ...["--command", "test -e /tmp/idle"],
  );
  expect(changed.out).toMatch(/^Cluster plain stops .*1 hour.*session.*5 %.*Europe\/Berlin.*3 days later\.\n/);
  expect(changed.out).toMatch(/\n {2}command {2}test -e \/tmp\/idle\n {2}hook {5}\.\/save\n {11}\.\/send\n$/);
  expect((await ada.run("autostop", "plain")).out).toBe(changed.out);
  expect(await ada.json("autostop", "plain", "--no-command", "--hook-timeout", "2m")).toMatchObject({
    idle: {
      ...{
        ...STOPS,
        after: 60,
        waitFor: "jobs_and_sessions",
        cpuBelow: 0.05,
        hook: { run: "./save\n./send", timeout: 2 },
      },
      keep: {
        zone: "Europe/Berlin",
        hours: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "08:00", to: "20:00" }],
      },
    },
  });
  expect((await ada.json("autostop", "plain")) as object).not.toHaveProperty("idle.command");
  expect((await ada.run("status")).out).toMatch(/plain .*stop 1h out of hours, end 3d/);
  expect((await ada.run("autostop", "plain", "-i", "-1")).out).toBe("Cluster plain never stops by itself.\n");
  expect(await ada.run("autostop", "plain", "--stop")).toMatchObject({
    code: 120,
    err: expect.stringMatching(/it never stops by itself: say after how long it is to\n.*add -i 30/),
  });
});

test("a launch says what its local disks lose, and what stopped disks cost", async () => {
  const { err } = await ada.run("up", "-c", "other", "--num_nodes", "2", "--dry-run");
  expect(err).toContain(
    "stops after 30 minutes without a job, terminates 3 days later; its local NVMe disks are emptied",
  );
  expect(err).toMatch(/disks +local NVMe disks: 900 GB on each host, lost when it stops or ends\n/);
  expect(err).toMatch(/stopped +its disks cost \$0\.0220\/h\n/);
  const ends = (await ada.run("launch", "examples/hello.yaml", "--dry-run")).err;
  expect(ends).toMatch(/idle +terminates after 30 minutes without a job\n +disks +local NVMe disks: 900 GB, lost/);
  expect(ends).not.toMatch(/emptied|stopped/);
});

test("a launch onto machines that are there says it as well, and that their policy stays", async () => {
  // What a record keeps of the machines' offer.
  const offer = {
    provider: "shop",
    instanceType: "g9.large",
    cpus: 8,
    memory: 32,
    accelerators: {},
    hourly: 1,
    disk: 0.011,
  };
  await using other = await openDoor(
    { ...plane.plane.world, providers: new Map([["shop", fast]]) },
    {
      after: (route, value) => {
        if (route !== "POST /v1/launches/plan") return value;
        const groups = [{ name: "main", nodes: 1, schedulable: true, offers: [offer] }];
        return { ...value, cluster: "fast", reused: true, idle: STOPS, groups };
      },
    },
  );
  await using home = new Home();
  await home.login(other.url, plane.token);
  for (const argv of [["launch", "examples/hello.yaml"], ["up"]]) {
    const { err } = await home.run(...argv, "-c", "fast", "-i", "7", "--dry-run");
    expect(err).toMatch(/idle +stops after 30 minutes .*; its local NVMe disks are emptied by a stop\n/);
    expect(err).toMatch(/disks +local NVMe disks: 900 GB, lost when it stops or ends\n/);
    expect(err).toContain("its idle policy stays as it is; change it with: muster autostop fast -i 7\n");
  }
});

test("a stop says before what it empties; then what the disks cost, and until when", async () => {
  const groups = [{ name: "main", nodes: 1, schedulable: true, instanceType: "g9.large" }];
  Object.assign(over, { state: "ready", stoppedHourly: 0.011, groups });
  expect((await ada.run("autostop", "fast")).out).toBe(
    "Cluster fast stops after 30 minutes without a job, terminates 3 days later.\n" +
      "  stopped  its disks will cost $0.0110/h\n" +
      "  disks    its local NVMe disks (900 GB) are emptied by a stop\n",
  );
  const { code, err } = await ada.run("stop", "fast");
  expect(code).toBe(0);
  expect(err).toMatch(
    /^fast: its local NVMe disks \(900 GB\) are emptied by a stop\n[\s\S]*stopped; its disks cost \$0\.0110\/h until it ends in 3d by its policy/,
  );
  expect((await ada.run("status")).out).toContain(
    "\nfast is stopped: its disks cost $0.0110/h until it ends in 3d by its policy\n",
  );
  // What is stopped has lost them.
  expect((await ada.run("stop", "fast")).err).not.toContain("emptied");
});

test("a stop says which hook it waits for, unless it leaves it out", async () => {
  const idle = { ...STOPS, hook: { run: "./save", timeout: 10 } };
  for (const [argv, told] of [
    [[], true],
    [["--now"], false],
  ] as const) {
    Object.assign(over, { state: "ready", idle });
    const { code, err } = await ada.run("stop", "fast", ...argv);
    expect([code, err.includes("fast: its hook runs first, for 10 min 0 s at most; --now leaves it out\n")]).toEqual([
      0,
      told,
    ]);
  }
  Object.assign(over, { idle: STOPS });
});

test("a cluster is held, for longer, and let go; and what is said amiss changes nothing", async () => {
  const { code, out } = await ada.run("hold", "plain", "--for", "2h", "--reason", "a look");
  expect([code, out]).toEqual([0, expect.stringMatching(/^plain {2}held for 2h more by usr_\w+: a look\n$/)]);
  expect((await ada.run("hold", "plain", "--for", "1h")).out).toBe(out);
  expect((await ada.run("hold", "plain", "--for", "3h")).out).toMatch(/^plain {2}held for 3h more/);
  for (const [argv, exit, told] of [
    [["hold", "plain", "--for", "8d"], 120, /the longest hold is 7 days/],
    [["hold", "plain", "--for", "0"], 120, /Write seconds/],
    [["hold", "plain", "--reason", "x"], 120, /--reason is for clusters.*\n.*add --for 2h/],
    [["hold", "plain", "nosuch", "--for", "4h"], 122, /there is no cluster 'nosuch'/],
    [
      ["hold", "job_01J00000000000000000000000", "--for", "1h"],
      120,
      /is a job: --for holds clusters\n.*muster hold job_/,
    ],
  ] as const)
    expect(await ada.run(...argv)).toMatchObject({ code: exit, out: "", err: expect.stringMatching(told) });
  expect((await ada.run("status", "plain")).out).toContain("plain is held for 3h more");
  const freed = await ada.json("release", "plain");
  expect(freed).toEqual([expect.not.objectContaining({ hold: expect.anything() })]);
  expect((await ada.run("status", "plain")).out).not.toContain("held");
  const { items } = await plane.api.clusters.events({ params: { cluster: "plain" }, query: {} });
  const kinds = items.map(({ kind }) => kind).filter(kind => /held|released/.test(kind));
  expect(kinds.toSorted()).toEqual(["cluster.held", "cluster.held", "cluster.released"]);
});

test("who holds a cluster is shown with it", async () => {
  Object.assign(over, { state: "ready", hold: { until: Date.now() + 7_200_000, by: "usr_eve", reason: "a look" } });
  const { out } = await ada.run("status", "fast");
  expect(out).toMatch(/fast .*held 2h, stop 30m, end 3d/);
  expect(out).toContain("\nfast is held for 2h more by usr_eve: a look\n");
  expect((await ada.run("autostop", "fast")).out).toContain("\n  held     for 2h more by usr_eve: a look\n");
});

test("stopped clusters have their disks' price in what they cost", async () => {
  const item = { id: "clu_1", name: "fast", cost: 1.5, hourly: 0.011, stopped: true, endsAt: Date.now() + 172_800_000 };
  const items = [
    item,
    { id: "clu_2", name: "new", cost: 1, hourly: 2 },
    { id: "clu_3", name: "kept", cost: 1, stopped: true },
  ];
  await using other = await openDoor(
    { ...plane.plane.world, providers: new Map([["shop", fast]]) },
    { after: (route, value) => (route === "GET /v1/costs" ? { ...value, items } : value) },
  );
  await using home = new Home();
  await home.login(other.url, plane.token);
  const { out } = await home.run("cost", "--by", "cluster");
  expect(
    out
      .split("\n")
      .map(line => line.split(/ {2,}/))
      .slice(0, 4),
  ).toEqual([
    ["CLUSTER", "NAME", "COST", "NOW"],
    ["clu_1", "fast", "$1.50", "$0.0110/h, stopped, ends in 2d"],
    ["clu_2", "new", "$1.00", "$2.00/h"],
    ["clu_3", "kept", "$1.00", "stopped"],
  ]);
});
