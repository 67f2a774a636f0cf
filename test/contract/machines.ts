/**
 * The contract of the MachineProvider port. Every provider passes this suite as it stands; the tests that call it say
 * which did, and against what.
 *
 * The suite never waits for a time: where an observation may lag, or a machine takes a while, it looks again and again.
 */
import * as Host from "@muster/core/host/host.ts";
import type { ClusterRef, Intent, Machine, MachineProvider, Offer } from "@muster/core/ports/provider.ts";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

export interface MachinesSubject {
  readonly provider: MachineProvider;
  /** Of the smallest machine. */
  readonly offer: Offer;
  readonly workspace: string;
  /** Makes the next launch of this intent meet a cloud that has room for some of its hosts only. */
  readonly fill: (intent: Intent) => Promise<Intent> | Intent;
  readonly close: () => Promise<void> | void;
}

const WITHIN = { timeout: 30_000 };

/** For clouds in which several deployments can be: one more of them. */
export interface SharedSubject extends MachinesSubject {
  readonly other: MachineProvider;
}

export function machinesContract(name: string, open: () => Promise<MachinesSubject>): void {
  describe(`MachineProvider: ${name}`, () => {
    let subject: MachinesSubject;
    let provider: MachineProvider;
    beforeAll(async () => {
      subject = await open();
      provider = subject.provider;
    });
    afterAll(() => subject?.close());

    const launched = async (hosts = 1, of = freshRef()) => {
      const machines = await provider.launch(intentFor(subject, of, hosts));
      return { ref: of, machines, ids: idsOf(machines) };
    };
    const freshRef = () => refOf(subject.workspace);
    const statesOf = async (ref: ClusterRef, of = provider) => (await of.observe(ref)).map(machine => machine.state);
    const seen = (ref: ClusterRef) => expect.poll(async () => idsOf(await provider.observe(ref)), WITHIN);
    const allAre = (ref: ClusterRef, state: Machine["state"]) =>
      expect.poll(async () => new Set(await statesOf(ref)), WITHIN).toEqual(new Set([state]));

    describe("offers", () => {
      test("are the same each time, cheapest first, and of machine types that the catalog lists", async () => {
        const { offers } = await provider.offers({}, 1);
        expect(await provider.offers({}, 1)).toMatchObject({ offers });
        expect(offers.map(offer => offer.hourly)).toEqual(offers.map(offer => offer.hourly).toSorted((a, b) => a - b));
        expect(new Set(offers.map(offer => offer.provider))).toEqual(new Set([provider.name]));
        const listed = new Set((await provider.catalog()).map(type => type.instanceType));
        expect(offers.filter(offer => !listed.has(offer.instanceType))).toEqual([]);
        expect(offers.length).toBeGreaterThan(0);
      });

      test("of a machine that does not exist there are none, with a reason", async () => {
        const { offers, reason } = await provider.offers({ instanceType: "no.such-type" }, 1);
        expect(offers).toEqual([]);
        expect(reason).toContain("no.such-type");
      });
    });

    describe("launch", () => {
      test("makes one machine per host, each with what it was made for", async () => {
        const { ref, machines } = await launched(3);
        expect(machines.toSorted(byHost)).toMatchObject(
          [0, 1, 2].map(rank => ({ ...ref, generation: 1, try: 1, hostId: Host.idOf(ref.clusterId, rank) })),
        );
        expect(new Set(idsOf(machines)).size).toBe(3);
        await seen(ref).toEqual(idsOf(machines));
      });

      test("the same intent again, and at the same time, makes nothing more", async () => {
        const { ref, ids } = await launched(2);
        const again = await Promise.all([1, 2, 3].map(() => provider.launch(intentFor(subject, ref, 2))));
        expect(again.map(idsOf)).toEqual([ids, ids, ids]);
        await seen(ref).toEqual(ids);
        expect(idsOf(await provider.sweep()).filter(id => ids.includes(id))).toEqual(ids);
      });

      test("the first two of an intent, at the same time, make its machines once", async () => {
        const ref = freshRef();
        const both = await Promise.all([1, 2].map(() => provider.launch(intentFor(subject, ref, 2))));
        expect(idsOf(both[0]!)).toEqual(idsOf(both[1]!));
        await seen(ref).toEqual(idsOf(both[0]!));
      });

      test("another try, and another generation, make machines of their own", async () => {
        const { ref, ids } = await launched();
        const next = await provider.launch({ ...intentFor(subject, ref), try: 2 });
        const later = await provider.launch({ ...intentFor(subject, ref), generation: 2 });
        expect(new Set([...ids, ...idsOf(next), ...idsOf(later)]).size).toBe(3);
        expect([next, later].flat().map(machine => [machine.generation, machine.try])).toEqual([
          [1, 2],
          [2, 1],
        ]);
        await seen(ref).toEqual([...ids, ...idsOf(next), ...idsOf(later)].toSorted());
      });

      test("without room for all hosts none is made, and a later try may succeed", async () => {
        const intent = await subject.fill(intentFor(subject, freshRef(), 2));
        await expect(provider.launch(intent)).rejects.toMatchObject({ code: "no_capacity" });
        expect(await provider.observe(intent)).toEqual([]);
        const after = { ...intentFor(subject, intent, 2), try: 2 };
        expect(await provider.launch(after)).toHaveLength(2);
      });
    });

    describe("observe and sweep", () => {
      test("a cluster shows its own machines only, and no machine of another workspace", async () => {
        const [one, two] = [await launched(), await launched()];
        const elsewhere = { workspace: `${subject.workspace}-2`, clusterId: one.ref.clusterId };
        const third = await launched(1, elsewhere);
        await seen(one.ref).toEqual(one.ids);
        await seen(two.ref).toEqual(two.ids);
        await seen(elsewhere).toEqual(third.ids);
        expect((await provider.observe(elsewhere)).map(machine => machine.workspace)).toEqual([elsewhere.workspace]);
      });

      test("a cluster that never was has no machines", async () => {
        expect(await provider.observe(freshRef())).toEqual([]);
      });

      test("the sweep shows all of them, each as its cluster does", async () => {
        const { ref, ids } = await launched(2);
        await allAre(ref, "running");
        const swept = (await provider.sweep()).filter(machine => machine.clusterId === ref.clusterId);
        expect(idsOf(swept)).toEqual(ids);
        expect(swept.toSorted(byHost)).toEqual((await provider.observe(ref)).toSorted(byHost));
      });
    });

    describe("power", () => {
      test("stopped and started again, twice each, a cluster has the machines that it had", async () => {
        const { ref, ids } = await launched(2);
        await allAre(ref, "running");
        for (const _ of [1, 2]) await provider.stop(ref);
        await allAre(ref, "stopped");
        for (const _ of [1, 2]) await provider.start(ref);
        await allAre(ref, "running");
        await seen(ref).toEqual(ids);
      });

      test("what is stopped is still seen, swept, and can be terminated", async () => {
        const { ref, ids } = await launched();
        await allAre(ref, "running");
        await provider.stop(ref);
        await allAre(ref, "stopped");
        expect(idsOf(await provider.sweep()).filter(id => ids.includes(id))).toEqual(ids);
        await provider.terminate(ids);
        await seen(ref).toEqual([]);
      });

      test("one cluster's power is not another's", async () => {
        const [one, two] = [await launched(), await launched()];
        await allAre(one.ref, "running");
        await allAre(two.ref, "running");
        await provider.stop(one.ref);
        await allAre(one.ref, "stopped");
        expect(await statesOf(two.ref)).toEqual(["running"]);
      });

      test("to stop a cluster without machines is no failure", async () => {
        await expect(provider.stop(freshRef())).resolves.toBeUndefined();
      });
    });

    describe("terminate", () => {
      test("ends the machines that it names, and no other", async () => {
        const { ref, ids } = await launched(3);
        await provider.terminate(ids.slice(0, 2));
        await seen(ref).toEqual(ids.slice(2));
        await provider.terminate(ids);
        await seen(ref).toEqual([]);
        expect(idsOf(await provider.sweep()).filter(id => ids.includes(id))).toEqual([]);
      });

      test("again, and of machines that never were, it is success; the others of the call end", async () => {
        const { ref, ids } = await launched();
        await provider.terminate([...unknown, ...ids]);
        await seen(ref).toEqual([]);
        await expect(provider.terminate([...ids, ...unknown])).resolves.toBeUndefined();
        await expect(provider.terminate(unknown)).resolves.toBeUndefined();
        await expect(provider.terminate([])).resolves.toBeUndefined();
      });
    });

    test("a kick never fails, whatever it is for", async () => {
      const ref = freshRef();
      const hostId = Host.idOf(ref.clusterId, 0);
      await expect(provider.kick(ref, [])).resolves.toBeUndefined();
      await expect(provider.kick(ref, [{ hostId }])).resolves.toBeUndefined();
      await expect(provider.kick(ref, [{ hostId, machineId: unknown[0]! }, { hostId }])).resolves.toBeUndefined();
    });
  });
}

