/** The Random port on node:crypto. */
import { randomBytes } from "node:crypto";
import { ulids } from "@muster/core/id.ts";
import type { Clock, Random } from "@muster/core/ports/ports.ts";

/** Real randomness, and ULIDs that increase within this process. */
export function createRandom(clock: Clock): Random {
  return {
    ulid: ulids(
      () => clock.now(),
      () => randomBytes(4).readUInt32BE() / 2 ** 32,
    ),
    secret: () => randomBytes(32).toString("hex"),
  };
}
