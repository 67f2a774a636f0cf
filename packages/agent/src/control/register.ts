/** Registration on EC2: the instance's role vouches for it, by a signature that the control plane's gateway checks. */
import { machineFacts } from "../host/machine.ts";
import type { Metadata } from "../host/metadata.ts";
import type { Enrolled, Facts } from "../types.ts";
import { type Control, Refusal } from "./call.ts";

/** Tries once. A refused call teaches what time it is, since a signature of the wrong time is refused. */
export class Registration {
  readonly #control: Control;
  readonly #metadata: Metadata;
  #skew = 0;

  constructor(control: Control, metadata: Metadata) {
    this.#control = control;
    this.#metadata = metadata;
  }

  async send(nonce: string, facts: Facts): Promise<Enrolled> {
    const region = await this.#metadata.get("placement/region");
    const credentials = await this.#metadata.credentials();
    const body = { nonce, facts: { ...facts, ...(await machineFacts(this.#metadata)) } };
    const signing = { credentials, region, service: "execute-api", at: Date.now() + this.#skew };
    try {
      return await this.#control.register(body, signing);
    } catch (error) {
      if (error instanceof Refusal && error.at !== undefined) this.#skew = error.at - Date.now();
      throw error;
    }
  }
}
