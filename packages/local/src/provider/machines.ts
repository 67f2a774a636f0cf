/**
 * What is done to one machine: each change reads its record anew, in the machine's own turn, so that none works from what
 * another has overtaken.
 *
 * *Lifecycle.* on ⇄ off; either → ending, which nothing leads out of but the end of its folder.
 */
import type { Log } from "@muster/core/ports/ports.ts";
import { Lanes } from "./lanes.ts";
import type { Furnish, MachineRecord, Rack } from "./machine.ts";
import type { Power } from "./power.ts";

export class Machines {
  readonly #rack: Rack;
  readonly #power: Power;
  readonly #log: Pick<Log, "error">;
  readonly #lanes = new Lanes();

  constructor(rack: Rack, power: Power, log: Pick<Log, "error">) {
    this.#rack = rack;
    this.#power = power;
    this.#log = log;
  }

  /** The machine of this name: the one that is there, or else a new one. One whose record is broken is made anew. */
  make(
    machineId: string,
    enrollmentToken: string,
    fresh: () => MachineRecord,
    furnish?: Furnish,
  ): Promise<MachineRecord> {
    return this.#lanes.run(machineId, async () => {
      const known = await this.#read(machineId);
      if (known !== undefined) return known;
      const record = fresh();
      await this.#rack.create(record, enrollmentToken, furnish);
      return record;
    });
  }

  /** Sees to it that an agent lives there, if the machine is on. */
  wake(machineId: string): Promise<void> {
    return this.#lanes.run(machineId, async () => {
      const record = await this.#read(machineId);
      if (record?.power === "on") await this.#power.ensure(record);
    });
  }

  /** As `wake`, for a round over all machines: it neither waits for one that is being changed, nor fails with one. */
  async tend({ machineId, power }: MachineRecord): Promise<void> {
    if (power !== "on" || this.#lanes.isBusy(machineId)) return;
    await this.wake(machineId).catch(error =>
      this.#log.error("an agent could not be looked after", { machine: machineId, reason: String(error) }),
    );
  }

  start(machineId: string): Promise<void> {
    return this.#lanes.run(machineId, async () => {
      const record = await this.#read(machineId);
      if (record === undefined || record.power === "ending") return;
      if (record.power === "off") await this.#rack.write({ ...record, power: "on" });
      await this.#power.ensure(record);
    });
  }

  /** @throws MusterError `unavailable` when something of it may run still. */
  stop(machineId: string): Promise<void> {
    return this.#lanes.run(machineId, async () => {
      const record = await this.#read(machineId);
      if (record === undefined || record.power === "ending") return;
      // The record first: after a crash in between, its agent must not come back.
      if (record.power === "on") await this.#rack.write({ ...record, power: "off" });
      await this.#power.cut(machineId);
    });
  }

  /** Also for a machine whose record cannot be read. @throws MusterError `unavailable` as `stop`. */
  terminate(machineId: string): Promise<void> {
    return this.#lanes.run(machineId, async () => {
      const record = await this.#rack.find(machineId);
      if (record === undefined) return;
      if (record !== "unreadable") await this.#rack.write({ ...record, power: "ending" });
      await this.#power.cut(machineId);
      await this.#rack.remove(machineId);
    });
  }

  /** Ends and removes what is left where a machine was that has gone. */
  async bury(machineId: string): Promise<void> {
    await this.#lanes
      .run(machineId, async () => {
        if ((await this.#rack.find(machineId)) !== undefined) return;
        if (!(await this.#rack.names()).includes(machineId)) return;
        await this.#power.cut(machineId);
        await this.#rack.remove(machineId);
      })
      .catch(error =>
        this.#log.error("what is left of a machine could not be removed", {
          machine: machineId,
          reason: String(error),
        }),
      );
  }

  async #read(machineId: string): Promise<MachineRecord | undefined> {
    const found = await this.#rack.find(machineId);
    return found === "unreadable" ? undefined : found;
  }
}
