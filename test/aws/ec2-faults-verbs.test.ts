/**
 * Ran against: moto through the edge, which injects the faults. At every call to AWS of every verb but the launch, each fault once: what
 * the verb answers, and what is there afterwards.
 */
import type { ClusterRef } from "@muster/core/ports/provider.ts";
import { describe, expect, test } from "vitest";
import { FEW_CALLS, faultOf, NONE_COMES, names, outcomeOf, patienceFor, saysOf, table } from "./ec2-faults-support.ts";
import {
  aliveOf,
  type Cloud,
  eachAlone,
  freshRef,
  intentOf,
  type Opened,
  openCloud,
  openProvider,
} from "./ec2-support.ts";

let cloud: Cloud;
let opened: Opened;
eachAlone(openCloud, given => ({ cloud, opened } = given));

const times = (call: string) => cloud.edge.log.filter(one => `${one.service}.${one.operation}` === call).length;

const aliveIds = async (ref: ClusterRef) => (await aliveOf(cloud, ref)).map(one => one.InstanceId!).toSorted();

/** A cluster of two machines that run. */
async function running(): Promise<{ ref: ClusterRef; ids: string[] }> {
  const ref = freshRef();
  const machines = await opened.provider.launch(intentOf(ref, 2));
  await expect.poll(async () => new Set(await statesOf(ref))).toEqual(new Set(["running"]));
  return { ref, ids: machines.map(machine => machine.machineId).toSorted() };
}

async function stopped(): Promise<{ ref: ClusterRef; ids: string[] }> {
  const cluster = await running();
  await opened.provider.stop(cluster.ref);
  await expect.poll(async () => new Set(await statesOf(cluster.ref))).toEqual(new Set(["stopped"]));
  return cluster;
}

const statesOf = async (ref: ClusterRef) => (await opened.provider.observe(ref)).map(machine => machine.state);

describe("start", () => {
  test.each(table(["ec2.DescribeInstances", "ec2.StartInstances"]))("%s %s", async (call, name) => {
    const { ref, ids } = await stopped();
    opened = await openProvider(cloud, patienceFor(name, FEW_CALLS));
    cloud.edge.inject(faultOf(call, name));
    expect(await outcomeOf(opened.provider.start(ref))).toBe(saysOf(call, name, "unavailable"));
    await opened.provider.start(ref);
    expect(await statesOf(ref)).toEqual(["running", "running"]);
    expect(await aliveIds(ref)).toEqual(ids);
  });

  test("without capacity for all, those that started are stopped again", async () => {
    const { ref } = await stopped();
    cloud.startInPart();
    expect(await outcomeOf(opened.provider.start(ref))).toBe("no_capacity");
    await expect.poll(() => statesOf(ref)).toEqual(["stopped", "stopped"]);
    await opened.provider.start(ref);
    expect(await statesOf(ref)).toEqual(["running", "running"]);
  });

  test.each(names.filter(name => name !== "twice"))(
    "and when that stop is %s, it says no capacity all the same",
    async name => {
      const { ref } = await stopped();
      opened = await openProvider(cloud, patienceFor(name, FEW_CALLS));
      cloud.startInPart();
      cloud.edge.inject(faultOf("ec2.StopInstances", name));
      expect(await outcomeOf(opened.provider.start(ref))).toBe("no_capacity");
      await opened.provider.stop(ref);
      await expect.poll(() => statesOf(ref)).toEqual(["stopped", "stopped"]);
    },
  );

  test("machines whose power changed meanwhile: it is asked again", async () => {
    const { ref } = await stopped();
    cloud.edge.inject({ on: "ec2.StartInstances", kind: "error", code: "IncorrectInstanceState" });
    expect(await outcomeOf(opened.provider.start(ref))).toBe("busy");
  });
});

describe("stop", () => {
  test.each(table(["ec2.DescribeInstances", "ec2.StopInstances"]))("%s %s", async (call, name) => {
    const { ref, ids } = await running();
    opened = await openProvider(cloud, patienceFor(name, FEW_CALLS));
    cloud.edge.inject(faultOf(call, name));
    expect(await outcomeOf(opened.provider.stop(ref))).toBe(saysOf(call, name, "unavailable"));
    await opened.provider.stop(ref);
    await expect.poll(() => statesOf(ref)).toEqual(["stopped", "stopped"]);
    expect(await aliveIds(ref)).toEqual(ids);
  });

  test("one machine that is in no state to be stopped does not keep the other running", async () => {
    const { ref, ids } = await running();
    const message = `The instance '${ids[0]}' is not in a state from which it can be stopped.`;
    cloud.edge.inject({ on: "ec2.StopInstances", kind: "error", code: "IncorrectInstanceState", message });
    await opened.provider.stop(ref);
    const states = (await opened.provider.observe(ref)).map(machine => [machine.machineId, machine.state]);
    expect(Object.fromEntries(states)).toEqual({ [ids[0]!]: "running", [ids[1]!]: "stopped" });
  });
});

