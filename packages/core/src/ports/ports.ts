/** The smaller ports. */

export interface Clock {
  /** Epoch ms. */
  now(): number;
}

export interface Random {
  /** 26 characters, sortable by time, increasing within one process. */
  ulid(): string;
  /** 256 bits, as 64 hex digits. */
  secret(): string;
}

/** Keyed hashing, synchronous, so that core stays free of I/O. The key belongs to the deployment. */
export interface Digest {
  /** SHA-256 as hex. */
  hash(text: string): string;
  /** HMAC-SHA-256 as hex, apart for each purpose. */
  mac(purpose: string, text: string): string;
  /** Constant-time comparison. */
  same(a: string, b: string): boolean;
  /** SHA-256 of bytes as they came, as hex. */
  hashOf(bytes: Uint8Array): string;
  /** HMAC-SHA-256 as hex under a key that others have as well: for signatures that they make, or check. */
  sign(key: Uint8Array, bytes: Uint8Array): string;
}

export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Something that should not be, for whoever watches over numbers; absent where nobody does. */
  count?(name: Alarming, value: number): void;
}

export type Alarming = "OrphansFound" | "OrphansHeld" | "DrainingTooLong" | "HostsBraked" | "DeadLetters";

/** What drives a provisioning or a teardown in time. The record is the truth; this only calls reconcilers at the right time. */
export interface Workflow {
  /**
   * Starts the machine under a name; the same name twice is one execution.
   * @returns whether somebody now drives it. When not, the caller reconciles itself.
   */
  start(
    machine: "cluster-up" | "cluster-down",
    name: string,
    input: Readonly<Record<string, unknown>>,
  ): Promise<boolean>;
}
