/** A world that believes some issuers: the real verbs over the real SQLite table, and the Issuers port on jose. */
import * as Issuer from "@muster/core/issuer/issuer.ts";
import { set } from "@muster/core/issuer/set.ts";
import { createIssuers } from "@muster/node/issuers.ts";
import { ADA, testWorld } from "../../support/world.ts";
import { GITHUB, githubClaims, Network, signed, signing } from "./issuer.ts";
import type { Case } from "./refusals.ts";

export const ADMIN = { ...ADA, role: "admin" } as const;
export const OPERATOR = { workspace: "main", id: "usr_root", role: "admin" } as const;
export const MINUTE = 60_000;

export const keys = { key: signing("key"), curve: signing("curve", "ES256"), forged: signing("forged") };

type Change = Parameters<typeof Issuer.Change.parse>[0];

export const CI = {
  url: GITHUB,
  audiences: ["muster"],
  rules: [{ when: { repository: "octo-org/octo-repo" }, role: "ci" }],
};

/** A world that believes these issuers, each of them published. */
export async function open(issuers: Readonly<Record<string, Change>> = { github: CI }) {
  const network = new Network();
  const world = testWorld();
  const logged: string[] = [];
  const log = { ...world.log, info: (_message: string, fields?: object) => void logged.push(JSON.stringify(fields)) };
  const edge = { ...world, log, issuers: createIssuers({ outbound: network, clock: world.clock }) };
  for (const [name, change] of Object.entries(issuers)) {
    await set(edge, ADMIN, name, Issuer.Change.parse(change));
    const { url } = change as { url?: string };
    if (url !== undefined) network.publish(url, [keys.key.jwk, keys.curve.jwk]);
  }
  const at: Case = { now: world.clock.now(), key: keys.key, curve: keys.curve, forged: keys.forged, network };
  return { world: edge, network, logged, at, clock: world.clock };
}

export type Opened = Awaited<ReturnType<typeof open>>;
export const token = ({ clock }: Opened, more: object = {}) =>
  signed(keys.key, githubClaims(clock.now(), { aud: "muster", ...more }));
export const told = (promise: Promise<unknown>) => promise.then(() => "let in").catch((error: Error) => error.message);
