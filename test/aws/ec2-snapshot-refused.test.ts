/**
 * Ran against: moto through the edge, which injects the faults. Machines made of snapshots, when some are refused: all or
 * none. That a token makes a machine once, and is refused when its machine has ended, is the edge's doing, not moto's.
 */
import { TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { tokenOf } from "@muster/aws/ec2/tags.ts";
import type { ClusterRef, Machine } from "@muster/core/ports/provider.ts";
import { describe, expect, test } from "vitest";
import { faultOf, names, outcomeOf, patienceFor } from "./ec2-faults-support.ts";
import { kept, type Moving, movedOf, onRun, openMoving } from "./ec2-snapshot-support.ts";
import { aliveOf, eachAlone, intentOf, type Opened, openProvider } from "./ec2-support.ts";

let cloud: Moving;
let opened: Opened;
eachAlone(openMoving, given => ({ cloud, opened } = given));

const times = (operation: string) => cloud.edge.log.filter(call => call.operation === operation).length;
const aliveIds = async (ref: ClusterRef) => (await aliveOf(cloud, ref)).map(one => one.InstanceId!).toSorted();
const idsOf = (machines: readonly Machine[]) => machines.map(machine => machine.machineId).toSorted();

describe("refused in part", () => {
  const refusals = [
    ["InsufficientInstanceCapacity", 500, "no_capacity"],
    ["VcpuLimitExceeded", 400, "quota_exceeded"],
    ["UnauthorizedOperation", 403, "launch_failed"],
    ["Unsupported", 400, "no_capacity"],
    ["IdempotentInstanceTerminated", 400, "no_capacity"],
  ] as const;

  test.each(refusals)("%s: what was made is ended, and then it is said", async (code, status, said) => {
    const cluster = await kept(cloud, opened, 3);
    cloud.edge.inject(onRun(1, code, status));
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe(said);
    expect(times("TerminateInstances")).toBe(1);
    expect(await aliveIds(cluster.ref)).toEqual([]);
  });

  test("also what an earlier send has made, and what does not show yet", async () => {
    const cluster = await kept(cloud, opened, 3);
    cloud.edge.inject({ ...faultOf("ec2.RunInstances", "failed", Infinity), skip: 1 });
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
    expect(await aliveIds(cluster.ref)).toHaveLength(1);
    cloud.edge.clear();
    // One more is made, and shows in no list.
    cloud.edge.inject(onRun(1, "InsufficientInstanceCapacity", 500));
    cloud.dials.onRun = () => {
      cloud.dials.blind = 1;
    };
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("no_capacity");
    cloud.dials.blind = 0;
    expect(await aliveIds(cluster.ref)).toEqual([]);
  });

  test("also what is there of an earlier send, did not show at first, and was not asked for again", async () => {
    const cluster = await kept(cloud, opened, 6);
    await opened.provider.launch({ ...movedOf(cluster), hosts: movedOf(cluster).hosts.slice(5) });
    cloud.dials.blind = 1;
    cloud.edge.inject(onRun(0, "InsufficientInstanceCapacity", 500));
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("no_capacity");
    expect(await aliveIds(cluster.ref)).toEqual([]);
  });

  test("but nothing is ended so late that somebody else may have sent it again, and been told that all are there", async () => {
    const cluster = await kept(cloud, opened, 3);
    await opened.provider.launch({ ...movedOf(cluster), hosts: movedOf(cluster).hosts.slice(0, 1) });
    const slowly = () => {
      opened.clock.at += 25_000;
      return true;
    };
    cloud.edge.inject({ ...onRun(0, "InsufficientInstanceCapacity", 500), match: slowly });
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
    expect(times("TerminateInstances")).toBe(0);
    cloud.edge.clear();
    await opened.provider.launch(movedOf(cluster));
    expect(await aliveIds(cluster.ref)).toHaveLength(3);
  });

  test("but not while there may be one that does not show", async () => {
    const cluster = await kept(cloud, opened, 2);
    await opened.provider.launch({ ...movedOf(cluster), hosts: movedOf(cluster).hosts.slice(0, 1) });
    opened.userData.current = "#!/bin/sh\necho changed\n";
    cloud.dials.blind = 9;
    cloud.edge.inject({
      ...onRun(0, "InsufficientInstanceCapacity", 500),
      match: body => body.includes(tokenOf("app-test", movedOf(cluster), 1)),
    });
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
    cloud.dials.blind = 0;
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("no_capacity");
    expect(await aliveIds(cluster.ref)).toEqual([]);
  });

  test("nothing of other tries, generations or groups is ended", async () => {
    const cluster = await kept(cloud, opened, 2);
    const [before] = await opened.provider.launch(intentOf(cluster.ref, 1, { generation: 2, try: 9 }));
    const [other] = await opened.provider.launch(intentOf(cluster.ref, 1, { generation: 3, try: 1 }));
    cloud.edge.inject(onRun(1, "InsufficientInstanceCapacity", 500));
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("no_capacity");
    expect(await aliveIds(cluster.ref)).toEqual([before!.machineId, other!.machineId].toSorted());
  });

  test("a try that was given up is never whole: the next send refuses it, and makes nothing", async () => {
    const cluster = await kept(cloud, opened, 2);
    cloud.edge.inject({ ...onRun(1, "InsufficientInstanceCapacity", 500), times: 1 });
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("no_capacity");
    cloud.edge.clear();
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("no_capacity");
    expect(times("RunInstances")).toBe(0);
    // Also when the machines that have ended show no more: their tokens are used up.
    cloud.dials.blind = 9;
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("no_capacity");
    cloud.dials.blind = 0;
    expect(await aliveIds(cluster.ref)).toEqual([]);
    const machines = await opened.provider.launch(movedOf(cluster, { try: 2 }));
    expect(await aliveIds(cluster.ref)).toEqual(idsOf(machines));
  });

  test("a machine that ended meanwhile takes the others with it", async () => {
    const cluster = await kept(cloud, opened, 2);
    const [first] = await opened.provider.launch(movedOf(cluster));
    await cloud.raw.send(new TerminateInstancesCommand({ InstanceIds: [first!.machineId] }));
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("no_capacity");
    expect(await aliveIds(cluster.ref)).toEqual([]);
  });

  test.each(names.filter(name => name !== "twice"))(
    "and when that end is %s, nobody knows: the next send goes on",
    async name => {
      const cluster = await kept(cloud, opened, 2);
      opened = await openProvider(cloud, patienceFor(name));
      cloud.edge.inject({ ...onRun(1, "InsufficientInstanceCapacity", 500), times: 1 });
      cloud.edge.inject(faultOf("ec2.TerminateInstances", name));
      expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
      const there = await aliveIds(cluster.ref);
      const again = await outcomeOf(opened.provider.launch(movedOf(cluster)));
      // Where it was ended all the same, the try is over; else it becomes whole.
      expect(again).toBe(there.length === 0 ? "no_capacity" : "done");
      expect(await aliveIds(cluster.ref)).toHaveLength(there.length === 0 ? 0 : 2);
    },
  );

  test("a machine that EC2 does not know yet has not ended: nobody knows", async () => {
    const cluster = await kept(cloud, opened, 2);
    cloud.edge.inject(onRun(1, "InsufficientInstanceCapacity", 500));
    cloud.edge.inject({ on: "ec2.TerminateInstances", kind: "error", code: "InvalidInstanceID.NotFound" });
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("no_capacity");
    expect(await aliveIds(cluster.ref)).toEqual([]);
  });

  test("a call that nobody knows of comes before a refusal", async () => {
    const cluster = await kept(cloud, opened, 2);
    opened = await openProvider(cloud, patienceFor("silent after"));
    cloud.edge.inject({ ...faultOf("ec2.RunInstances", "silent after") });
    cloud.edge.inject(onRun(0, "InsufficientInstanceCapacity", 500));
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
    expect(await aliveIds(cluster.ref)).toHaveLength(1);
  });
});

describe("busy says that nothing was made", () => {
  test("before the first machine", async () => {
    const cluster = await kept(cloud, opened, 2);
    cloud.edge.inject(faultOf("ec2.RunInstances", "throttled", Infinity));
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("busy");
    expect(await aliveIds(cluster.ref)).toEqual([]);
  });

  test("and not while an earlier send's are there", async () => {
    const cluster = await kept(cloud, opened, 2);
    cloud.edge.inject({ ...faultOf("ec2.RunInstances", "throttled"), skip: 1 });
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
    cloud.edge.inject(faultOf("ec2.RunInstances", "throttled", Infinity));
    expect(await outcomeOf(opened.provider.launch(movedOf(cluster)))).toBe("unavailable");
    expect(await aliveIds(cluster.ref)).toHaveLength(1);
  });
});
