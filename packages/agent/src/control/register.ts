/** Registration on EC2: the instance's role vouches for it, by a signature that the control plane's gateway checks. */
import { machineFacts } from "../host/machine.ts";
import type { Metadata } from "../host/metadata.ts";
import type { Facts } from "../types.ts";
import { type Control, Refusal } from "./call.ts";
import type { Identity } from "./enroll.ts";

export interface RegistrationOptions {
  readonly control: Control;
  readonly metadata: Metadata;
  /** How long a machine whose session agent does not run yet is not called one without, in ms. */
  readonly sessionAgentWithin: number;
  readonly hasSessionAgent: () => boolean;
}

/** Tries once. A refused call teaches what time it is, since a signature of the wrong time is refused. */
export class Registration {
  readonly #options: RegistrationOptions;
  readonly #began = performance.now();
  #skew = 0;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  async send(nonce: string, facts: Facts): Promise<Identity> {
    const { control, metadata, sessionAgentWithin, hasSessionAgent } = this.#options;
    const region = await metadata.get("placement/region");
    const credentials = await metadata.credentials();
    const sessionAgent = hasSessionAgent();
    const machine = { ...(await machineFacts(metadata)), sessionAgent };
    if (!sessionAgent && performance.now() - this.#began < sessionAgentWithin)
      throw new Error("the machine's session agent does not run yet");
    const signing = { credentials, region, service: "execute-api", at: Date.now() + this.#skew };
    try {
      const enrolled = await control.register({ nonce, facts: { ...facts, ...machine } }, signing);
      return { ...enrolled, ...(machine.machineId !== undefined && { machineId: machine.machineId }) };
    } catch (error) {
      if (error instanceof Refusal && error.at !== undefined) this.#skew = error.at - Date.now();
      throw error;
    }
  }
}
