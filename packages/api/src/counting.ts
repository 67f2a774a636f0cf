/** Counts who shows something that holds for nobody, on a path that takes it in its body. */
import { MusterError } from "@muster/core/error.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { failures } from "./limits.ts";

/** The same, and whoever failed too often from one address is told to wait. @throws MusterError `too_many` */
export function counting<C extends { readonly from?: string }, T>(
  world: Pick<Facing, "table" | "clock">,
  run: (call: C) => Promise<T>,
): (call: C) => Promise<T> {
  const failed = failures(world);
  return async call => {
    try {
      return await run(call);
    } catch (error) {
      const isWrong = error instanceof MusterError && error.code === "unauthenticated";
      if (isWrong && call.from !== undefined) await failed(call.from);
      throw error;
    }
  };
}
