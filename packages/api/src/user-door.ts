/** How requests of users come in: what serving needs of a world where no host calls. */
import { findClaim, Replay } from "@muster/core/commit.ts";
import { MusterError } from "@muster/core/error.ts";
import type { Facing } from "@muster/core/ports/world.ts";
import { verify } from "@muster/core/token/verify.ts";
import { failures, type Limit } from "./limits.ts";
import type { Door } from "./serve.ts";

type Ask<T> = (authorization: string | undefined, from?: string) => Promise<T>;

/** @param limit of requests by token; absent: there is none, as where one process serves one person */
export function userDoorOf(world: Facing, limit?: Limit): Door {
  const beside = new Set<Promise<void>>();
  return {
    authenticate: counted(world, async authorization => {
      const actor = await verify(world, authorization, work => {
        const done = work
          .catch(error => world.log.info("a token's use was not noted", { reason: String(error) }))
          .finally(() => beside.delete(done));
        beside.add(done);
      });
      limit?.(String(actor.via?.token));
      return actor;
    }),
    authenticateHost: async () => {
      throw new MusterError("unauthenticated", "no host is known here");
    },
    settled: () => Promise.all(beside),
    findClaim: actor => findClaim(world, actor),
    isReplay: error => (error instanceof Replay ? error : undefined),
    digest: world.digest,
    log: world.log,
  };
}

/**
 * Who shows something that holds for nobody is counted by address, and told to wait once there were too many. What holds is
 * let in however many there were: others have the same address.
 */
export function counted<T>(world: Pick<Facing, "table" | "clock">, ask: Ask<T>): Ask<T> {
  const failed = failures(world);
  return async (authorization, from) => {
    try {
      return await ask(authorization);
    } catch (error) {
      const isWrong = error instanceof MusterError && error.code === "unauthenticated";
      if (isWrong && authorization !== undefined && from !== undefined) await failed(from);
      throw error;
    }
  };
}
