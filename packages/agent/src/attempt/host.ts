/** What an attempt needs of the agent that holds it. */

import type { Ballast } from "../ballast.ts";
import type { Mounts } from "../bucket/mounts.ts";
import type { Containers } from "../container/containers.ts";
import type { Control } from "../control/call.ts";
import type { Clock } from "../control/clock.ts";
import type { Peers } from "../gang/peers.ts";
import type { Home } from "../home.ts";
import type { Surroundings } from "../host/surroundings.ts";
import type { Journal } from "../journal.ts";
import type { Ports } from "../service/ports.ts";
import type { Setups } from "../setups.ts";
import type { Attempt } from "./attempt.ts";

export interface Host {
  readonly home: Home;
  readonly machine: Surroundings;
  readonly control: Control;
  readonly clock: Clock;
  readonly journal: Journal;
  readonly setups: Setups;
  readonly ports: Ports;
  readonly peers: Peers;
  readonly mounts: Mounts;
  readonly containers: Containers;
  readonly ballast: Ballast;
  pollSoon(): void;
  /** The control plane has taken the attempt's end. */
  forget(attempt: Attempt): void;
  /** The control plane says that the attempt is not this host's any more. */
  revoke(attempt: Attempt): void;
}
