/** What a sweep finds: something at a provider that should not be there as it is, and what becomes of it. */
import type { Offer } from "../ports/provider.ts";

export type Kind = "machine" | "snapshots" | "image" | "placement_group";

/** What was decided about it, before anything is done. */
export interface Finding {
  readonly workspace: string;
  readonly provider: string;
  readonly kind: Kind;
  /** The provider's name of it; of a move's snapshots the cluster and the count of the move; of an image its id. */
  readonly id: string;
  readonly clusterId?: string | undefined;
  /** Epoch ms since when it is there; absent where nobody knows. */
  readonly since?: number | undefined;
  readonly instanceType?: string | undefined;
  readonly market?: Offer["market"] | undefined;
  /** `keep`: it is only told of. */
  readonly act: "terminate" | "stop" | "delete" | "keep";
  /** A sentence for people, without a full stop. */
  readonly why: string;
}

/** What came of it. `found`: nothing was to be done now. */
export type Outcome = "found" | "done" | "failed";

export interface Swept extends Finding {
  readonly outcome: Outcome;
}
