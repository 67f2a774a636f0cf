/** Ran against: nothing. Parts of the EC2 provider that decide by themselves. */
import type { Instance } from "@aws-sdk/client-ec2";
import { ec2Of } from "@muster/aws/ec2/client.ts";
import { settled } from "@muster/aws/ec2/settled.ts";
import { sparing } from "@muster/aws/ec2/sparing.ts";
import { Fault } from "@muster/aws/fault.ts";
import type { Machine } from "@muster/core/ports/provider.ts";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { freshRef, intentOf, REGION } from "./ec2-support.ts";

describe("what a launch made", () => {
  const intent = intentOf(freshRef(), 2);
  const machine = (machineId: string, state: Machine["state"]): Machine => ({
    machineId,
    state,
    ...intent,
    hostId: "hst_1",
    launchedAt: 0,
  });
  const made = (machineId: string, state: Machine["state"], Code = "") => ({
    machine: machine(machineId, state),
    instance: { InstanceId: machineId, StateReason: { Code, Message: `${Code}: it is so` } } as Instance,
  });
  const world = { log: { info: () => {}, error: () => {} }, deployment: "app-test" };

  test("is unknown when it is less than what was asked for", async () => {
    const ec2 = ec2Of({ region: REGION, credentials: async () => ({ accessKeyId: "a", secretAccessKey: "b" }) });
    const answered = settled({ ...world, ec2 }, intent, [made("i-1", "pending")]);
    await expect(answered).rejects.toMatchObject({ code: "unavailable" });
  });

  test.each([
    ["Server.SpotInstanceTermination", "no_capacity"],
    ["Server.InsufficientInstanceCapacity", "no_capacity"],
    ["Client.VolumeLimitExceeded", "quota_exceeded"],
    ["Client.InternalError", "launch_failed"],
    ["Client.UserInitiatedShutdown", "launch_failed"],
  ])("and %s ended it: %s", async (reason, code) => {
    const ec2 = ec2Of({ region: REGION, credentials: async () => ({ accessKeyId: "a", secretAccessKey: "b" }) });
    const all = [made("i-1", "terminated", reason), made("i-2", "terminating", reason)];
    await expect(settled({ ...world, ec2 }, intent, all)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(reason),
    });
  });
});

test("sparing: every machine that is not refused gets its call, whatever the refusals name", async () => {
  const ids = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { minLength: 0, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(ids, fc.uniqueArray(fc.integer({ min: 0, max: 40 })), fc.boolean(), async (all, bad, isNamed) => {
      const name = (at: number) => `i-${String(at).padStart(17, "0")}`;
      const applied = new Set<string>();
      const refused = new Set([...bad].map(name));
      const spared = await sparing(all.map(name), new Set(["Bad"]), async asked => {
        const named = asked.filter(id => refused.has(id));
        if (named.length > 0)
          throw new Fault({
            code: "Bad",
            message: isNamed ? named.join() : "some",
            operation: "X",
            status: 400,
            kind: "refused",
          });
        for (const id of asked) applied.add(id);
      });
      expect([...spared.keys()].toSorted()).toEqual(
        all
          .map(name)
          .filter(id => refused.has(id))
          .toSorted(),
      );
      expect([...applied].toSorted()).toEqual(
        all
          .map(name)
          .filter(id => !refused.has(id))
          .toSorted(),
      );
    }),
    { numRuns: 300 },
  );
});