describe("terminate", () => {
  test.each(names)("ec2.TerminateInstances %s", async name => {
    const { ref, ids } = await running();
    opened = await openProvider(cloud, patienceFor(name, FEW_CALLS));
    cloud.edge.inject(faultOf("ec2.TerminateInstances", name));
    const outcome = await outcomeOf(opened.provider.terminate(ids));
    expect(outcome).toBe(saysOf("ec2.TerminateInstances", name, "unavailable"));
    // What is seen is what is there, whatever was answered.
    expect((await opened.provider.observe(ref)).map(machine => machine.machineId).toSorted()).toEqual(
      await aliveIds(ref),
    );
    if (outcome === "done") expect(await aliveIds(ref)).toEqual([]);
    await opened.provider.terminate(ids);
    expect(await aliveIds(ref)).toEqual([]);
    expect(await opened.provider.observe(ref)).toEqual([]);
  });

  test("one that is protected keeps the others from nothing, and is told of", async () => {
    const { ref, ids } = await running();
    const message = `The instance '${ids[1]}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`;
    cloud.edge.inject({
      on: "ec2.TerminateInstances",
      kind: "error",
      code: "OperationNotPermitted",
      message,
    });
    const ended = opened.provider.terminate(ids);
    await expect(ended).rejects.toMatchObject({ code: "unavailable", details: { machines: [ids[1]] } });
    expect(await aliveIds(ref)).toEqual([ids[1]]);
  });

  test("where a refusal names no machine, each is asked for alone", async () => {
    const { ref, ids } = await running();
    const code = "InvalidInstanceID.NotFound";
    cloud.edge.inject({ on: "ec2.TerminateInstances", kind: "error", code, message: "Some do not exist" });
    await opened.provider.terminate(ids);
    expect(await aliveIds(ref)).toEqual([]);
    expect(times("ec2.TerminateInstances")).toBe(3);
  });
});

describe("observe and sweep", () => {
  const verbs = {
    observe: (ref: ClusterRef) => opened.provider.observe(ref),
    sweep: (_: ClusterRef) => opened.provider.sweep(),
  };
  const cases = (["observe", "sweep"] as const).flatMap(verb => names.map(name => [verb, name] as const));

  test.each(cases)("%s: ec2.DescribeInstances %s", async (verb, name) => {
    const { ref, ids } = await running();
    opened = await openProvider(cloud, patienceFor(name, FEW_CALLS));
    cloud.edge.inject(faultOf("ec2.DescribeInstances", name));
    if (name === "denied") expect(await outcomeOf(verbs[verb](ref))).toBe("unavailable");
    else expect((await verbs[verb](ref)).map(machine => machine.machineId).toSorted()).toEqual(ids);
  });

  test.each(cases.filter(([, name]) => name !== "twice"))(
    "%s: %s for good is never an empty answer",
    async (verb, name) => {
      const { ref } = await running();
      opened = await openProvider(cloud, patienceFor(name, NONE_COMES));
      cloud.edge.inject(faultOf("ec2.DescribeInstances", name, Infinity));
      expect(await outcomeOf(verbs[verb](ref))).toBe(name === "throttled" ? "busy" : "unavailable");
    },
  );
});

describe("setPowerOff", () => {
  test.each(table(["ec2.DescribeInstances", "ec2.ModifyInstanceAttribute"]))("%s %s", async (call, name) => {
    const { ref } = await running();
    opened = await openProvider(cloud, patienceFor(name, FEW_CALLS));
    cloud.edge.inject(faultOf(call, name));
    const outcome = await outcomeOf(opened.provider.setPowerOff(ref, "terminate"));
    expect(outcome).toBe(saysOf(call, name, "unavailable"));
    await opened.provider.setPowerOff(ref, "terminate");
    expect(times("ec2.ModifyInstanceAttribute")).toBeGreaterThanOrEqual(2);
  });
});

describe("kick", () => {
  test.each(names)("ssm.SendCommand %s is never a failure", async name => {
    opened = await openProvider(cloud, patienceFor(name, FEW_CALLS));
    cloud.edge.inject(faultOf("ssm.SendCommand", name));
    const host = { hostId: "hst_1", machineId: "i-0123456789abcdef0" };
    await expect(opened.provider.kick(freshRef(), [host])).resolves.toBeUndefined();
    // Again only where the connection was dead before anything could be said.
    expect(times("ssm.SendCommand")).toBeLessThanOrEqual(name.startsWith("reset") ? 2 : 1);
    if (["throttled", "denied", "failed", "silent", "silent after"].includes(name))
      expect(opened.logged).toEqual([expect.stringContaining("could not be kicked")]);
  });

  test("a host without a machine is not kicked", async () => {
    await opened.provider.kick(freshRef(), [{ hostId: "hst_1" }]);
    expect(cloud.edge.log).toEqual([]);
  });
});
