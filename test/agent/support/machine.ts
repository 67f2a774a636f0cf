/** A machine on EC2 whose role the control plane trusts. */
import type { ChildProcess } from "node:child_process";
import { Bench } from "./bench.ts";
import { FakeMetadata } from "./metadata.ts";

export const CREDENTIALS = {
  accessKeyId: "ASIAFIRST00000000",
  secretAccessKey: "first+secret/key",
  sessionToken: "first//token==",
};

export class Machine {
  readonly bench: Bench;
  readonly metadata: FakeMetadata;

  private constructor(bench: Bench, metadata: FakeMetadata) {
    this.bench = bench;
    this.metadata = metadata;
  }

  static async open(): Promise<Machine> {
    const machine = new Machine(await Bench.open(), await FakeMetadata.open());
    machine.metadata.grant(CREDENTIALS);
    machine.bench.plane.trusted.credentials = [CREDENTIALS];
    return machine;
  }

  /** An agent that registers by the machine's role. */
  start(...options: readonly string[]): ChildProcess {
    return this.bench.start(["run", "--register", "ec2", "--metadata", this.metadata.url, ...options]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.bench[Symbol.asyncDispose]();
    await this.metadata[Symbol.asyncDispose]();
  }
}
