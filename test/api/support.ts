/** A door for tests: core's own tokens and idempotency over the real SQLite table in memory, and a log that is kept. */

import type { HttpAnswer, HttpEvent } from "@muster/api/http.ts";
import { type Routes, routes } from "@muster/api/routes.ts";
import { type Call, type Door, type Run, serve } from "@muster/api/serve.ts";
import type { Role } from "@muster/core/actor/actor.ts";
import type * as Cluster from "@muster/core/cluster/cluster.ts";
import { commit, findClaim, Replay } from "@muster/core/commit.ts";
import { MusterError } from "@muster/core/error.ts";
import type { HostActor } from "@muster/core/host/authenticate.ts";
import { grant } from "@muster/core/token/create.ts";
import { verify } from "@muster/core/token/verify.ts";
import { openTable } from "@muster/local/table/table.ts";
import { createDigest } from "@muster/node/digest.ts";
import { createRandom } from "@muster/node/random.ts";
import { onTestFinished } from "vitest";

export const HOST_TOKEN = "Bearer msh_test";

const host: HostActor = {
  workspace: "wsp_test",
  clusterId: "clu_01J00000000000000000000000",
  hostId: "hst_01J00000000000000000000000_0",
  rank: 0,
  host: {
    id: "hst_01J00000000000000000000000_0",
    workspace: "wsp_test",
    clusterId: "clu_01J00000000000000000000000",
    rank: 0,
    generation: 1,
    try: 1,
    createdAt: 0,
    changedAt: 0,
    state: "expected",
    version: 1,
    rest: {},
  },
};

export interface Logged {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface TestDoor extends Door {
  readonly logged: Logged[];
  readonly world: { readonly table: ReturnType<typeof openTable>; readonly clock: { now(): number } };
  /** A bearer token of a new person with this role. */
  token(role: Role, actor?: string): Promise<string>;
}

export function openDoor(): TestDoor {
  const clock = { now: Date.now };
  const digest = createDigest("k".repeat(32));
  const random = createRandom(clock);
  const table = openTable({ path: ":memory:", digest });
  onTestFinished(() => table.close());
  const world = { table, clock, digest, random };
  const logged: Logged[] = [];
  return {
    world,
    logged,
    digest,
    authenticate: authorization => verify(world, authorization),
    authenticateHost: async authorization => {
      if (authorization === HOST_TOKEN) return host;
      throw new MusterError("unauthenticated", "this host token is not valid");
    },
    findClaim: actor => findClaim(world, actor),
    isReplay: error => (error instanceof Replay ? error : undefined),
    log: {
      info: () => {},
      error: (message, fields = {}) => void logged.push({ message, fields }),
    },
    token: async (role, actor = `usr_${role}`) =>
      `Bearer ${(await grant(world, { workspace: "wsp_test", actor, role })).token}`,
  };
}

/** An event as API Gateway makes it of a request for this route. */
export function eventOf(routeKey: string, more: Partial<HttpEvent> = {}): HttpEvent {
  const [method = "", path = ""] = routeKey.split(" ");
  return {
    routeKey,
    rawPath: path,
    rawQueryString: "",
    headers: {},
    isBase64Encoded: false,
    requestContext: { http: { method }, requestId: "req-1" },
    ...more,
  };
}

export const keyOf = (route: { readonly method: string; readonly path: string }) => `${route.method} ${route.path}`;

export const cluster: Cluster.Info = {
  id: "clu_01J00000000000000000000000",
  name: "one",
  state: "requested",
  owner: "usr_ada",
  shared: false,
  provider: "local",
  nodes: 1,
  groups: [{ name: "main", nodes: 1, schedulable: true }],
  generation: 1,
  idle: "never",
  createdAt: 1,
  changedAt: 1,
};

type Create = Routes["clusters.create"];

/** `clusters.create` with a verb that commits one item, with the caller's claim, as core's verbs do. */
export function creating(door: TestDoor, effect: () => void = () => {}, begin: () => void = () => {}) {
  const run: Run<Create> = async ({ actor, body }: Call<Create>) => {
    begin();
    const made = { ...cluster, name: body.name ?? "unnamed" };
    const draft = { pk: "TEST", sk: crypto.randomUUID(), type: "test", data: {} };
    await commit(door.world, actor, [{ put: draft, expect: "absent" }], made);
    effect();
    return made;
  };
  const handler = serve(door, "clusters.create", routes["clusters.create"], run);
  return (token: string | undefined, body: unknown, more: Partial<HttpEvent> & { key?: string } = {}) => {
    const { key, headers, ...rest } = more;
    return handler(
      eventOf("POST /v1/clusters", {
        body: typeof body === "string" ? body : JSON.stringify(body),
        headers: {
          "content-type": "application/json",
          authorization: token,
          "idempotency-key": key,
          ...headers,
        },
        ...rest,
      }),
    );
  };
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape.
export const bodyOf = (answer: HttpAnswer): any => JSON.parse(answer.body);
