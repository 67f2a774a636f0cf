/** Which table, and what its adapter needs. */
import type { Digest } from "@muster/core/ports/ports.ts";
import type { Aws } from "../call/aws.ts";

export interface Place {
  readonly aws: Aws;
  /** Of the table. */
  readonly name: string;
  /** Seals cursors. */
  readonly digest: Digest;
  /** Epoch ms. */
  readonly now: () => number;
  /** Of each attempt of a call, in ms; DynamoDB's usual one when absent. */
  readonly timeout?: number | undefined;
}
