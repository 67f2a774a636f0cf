/**
 * The deployment that the gates knock at: all real handlers over the ports of the embedded control plane (its SQLite table in
 * memory, its digest and random), in this process. Machines are a double that offers and launches nothing; AWS's
 * gateway is played by the events themselves.
 */
import { doorOf } from "@muster/api/door.ts";
import type { HttpAnswer, HttpEvent } from "@muster/api/http.ts";
import type { Route } from "@muster/api/route.ts";
import { routes } from "@muster/api/routes.ts";
import { dispatcher, type Handler } from "@muster/api/serve.ts";
import type { Role } from "@muster/core/actor/actor.ts";
import { MusterError } from "@muster/core/error.ts";
import type { MachineProvider } from "@muster/core/ports/provider.ts";
import { grant } from "@muster/core/token/create.ts";
import { handlers } from "../../../functions/handlers.ts";
import { type TestWorld, testWorld } from "../../support/world.ts";

/** From the one that may least to the one that may all. */
export const ROLES: readonly Role[] = ["viewer", "ci", "member", "admin"];

/** The account of the deployment, as its gateway tells it. */
export const ACCOUNT = "123456789012";
export const HOST_ROLE = "muster-host";

export const TABLE: Readonly<Record<string, Route>> = routes;
export const routeOf = (id: string): Route => {
  const route = TABLE[id];
  if (route === undefined) throw new Error(`there is no route ${id}`);
  return route;
};

export interface Ask {
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: string;
  /** Sent as JSON; a text in `raw` as it is. */
  readonly body?: unknown;
  readonly raw?: string;
  /** The whole header `Authorization`. */
  readonly token?: string | undefined;
  readonly key?: string;
  readonly headers?: HttpEvent["headers"];
  readonly iam?: { readonly userArn: string; readonly accountId: string };
  readonly isBase64Encoded?: boolean;
  /** Address that it comes from. */
  readonly from?: string;
}

export interface Logged {
  readonly level: "info" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface Stage {
  readonly world: TestWorld;
  /** Everything that was logged, fields and all. */
  readonly logged: Logged[];
  readonly dispatch: Handler;
  send(id: string, ask?: Ask): Promise<HttpAnswer>;
  /** A header for a new token of somebody in this workspace. */
  token(workspace: string, role: Role, actor?: string): Promise<string>;
}

/** @param reshape what a gate puts around the world's ports, such as counters. */
export function openStage(reshape: (world: TestWorld) => TestWorld = world => world): Stage {
  const made = testWorld();
  const logged: Logged[] = [];
  nameMachines(made);
  const log: TestWorld["log"] = {
    info: (message, fields = {}) => void logged.push({ level: "info", message, fields }),
    error: (message, fields = {}) => void logged.push({ level: "error", message, fields }),
  };
  const world = reshape({ ...made, log, issuers: believing, trust: { account: ACCOUNT, hostRole: HOST_ROLE } });
  const dispatch = dispatcher(doorOf(world), routes, handlers(world));
  return {
    world,
    logged,
    dispatch,
    send: (id, ask = {}) => dispatch(eventFor(routeOf(id), ask)),
    token: async (workspace, role, actor = `usr-${role}`) =>
      `Bearer ${(await grant(world, { workspace, actor, role })).token}`,
  };
}

/** What an issuer says of a job in GitHub Actions, in a token that the double below takes. */
export const GOOD_TOKEN = "good";
const CLAIMS = {
  iss: "https://token.actions.githubusercontent.com",
  aud: "muster",
  sub: "repo:acme/train:ref:refs/heads/main",
  repository: "acme/train",
  ref: "refs/heads/main",
  iat: Date.UTC(2026, 0, 1) / 1_000,
  exp: Date.UTC(2026, 0, 2) / 1_000,
};

/** A double of issuers: it checks no signature, and believes one token. */
const believing: TestWorld["issuers"] = {
  claimed: token => (token === GOOD_TOKEN ? CLAIMS.iss : undefined),
  verify: async token => {
    if (token === GOOD_TOKEN) return CLAIMS;
    throw new MusterError("unauthenticated", "nobody signed this");
  },
};

/** Machines get names like those of EC2, so that they can speak for themselves. */
function nameMachines({ provider, digest }: TestWorld): void {
  const launch: MachineProvider["launch"] = provider.launch.bind(provider);
  provider.launch = async intent => {
    const named = (await launch(intent)).map(machine => {
      const machineId = machineIdOf(digest, machine.hostId ?? "");
      provider.machines.delete(machine.machineId);
      provider.machines.set(machineId, { ...machine, machineId });
      return { ...machine, machineId };
    });
    return named;
  };
}

/** What the machine of a host is called. */
export const machineIdOf = (digest: TestWorld["digest"], hostId: string): string =>
  `i-${digest.hash(hostId).slice(0, 17)}`;

/** What the gateway says of such a machine. */
export const machineOf = (machineId: string) => ({
  userArn: `arn:aws:sts::${ACCOUNT}:assumed-role/${HOST_ROLE}/${machineId}`,
  accountId: ACCOUNT,
});

/** The request as API Gateway would hand it over. */
export function eventFor(route: Route, ask: Ask): HttpEvent {
  const { params = {}, query = "", iam } = ask;
  const text = ask.raw ?? (ask.body === undefined ? undefined : JSON.stringify(ask.body));
  const path = route.path.replaceAll(/\{(\w+)\+?\}/g, (_, name: string) =>
    encodeURIComponent((params[name] ?? "").toWellFormed()),
  );
  return {
    routeKey: `${route.method} ${route.path}`,
    rawPath: path,
    rawQueryString: query,
    headers: {
      ...(text !== undefined && { "content-type": "application/json" }),
      authorization: ask.token,
      "idempotency-key": ask.key,
      ...ask.headers,
    },
    pathParameters: params,
    ...(text !== undefined && { body: text }),
    isBase64Encoded: ask.isBase64Encoded ?? false,
    requestContext: {
      requestId: "req-1",
      http: { method: route.method, ...(ask.from && { sourceIp: ask.from }) },
      ...(iam && { authorizer: { iam } }),
    },
  };
}

/** What somebody shows who passes: as the route's `auth` wants it. */
export interface Passes {
  readonly users: Readonly<Record<Role, string>>;
  readonly host: string;
  readonly person: NonNullable<Ask["iam"]>;
  readonly machine: NonNullable<Ask["iam"]>;
}

export const PERSON = { userArn: `arn:aws:iam::${ACCOUNT}:user/ada`, accountId: ACCOUNT };
export async function passesOf(stage: Stage, workspace: string, host: string): Promise<Passes> {
  const made = await Promise.all(ROLES.map(async role => [role, await stage.token(workspace, role)] as const));
  return {
    users: Object.fromEntries(made) as Passes["users"],
    host,
    person: PERSON,
    machine: machineOf("i-0123456789abcdef0"),
  };
}

/** Signed routes that only a machine may call; all the others are for people of the account. */
const MACHINES = (id: string): boolean => id.startsWith("agent.");

export function passFor(passes: Passes, id: string, role: Role = "admin"): Pick<Ask, "token" | "iam"> {
  const { auth } = routeOf(id);
  if (auth === "iam") return { iam: MACHINES(id) ? passes.machine : passes.person };
  if (auth === "none") return {};
  return { token: auth === "host" ? passes.host : passes.users[role] };
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into answers of any shape.
export const jsonOf = (answer: HttpAnswer): any => JSON.parse(answer.body);
