/** The words in which failures of AWS are told apart. */
import type { Offer } from "@muster/core/ports/provider.ts";

/**
 * `throttled`: certainly not applied, and the same call may succeed later. `refused`: AWS said no, so it was not applied,
 * and saying it again will not help. `unknown`: nobody knows whether it was applied.
 */
export type Kind = "throttled" | "refused" | "unknown";

/** What an answer says of a failure. */
export interface Problem {
  /** AWS's own, such as ConditionalCheckFailedException. */
  readonly code: string;
  readonly message: string;
  /** The whole error as it was answered, such as with CancellationReasons. */
  readonly body: Readonly<Record<string, unknown>>;
}

export interface Facts extends Omit<Problem, "body"> {
  readonly body?: Readonly<Record<string, unknown>>;
  /** Such as `ec2`; it makes the name of a missing permission. */
  readonly service?: string;
  readonly operation: string;
  /** Of HTTP; 0 when no answer came. */
  readonly status: number;
  readonly kind: Kind;
}

/** What the caller was about, so that the words can say it. */
export interface Context {
  /** In a launch, a refusal that says nothing about capacity is a launch that will never do. */
  readonly during?: "launch";
  readonly region?: string | undefined;
  readonly zone?: string | undefined;
  readonly instanceType?: string | undefined;
  readonly market?: Offer["market"] | undefined;
  readonly image?: string | undefined;
}
