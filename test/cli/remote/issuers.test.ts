/**
 * Issuers, and signing in without a person: the command line as a process, the real handlers over a real table. GitHub's
 * part is played by a server of the test's, which gives the runner's token and publishes the keys; its URL stands for the
 * real one, since nobody but GitHub signs with GitHub's. AWS's gateway is the test's own.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { answer, type HttpEvent } from "@muster/api/http.ts";
import { createIssuers } from "@muster/node/issuers.ts";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { refusal } from "../../agent/support/signature.ts";
import { GITHUB, githubClaims, Network, signed, signing } from "../../login/support/issuer.ts";
import { type InProcess, openPlane } from "../../support/plane.ts";
import { type Door, openDoor } from "../support/door.ts";
import { Home } from "../support/muster.ts";

vi.setConfig({ testTimeout: 60_000 });

const ACCOUNT = "123456789012";
const CREDENTIALS = { accessKeyId: "AKIAEXAMPLE00000", secretAccessKey: "canary-of-a-secret-key" };
const KEYS = { AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId, AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey };
const GITLAB = "https://gitlab.com";

const key = signing("key");
const network = new Network();
const gateway = { caller: "" };
const runner = { asked: [] as { url: string; authorization: string | undefined }[], claims: {} as object, status: 200 };
let github: Server;
let plane: InProcess;
let door: Door;

/** What API Gateway does on a route with IAM's authorizer. */
async function authorize(event: HttpEvent) {
  if (event.routeKey !== "POST /v1/login/aws") return event;
  const headers = Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name, value ?? ""]));
  const request = { method: "POST", url: `http://${headers.host}${event.rawPath}`, headers, body: event.body ?? "" };
  const why = await refusal(request, { credentials: [CREDENTIALS], region: "eu-central-1", now: Date.now() });
  if (why !== undefined) return answer(403, { message: why });
  const authorizer = { iam: { userArn: gateway.caller, accountId: ACCOUNT } };
  return { ...event, requestContext: { ...event.requestContext, authorizer } };
}

/** As GitHub answers its runners. */
function playGithub(): Server {
  return createServer((request, response) => {
    const { authorization } = request.headers;
    runner.asked.push({ url: request.url ?? "", authorization });
    const aud = new URL(request.url ?? "", "http://runner").searchParams.get("audience");
    const value = signed(key, githubClaims(Date.now(), { aud, ...runner.claims }));
    response.writeHead(runner.status, { "content-type": "application/json" }).end(JSON.stringify({ count: 1, value }));
  }).listen(0, "127.0.0.1");
}

beforeAll(async () => {
  github = playGithub();
  plane = await openPlane();
  network.publish(GITHUB, [key.jwk]);
  network.publish(GITLAB, [key.jwk]);
  const clock = { now: Date.now };
  const trust = { account: ACCOUNT, hostRole: "muster-prod-host" };
  const issuers = createIssuers({ outbound: network, clock });
  door = await openDoor({ ...plane.plane.world, issuers, trust }, { before: authorize });
});
afterAll(async () => {
  github.close();
  await door[Symbol.asyncDispose]();
  await plane.close();
});
beforeEach(() => {
  gateway.caller = `arn:aws:iam::${ACCOUNT}:user/ada`;
  Object.assign(runner, { asked: [], claims: {}, status: 200 });
});

