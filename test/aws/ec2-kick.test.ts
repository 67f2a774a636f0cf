/** Ran against: a plain HTTP server of ours in the place of SSM. What the kick asks of it, and what becomes of refusals. */
import { kick } from "@muster/aws/ec2/kick.ts";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type CallServer, inTurn, say, startCallServer } from "./support/call-server.ts";

let server: CallServer;
const told: unknown[] = [];

beforeAll(async () => {
  server = await startCallServer();
});
afterEach(() => {
  server.forget();
  server.answer(say(200));
  told.length = 0;
});
afterAll(() => server.close());

const world = () => ({
  aws: {
    region: "eu-central-1",
    endpoint: server.url,
    credentials: async () => ({ accessKeyId: "AKIDEXAMPLE", secretAccessKey: "not a secret" }),
  },
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
  server.answer(inTurn(say(400, { __type: "InvalidInstanceId" }), say(200)));
  await expect(kick(world(), hosts(60))).resolves.toBeUndefined();
  expect(server.asked).toHaveLength(2);
  expect(told).toEqual([{ machines: expect.any(Array), reason: expect.stringContaining("InvalidInstanceId") }]);
});