/** What holds besides where the cloud is shared with other deployments. */
export function sharedContract(name: string, open: () => Promise<SharedSubject>): void {
  test(`MachineProvider: ${name}: another deployment's machines are neither seen nor stopped nor started`, async () => {
    const subject = await open();
    const { provider, other, workspace } = subject;
    const ref = refOf(workspace);
    const mine = idsOf(await provider.launch(intentFor(subject, ref)));
    const theirs = idsOf(await other.launch(intentFor(subject, ref)));
    expect(theirs).not.toEqual(mine);
    const statesAre = (of: MachineProvider, state: Machine["state"]) =>
      expect.poll(async () => (await of.observe(ref)).map(machine => machine.state), WITHIN).toEqual([state]);
    await statesAre(provider, "running");
    await statesAre(other, "running");
    expect(idsOf(await provider.observe(ref))).toEqual(mine);
    expect(idsOf(await other.observe(ref))).toEqual(theirs);
    expect(idsOf(await provider.sweep())).not.toContain(theirs[0]);
    expect(idsOf(await other.sweep())).not.toContain(mine[0]);
    await provider.stop(ref);
    await statesAre(provider, "stopped");
    await statesAre(other, "running");
    await other.stop(ref);
    await statesAre(other, "stopped");
    await provider.start(ref);
    await statesAre(provider, "running");
    await statesAre(other, "stopped");
    await subject.close();
  });
}

const idsOf = (machines: readonly Machine[]): string[] => machines.map(machine => machine.machineId).toSorted();

const byHost = (a: Pick<Machine, "hostId">, b: Pick<Machine, "hostId">): number => (a.hostId < b.hostId ? -1 : 1);

/** Of machines that no provider ever made: one in the form that EC2 gives its own, and one that is none of anybody's. */
const unknown = ["i-0123456789abcdef0", "no-machine"];

let clusters = 0;

/** A cluster that nobody else uses. */
function refOf(workspace: string): ClusterRef {
  clusters += 1;
  return { workspace, clusterId: `clu_${clusters.toString().padStart(26, "0")}` };
}

function intentFor(subject: Pick<MachinesSubject, "offer">, ref: ClusterRef, hosts = 1): Intent {
  const { workspace, clusterId } = ref;
  return {
    workspace,
    clusterId,
    generation: 1,
    try: 1,
    group: "main",
    offer: subject.offer,
    label: { cluster: "train", owner: "usr_ada" },
    resources: {},
    onPowerOff: "stop",
    hosts: Array.from({ length: hosts }, (_, rank) => ({
      hostId: Host.idOf(clusterId, rank),
      rank,
      enrollmentToken: `t${rank}`,
    })),
  };
}
