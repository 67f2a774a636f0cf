/** Ran against: a plain HTTP server of ours in the place of SSM. What the kick asks of it, and what becomes of refusals. */
import { kick } from "@muster/aws/ec2/kick.ts";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type CallServer, inTurn, say, startCallServer } from "./support/call-server.ts";

let server: CallServer;
const told: unknown[] = [];
const time = { at: 0, step: 0 };

beforeAll(async () => {
  server = await startCallServer();
});
afterEach(() => {
  server.forget();
  server.answer(say(200));
  told.length = 0;
  time.step = 0;
});
afterAll(() => server.close());

const world = () => ({
  aws: {
    region: "eu-central-1",
    endpoint: server.url,
    credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not a secret" }),
  },
  clock: { now: () => time.at },
  log: { info: (_: string, fields?: object) => void told.push(fields), error: () => undefined },
  kickDocument: "muster-test-kick",
});
const hosts = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ hostId: `hst_${n}`, machineId: `i-${String(n).padStart(17, "0")}` }));
const commands = () => server.asked.map(one => JSON.parse(one.body) as { InstanceIds: string[] });

test("a command names the machines of all hosts that have one", async () => {
  await kick(world(), [...hosts(2), { hostId: "hst_9" }]);
  expect(commands()).toEqual([
    {
      DocumentName: "muster-test-kick",
      InstanceIds: hosts(2).map(host => host.machineId),
      TimeoutSeconds: 30,
    },
  ]);
  expect(server.asked[0]?.headers["x-amz-target"]).toBe("AmazonSSM.SendCommand");
});

test.each([
  [0, []],
  [50, [50]],
  [51, [1, 50]],
  [120, [20, 50, 50]],
])("%i hosts are kicked by 50 machines a command", async (count, sizes) => {
  await kick(world(), hosts(count));
  const asked = commands().map(command => command.InstanceIds);
  expect(asked.map(ids => ids.length).sort((a, b) => a - b)).toEqual(sizes);
  expect(asked.flat().sort()).toEqual(hosts(count).map(host => host.machineId));
});

test("a command that is refused is not sent again, and the other goes out", async () => {
  server.answer(inTurn(say(400, { __type: "InvalidDocument" }), say(200)));
  await expect(kick(world(), hosts(60))).resolves.toBeUndefined();
  expect(server.asked).toHaveLength(2);
  expect(told).toEqual([{ machines: expect.any(Array), reason: expect.stringContaining("InvalidDocument") }]);
});

/** As SSM: refuses the whole command when it does not know one of its machines. Counts the commands under way. */
function refusing(unknown: ReadonlySet<string>, code = "InvalidInstanceId") {
  const under = { way: 0, most: 0 };
  server.answer((asked, response, socket) => {
    under.way += 1;
    under.most = Math.max(under.most, under.way);
    const { InstanceIds: ids } = JSON.parse(asked.body) as { InstanceIds: string[] };
    const isKnown = !ids.some(id => unknown.has(id));
    const one = ids.length === 1;
    time.at += time.step;
    setImmediate(() => {
      under.way -= 1;
      (isKnown ? say(200) : say(400, { __type: one ? code : "InvalidInstanceId" }))(asked, response, socket);
    });
  });
  return under;
}
const kickedIds = () => commands().flatMap(({ InstanceIds: ids }) => (ids.length === 1 ? ids : []));

test("when SSM does not know one machine, the others are kicked one by one, a few at a time", async () => {
  const all = hosts(30).map(host => host.machineId);
  const under = refusing(new Set(all.slice(0, 1)));
  await kick(world(), hosts(30));
  expect(kickedIds().toSorted()).toEqual(all);
  expect(server.asked).toHaveLength(31);
  expect(under.most).toBeLessThanOrEqual(5);
  expect(told).toEqual([
    { machines: all, reason: expect.stringContaining("InvalidInstanceId") },
    { machines: all.slice(0, 1), reason: expect.stringContaining("InvalidInstanceId") },
  ]);
});

test("one machine that SSM does not know is asked for once", async () => {
  refusing(new Set(hosts(1).map(host => host.machineId)));
  await kick(world(), hosts(1));
  expect(server.asked).toHaveLength(1);
});

test("and one by one ends when it has taken three seconds", async () => {
  const all = hosts(40).map(host => host.machineId);
  refusing(new Set(all.slice(0, 1)));
  time.step = 300;
  await kick(world(), hosts(40));
  expect(kickedIds().toSorted()).toEqual(all.slice(0, kickedIds().length));
  expect(kickedIds().length).toBeGreaterThanOrEqual(10);
  expect(kickedIds().length).toBeLessThanOrEqual(14);
});

test("and one by one ends where SSM refuses for another reason: a kick that comes late is worth nothing", async () => {
  refusing(new Set(hosts(40).map(host => host.machineId)), "ThrottlingException");
  await expect(kick(world(), hosts(40))).resolves.toBeUndefined();
  expect(server.asked.length).toBeLessThanOrEqual(6);
});
