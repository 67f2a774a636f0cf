/** A host as core sees it: enrolls, polls and reports through the real verbs, without a machine. */

import { poll } from "@muster/core/agent/poll.ts";
import type { Orders, Poll, Report } from "@muster/core/agent/protocol.ts";
import { report } from "@muster/core/agent/report.ts";
import { authenticate } from "@muster/core/host/authenticate.ts";
import { enroll } from "@muster/core/host/enroll.ts";
import type { Facts } from "@muster/core/host/host.ts";
import type { Intent } from "@muster/core/ports/provider.ts";
import type { TestWorld } from "./world.ts";

export const FACTS: Facts = {
  address: "10.0.0.1",
  cpus: 4,
  memory: 16e9,
  gpus: [],
  os: "linux",
  arch: "x64",
  agentVersion: "0.1.0",
};
const PULSE = { cpu: 0, memory: 0.1, gpus: [], sessions: 0 };

export class TestHost {
  readonly #world: TestWorld;
  readonly #token: string;

  constructor(world: TestWorld, token: string) {
    this.#world = world;
    this.#token = token;
  }

  async poll(attempts: Poll["attempts"] = [], notice?: Poll["notice"]): Promise<Orders> {
    const actor = await authenticate(this.#world, `Bearer ${this.#token}`);
    return poll(this.#world, actor, { pulse: PULSE, attempts, ...(notice && { notice }) });
  }

  /** As the control plane knows it by its token. */
  actor() {
    return authenticate(this.#world, `Bearer ${this.#token}`);
  }

  async report(said: Report) {
    return report(this.#world, await authenticate(this.#world, `Bearer ${this.#token}`), said);
  }

  /** Reports a whole run that ends with this exit code. */
  async run(ref: { jobId: string; fence: number }, exitCode: number) {
    const { jobId, fence } = ref;
    await this.report({ jobId, fence, state: "running" });
    return this.report({ jobId, fence, state: "exited", cause: "exited", exitCode, chunks: 0, logsComplete: true });
  }
}

/** Enrolls the hosts of a launch, of the last one unless told, in order of rank. */
export async function enrollAll(
  world: TestWorld,
  found: Facts = FACTS,
  intent: Pick<Intent, "hosts"> | undefined = world.provider.intents.at(-1),
): Promise<TestHost[]> {
  const hosts: TestHost[] = [];
  for (const host of intent?.hosts ?? []) {
    const facts = { ...found, address: `10.0.0.${host.rank + 1}` };
    const nonce = String(host.rank).repeat(64).slice(0, 64);
    const { hostToken } = await enroll(world, { token: host.enrollmentToken, nonce, facts });
    hosts.push(new TestHost(world, hostToken));
  }
  return hosts;
}
