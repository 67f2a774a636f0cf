/**
 * The first admin's token. The gateway is the test's own; signatures are checked by AWS's signing code, and what lies
 * behind it are the real handlers over a real table.
 */
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { answer, type HttpEvent } from "@muster/api/http.ts";
import { list } from "@muster/core/token/list.ts";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { refusal } from "../../agent/support/signature.ts";
import { type InProcess, openPlane } from "../../support/plane.ts";
import { type Door, openDoor } from "../support/door.ts";
import { Home } from "../support/muster.ts";

vi.setConfig({ testTimeout: 60_000 });

const ACCOUNT = "123456789012";
const CREDENTIALS = { accessKeyId: "AKIAEXAMPLE00000", secretAccessKey: "canary-of-a-secret-key" };
const SESSION = {
  accessKeyId: "ASIAEXAMPLE00000",
  secretAccessKey: "canary-of-another",
  sessionToken: "canary//of+a=session",
};
const KEYS = { AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId, AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey };
const HERE = ["--region", "eu-central-1"];

let plane: InProcess;
let door: Door;
const gateway = { caller: "", ahead: 0 };

/** What API Gateway does on a route with IAM's authorizer. */
async function authorize(event: HttpEvent) {
  if (event.routeKey !== "POST /v1/bootstrap") return event;
  const headers = Object.fromEntries(Object.entries(event.headers).map(([name, value]) => [name, value ?? ""]));
  const body = event.body ?? "";
  const request = { method: "POST", url: `http://${headers.host}${event.rawPath}`, headers, body };
  const known = { credentials: [CREDENTIALS, SESSION], region: "eu-central-1", now: Date.now() + gateway.ahead };
  const hash = createHash("sha256").update(body).digest("hex");
  const why = (await refusal(request, known)) ?? (headers["x-amz-content-sha256"] === hash ? undefined : "wrong hash");
  if (why !== undefined) return answer(403, { message: why });
  const authorizer = { iam: { userArn: gateway.caller, accountId: ACCOUNT } };
  return { ...event, requestContext: { ...event.requestContext, authorizer } };
}

beforeAll(async () => {
  plane = await openPlane();
  const trust = { account: ACCOUNT, hostRole: "muster-prod-host" };
  door = await openDoor({ ...plane.plane.world, trust }, { before: authorize });
});
afterAll(async () => {
  await door[Symbol.asyncDispose]();
  await plane.close();
});
beforeEach(() => {
  gateway.caller = `arn:aws:iam::${ACCOUNT}:user/ada`;
  gateway.ahead = 0;
});

test("whoever holds the account becomes an admin, and is logged in", async () => {
  await using home = new Home(KEYS);
  const { code, out, err } = await home.run("bootstrap", door.url, ...HERE, "--actor", "ada", "--name", "prod");
  expect([code, out], err).toEqual([0, `Logged in to ${door.url} as ada (admin of workspace main).\n`]);
  expect(out + err).not.toMatch(/canary|mst_/);
  expect(await home.json("whoami")).toMatchObject({ id: "ada", role: "admin", workspace: "main", context: "prod" });
  const actor = { workspace: "main", id: "ada", role: "admin" } as const;
  const { items } = await list(plane.plane.world, actor, { limit: 10 });
  expect(items.map(({ createdBy }) => createdBy)).toContain(gateway.caller);
});

test("credentials of a profile, with a session, do as well", async () => {
  await using home = new Home();
  const { accessKeyId, secretAccessKey, sessionToken } = SESSION;
  writeFileSync(
    join(home.path, "aws-credentials"),
    `[work]\naws_access_key_id=${accessKeyId}\naws_secret_access_key=${secretAccessKey}\naws_session_token=${sessionToken}\n`,
  );
  const { code, err } = await home.start(["bootstrap", door.url, ...HERE, "--actor", "bob"], { AWS_PROFILE: "work" })
    .ended;
  expect([code, err]).toEqual([0, expect.stringContaining("context 127.0.0.1-")]);
  expect(await home.json("whoami")).toMatchObject({ id: "bob", role: "admin" });
});

test("the name of whoever sits here is the default", async () => {
  await using home = new Home(KEYS);
  const { out } = await home.run("bootstrap", door.url, ...HERE, "--json");
  const { userInfo } = await import("node:os");
  expect(JSON.parse(out).id).toBe(userInfo().username);
});

test.each([
  ["a forged key", { ...KEYS, AWS_SECRET_ACCESS_KEY: "canary-wrong" }, HERE, "aws sts get-caller-identity"],
  ["an unknown key", { ...KEYS, AWS_ACCESS_KEY_ID: "AKIAUNKNOWN" }, HERE, "aws sts get-caller-identity"],
  ["another region", KEYS, ["--region", "us-east-1"], "--region eu-central-1"],
])("%s is refused by the gateway, with what to look at", async (_, env, region, told) => {
  await using home = new Home(env);
  const { code, err } = await home.run("bootstrap", door.url, ...region);
  expect([code, err]).toEqual([121, expect.stringContaining(told)]);
  expect(err).not.toContain("canary");
});

test("a clock that is wrong is named", async () => {
  gateway.ahead = 3_600_000;
  await using home = new Home(KEYS);
  expect((await home.run("bootstrap", door.url, ...HERE)).err).toContain("this machine's clock is wrong");
});

test("a job's own role makes no admin", async () => {
  gateway.caller = `arn:aws:sts::${ACCOUNT}:assumed-role/muster-prod-host/i-0123456789abcdef0`;
  await using home = new Home(KEYS);
  const { code, err } = await home.run("bootstrap", door.url, ...HERE);
  expect([code, err]).toEqual([121, expect.stringContaining("may not make an admin")]);
});

test("without credentials, without a region, and where there is no gateway", async () => {
  await using home = new Home({ HOME: "/nonexistent" });
  const none = await home.run("bootstrap", door.url, ...HERE);
  expect([none.code, none.err]).toEqual([121, expect.stringMatching(/no AWS credentials: .*\n.*AWS_PROFILE/)]);
  const nowhere = await home.run("bootstrap", "https://muster.example.com");
  expect([nowhere.code, nowhere.err]).toEqual([120, expect.stringContaining("does not say its AWS region")]);
  const direct = await home.start(["bootstrap", plane.url, ...HERE], KEYS).ended;
  expect([direct.code, direct.err]).toEqual([121, expect.stringContaining("only where the control plane runs on AWS")]);
});