const runnerEnv = () => ({
  CI: "true",
  ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${(github.address() as AddressInfo).port}/token?api-version=2.0`,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "canary-of-a-runner",
});

const ISSUERS = `
name: hub
url: ${GITHUB}
audiences: [muster]
rules:
  - when: { repository: octo-org/octo-repo, ref: [refs/heads/main, "refs/tags/*"] }
    role: ci
    minutes: 30
---
name: lab
url: ${GITLAB}
audiences: [muster]
rules:
  - when: { project_path: acme/train, ref_protected: true }
    role: ci
---
name: account
kind: aws
rules:
  - when: { user: ada }
    role: member
`;

async function admin(): Promise<Home> {
  const home = new Home();
  await home.login(plane.url, plane.token, "--name", "admin");
  return home;
}

async function setAll(): Promise<void> {
  await using home = await admin();
  const file = join(home.path, "issuers.yaml");
  writeFileSync(file, ISSUERS);
  const { code, err } = await home.run("issuers", "set", file);
  expect([code, err]).toEqual([0, expect.stringContaining("stay good until they end")]);
}

test("issuers are set from a file, listed, shown and removed", async () => {
  await setAll();
  await using home = await admin();
  const { out } = await home.run("issuers", "list");
  expect(out).toMatch(/NAME +KIND +URL[^\n]*\n(account +aws +-|.*\n)/);
  expect(out).toMatch(/hub +github +https:\/\/token\.actions/);
  const shown = await home.run("issuers", "show", "hub");
  expect(shown.out).toMatch(/1 +ci +- +30 min +repository=octo-org\/octo-repo ref=refs\/heads\/main\|refs\/tags\/\*/);
  const missing = await home.run("issuers", "show", "hubb");
  expect([missing.code, missing.err]).toEqual([122, expect.stringContaining("did you mean hub?")]);
  const unasked = await home.run("issuers", "remove", "lab");
  expect([unasked.code, unasked.err]).toEqual([120, expect.stringContaining("--yes")]);
  expect((await home.run("issuers", "remove", "lab", "--yes")).out).toBe("Removed lab.\n");
});

test("a file that would let in too many is refused, with every reason; one that is none as well", async () => {
  await using home = await admin();
  const set = (text: string) => {
    const file = join(home.path, "wrong.yaml");
    writeFileSync(file, text);
    return home.run("issuers", "set", file);
  };
  const wide = await set(`{ name: hub, url: "${GITHUB}", rules: [{ when: { ref: "*" }, role: admin }] }`);
  expect(wide.code).toBe(120);
  for (const reason of ["say for whom its tokens are", "every repository of the world", "a program may become"])
    expect(wide.err).toContain(reason);
  for (const [text, told] of [
    ["", "is empty"],
    ["- name: hub", "is no issuer"],
    ["url: https://x.example", "has no name"],
    ["name: a\nname: b", "twice"],
  ] as const) {
    const { code, err } = await set(text);
    expect([text, code, err]).toEqual([text, 120, expect.stringContaining(told)]);
  }
});

test("a job of GitHub's signs in with the runner's token, and again when it ends", async () => {
  await setAll();
  await using home = new Home(runnerEnv());
  const { code, out, err } = await home.run("login", door.url, "--github", "--name", "prod");
  expect([code, out], err).toEqual([
    0,
    `Logged in to ${door.url} as hub:octo-org/octo-repo (ci of workspace local).\n`,
  ]);
  expect(runner.asked).toEqual([
    { url: "/token?api-version=2.0&audience=muster", authorization: "Bearer canary-of-a-runner" },
  ]);
  expect(out + err).not.toMatch(/canary|eyJ|mst_/);
  const who = await home.run("whoami");
  expect(who.out).toContain("signed in at hub (GitHub Actions), for octo-org/octo-repo refs/heads/main\n");
  const config = JSON.parse(readFileSync(home.config, "utf8"));
  config.contexts.prod.expiresAt = Date.now() + 1000;
  writeFileSync(home.config, JSON.stringify(config));
  expect((await home.run("whoami")).code).toBe(0);
  expect(runner.asked.length).toBe(2);
});

test("a job of another repository, one that may not ask, and a GitHub that is tired", async () => {
  await setAll();
  await using home = new Home(runnerEnv());
  const login = (env: NodeJS.ProcessEnv = {}) => home.start(["login", door.url, "--github"], env).ended;
  runner.claims = { repository: "evil/repo" };
  const other = await login();
  expect([other.code, other.err]).toEqual([121, expect.stringContaining("no rule lets you in")]);
  const mayNot = await login({ ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" });
  expect([mayNot.code, mayNot.err]).toEqual([121, expect.stringContaining("id-token: write")]);
  runner.status = 500;
  const tired = await login();
  expect([tired.code, tired.err]).toEqual([125, expect.stringContaining("gave this job no token: it answers 500")]);
});

test("a job of GitLab's signs in with the token that it was given", async () => {
  await setAll();
  await using home = new Home();
  const claims = {
    ...{
      iss: GITLAB,
      aud: "muster",
      sub: "project_path:acme/train:ref_type:branch:ref:main",
      project_path: "acme/train",
    },
    ...{ ref: "main", ref_type: "branch", ref_protected: "true", user_email: "ada@acme.example" },
    ...{ iat: Math.floor(Date.now() / 1000), exp: Math.floor(Date.now() / 1000) + 3600 },
  };
  const args = ["login", door.url, "--id-token-file", "-", "--name", "prod"];
  const { code, out, err } = await home.start(args, {}, `${signed(key, claims)}\n`).ended;
  expect([code, out], err).toEqual([0, expect.stringContaining("as lab:acme/train (ci of workspace local)")]);
  expect((await home.json<{ origin: string }>("whoami")).origin).toBe("acme/train main");
  const unprotected = signed(key, { ...claims, ref_protected: "false" });
  expect((await home.start(args, {}, unprotected).ended).code).toBe(121);
  const stale = await home.start(args, {}, signed(key, { ...claims, aud: "another" })).ended;
  expect([stale.code, stale.err]).toEqual([121, expect.stringContaining("this lets nobody in")]);
});

test("an AWS identity signs in, and again when its token ends; a machine's does not", async () => {
  await setAll();
  await using home = new Home(KEYS);
  const login = () => home.run("login", door.url, "--aws", "--region", "eu-central-1", "--name", "prod");
  const { code, out, err } = await login();
  expect([code, out], err).toEqual([0, expect.stringContaining("as account:user/ada (member of workspace local)")]);
  expect(out + err).not.toContain("canary");

  const config = JSON.parse(readFileSync(home.config, "utf8"));
  const { token } = config.contexts.prod;
  config.contexts.prod.expiresAt = Date.now() - 1000;
  writeFileSync(home.config, JSON.stringify(config));
  expect((await home.run("whoami")).code).toBe(0);
  expect(JSON.parse(readFileSync(home.config, "utf8")).contexts.prod.token).not.toBe(token);
  gateway.caller = `arn:aws:sts::${ACCOUNT}:assumed-role/muster-prod-host/i-0123456789abcdef0`;
  const host = await login();
  expect([host.code, host.err]).toEqual([121, expect.stringContaining("sign nobody in")]);
  gateway.caller = `arn:aws:iam::${ACCOUNT}:user/eve`;
  const eve = await login();
  expect([eve.code, eve.err]).toEqual([121, expect.stringContaining("no rule lets you in")]);
});
