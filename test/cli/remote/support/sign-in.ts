/** Signing in, for tests: a real OpenID provider that is not ours, the real handlers over a real table, and a person with a browser. */
import { readFileSync, writeFileSync } from "node:fs";
import type { InputOf } from "@muster/api/route.ts";
import type { Routes } from "@muster/api/routes.ts";
import { createIssuers } from "@muster/node/issuers.ts";
import { createOutbound } from "@muster/node/outbound.ts";
import { afterAll, beforeAll, beforeEach } from "vitest";
import { type InProcess, openPlane } from "../../../support/plane.ts";
import { type Door, openDoor } from "../../support/door.ts";
import { type Ended, Home, type Running } from "../../support/muster.ts";
import { Browser } from "./browser.ts";
import { CLIENT, type Oidc, openOidc } from "./oidc.ts";

type Change = InputOf<Routes["issuers.set"]>["body"];

export interface Place {
  readonly oidc: Oidc;
  readonly plane: InProcess;
  readonly door: Door;
  /** The control plane's, ahead by so many ms. */
  readonly clock: { ahead: number; now(): number };
  /** Sets an issuer: the provider, and whoever is at acme.example. */
  set(name?: string, more?: object): Promise<unknown>;
}

/** Opens everything for the tests of a file, in which Ada has an account. */
export function useProvider(): Place {
  const clock = { ahead: 0, now: () => Date.now() + clock.ahead };
  const place = { clock } as { -readonly [K in keyof Place]: Place[K] };
  place.set = (name = "acme", more = {}) => {
    const rules: Change["rules"] = [{ when: { email: "*@acme.example" }, role: "member" }];
    const body: Change = { url: place.oidc.url, clientId: CLIENT, rules, ...more };
    return place.plane.api.issuers.set({ params: { name }, body });
  };
  beforeAll(async () => {
    [place.oidc, place.plane] = await Promise.all([openOidc(), openPlane()]);
    const outbound = createOutbound({ allow: ["127.0.0.1"] });
    const issuers = createIssuers({ outbound, clock }, { fresh: 600_000, stale: 3_600_000, cooldown: 0 });
    place.door = await openDoor({ ...place.plane.plane.world, clock, issuers });
  });
  afterAll(async () => {
    await place.door[Symbol.asyncDispose]();
    await place.plane.close();
    await place.oidc[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    clock.ahead = 0;
    place.oidc.people.clear();
    place.oidc.people.set("ada", { email: "ada@acme.example", email_verified: true });
    place.oidc.said.length = 0;
    place.oidc.grants.length = 0;
    await place.set();
  });
  return place;
}

/** The person's own browser is the test. */
export const newHome = ({ oidc }: Place, env: NodeJS.ProcessEnv = {}) =>
  new Home({ NODE_EXTRA_CA_CERTS: oidc.cert, BROWSER: "true", ...env });

export const stored = (home: Home) => JSON.parse(readFileSync(home.config, "utf8"));

/** The address that a command tells, once it does. */
export async function told(running: Running, pattern: RegExp): Promise<string> {
  const said = { text: "" };
  const { promise, resolve } = Promise.withResolvers<string>();
  running.child.stderr?.on("data", part => {
    said.text += part;
    const found = pattern.exec(said.text)?.[1];
    if (found !== undefined) resolve(found);
  });
  const gone = running.ended.then(({ err }) => {
    throw new Error(`it ended: ${err}`);
  });
  return Promise.race([promise, gone]);
}

/** Signs in, as somebody. */
export async function withBrowser({ door }: Place, home: Home, login = "ada"): Promise<Ended> {
  const running = home.start(["login", door.url, "--browser", "--name", "prod"]);
  const url = await told(running, /^\s+(https:\S+)$/m);
  await new Browser().visit(url, { login });
  return running.ended;
}

/** As if the hour were nearly over. */
export function age(home: Home, change: object = { expiresAt: Date.now() + 1000 }): void {
  const config = stored(home);
  Object.assign(config.contexts.prod, change);
  writeFileSync(home.config, JSON.stringify(config));
}
