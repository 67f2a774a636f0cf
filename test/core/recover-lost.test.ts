/** Jobs whose hosts are lost, through the real verbs, on SQLite in memory; hosts speak the real agent verbs without a machine. */
import { get as getCluster } from "@muster/core/cluster/read.ts";
import * as Slots from "@muster/core/cluster/slots.ts";
import * as Host from "@muster/core/host/host.ts";
import { note } from "@muster/core/host/notice.ts";
import { why } from "@muster/core/job/why.ts";
import * as Keys from "@muster/core/keys.ts";
import { load } from "@muster/core/record.ts";
import { describe, expect, test } from "vitest";
import { passing } from "../support/requests.ts";
import { ADA } from "../support/world.ts";
import { assignedAll, begun, events, jobOf, type Retry, unlessGone } from "./recover-support.ts";

describe("a host is lost", () => {
  const retry: Retry = { max: 2, on: ["host_lost", "interruption"], backoff: 0 };

  async function lose(nodes: number) {
    const made = await begun(retry, { nodes });
    const { hosts, id } = made;
    const refs = await assignedAll(hosts);
    for (const [rank, { fence }] of refs.entries()) await hosts[rank]?.report({ jobId: id, fence, state: "running" });
    return { ...made, refs };
  }

  /** The last host's machine ends; the others go on calling, and end their part when they are told to. */
  async function goesOn({ world, hosts, refs, id }: Awaited<ReturnType<typeof lose>>, minutes: number) {
    const machine = [...world.provider.machines.values()].at(-1);
    world.provider.machines.delete(machine?.machineId ?? "");
    await passing(world, minutes, async () => {
      for (const [rank, host] of hosts.slice(0, -1).entries()) {
        const orders = await host.poll([{ jobId: id, fence: refs[rank]?.fence ?? 0 }]).catch(unlessGone);
        if (orders?.held[0]?.cancel === undefined) continue;
        const end = { jobId: id, fence: refs[rank]?.fence ?? 0, state: "exited", cause: "cancelled", exitCode: 143 };
        await host.report({ ...end, chunks: 0, logsComplete: true } as never);
      }
    });
  }

  test("of a gang: all its hosts are given back at once, and it waits for the one that is missing", async () => {
    const made = await lose(2);
    const { world, clusterId, id } = made;
    await goesOn(made, 13);
    expect(await jobOf(world, id)).toMatchObject({ state: "queued", attempts: 1 });
    const slots = await Slots.get(world.table, "acme", clusterId);
    expect(slots && Slots.busy(slots)).toEqual([]);
    expect((await why(world, ADA, id)).reasons.join("; ")).toContain("1 host of it is lost, and not yet given up");
  });

  test("and does not come back: the cluster is given up in time, and the job ends with its reason", async () => {
    const made = await lose(2);
    const { world, clusterId, id } = made;
    await goesOn(made, 40);
    expect(await jobOf(world, id)).toMatchObject({ state: "failed", failure: { code: "hosts_lost" } });
    expect((await getCluster(world, ADA, clusterId)).state).toBe("failed");
  });

  test("and comes back: the job goes on there", async () => {
    const made = await lose(2);
    const { world, hosts, id } = made;
    await goesOn(made, 13);
    await hosts[1]?.poll();
    const [zero, one] = await assignedAll(hosts);
    expect(new Set([zero?.jobId, one?.jobId])).toEqual(new Set([id]));
    expect(zero?.fence).toBeGreaterThan(made.refs[0]?.fence ?? 0);
    expect((await jobOf(world, id)).attempts).toBe(2);
  });

  test("which the cloud took back: that counts as an interruption", async () => {
    const made = await lose(2);
    const { world, clusterId, id } = made;
    const host = await load(world.table, Host.noun, Keys.host("acme", clusterId, 1));
    if (host) await note(world, host, "interruption");
    await goesOn(made, 13);
    const end = (await events(world, id)).find(event => event.kind === "job.recovering");
    expect(end?.details).toMatchObject({ cause: "interrupted" });
  });
});
