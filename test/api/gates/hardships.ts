/** Every operation in each of the worlds of worlds.ts, and what else has to be asked for every outcome to be seen. */
import { createHmac } from "node:crypto";
import { MAX_BODY } from "@muster/api/http.ts";
import { MOST_FAILURES } from "@muster/api/limits.ts";
import { isKeyed } from "@muster/api/route.ts";
import { FIRST } from "@muster/core/workspace/workspace.ts";
import { cases } from "../idempotency-cases.ts";
import { BODIES } from "./decisions.ts";
import { type Ground, judged, openGround, type Tally } from "./fuzz.ts";
import { type Operation, operations } from "./spec.ts";
import { type Ask, GOOD_TOKEN, openStage, PERSON, passFor } from "./stage.ts";
import { paramsOf } from "./tenancy-support.ts";
import { HARDSHIPS, type Hardship } from "./worlds.ts";

/** Somebody who owns nothing here. */
const askers = ["admin", "bob"] as const;

async function usual(ground: Ground, operation: Operation, tally: Tally, ask: Ask, who: string): Promise<void> {
  const { stage, held } = ground;
  const bob = { token: await stage.token(held.workspace, "member", "usr-bob") };
  const pass = who === "bob" && operation.route.auth === "user" ? bob : passFor(held.passes, operation.id);
  const body = BODIES[operation.id];
  const base = { ...pass, params: paramsOf(operation, held), ...(body !== undefined && { body }) };
  await judged(ground, operation, tally, { ...base, ...ask });
}

/** They would end the hardship. */
const RELIEF = ["quotas.set", "budgets.set", "freeze.set"];
/** What others would spoil: it comes first. */
const TENDER = ["schedules.run", "images.save"];
const rank = ({ id, route }: Operation): number => {
  if (RELIEF.includes(id)) return 9;
  return TENDER.includes(id) ? -1 : ["GET", "POST", "PUT", "DELETE"].indexOf(route.method);
};
/** Reads first, then what changes, and what takes away last. */
const order = operations.toSorted((a, b) => rank(a) - rank(b));

/** All operations in all these worlds. */
export async function endure(tally: Tally): Promise<void> {
  for (const hardship of HARDSHIPS) for (const who of askers) await endureOne(hardship, who, tally);
}

async function endureOne({ change, asks = {} }: Hardship, who: string, tally: Tally): Promise<void> {
  const ground = await openGround();
  const admin = async (id: string, ask: Ask) => {
    const answer = await ground.stage.send(id, { token: ground.held.passes.users.admin, ...ask });
    if (answer.statusCode >= 300) throw new Error(`${id}: ${answer.body}`);
  };
  await change(ground, admin);
  for (const operation of order) {
    const again = operation.id === "jobs.rerun" ? [{ body: { cluster: "again" } }] : [];
    for (const ask of [asks[operation.id] ?? [], again, {}].flat()) await usual(ground, operation, tally, ask, who);
  }
}

/** A body that is too large, of every operation: also of those that want none. */
export async function overfeed(tally: Tally): Promise<void> {
  const ground = await openGround();
  for (const operation of operations)
    await usual(ground, operation, tally, { raw: "x".repeat((operation.route.raw ?? MAX_BODY) + 1) }, "admin");
}

/** Others look after no workspaces. */
const isOfFirst = ({ id }: Operation): boolean => id.startsWith("workspaces.");

/** Every operation that honours a key: what it answers when all is well, and when its key was used for something else. */
export async function repeat(tally: Tally): Promise<void> {
  for (const operation of operations.filter(({ route }) => isKeyed(route))) {
    const stage = openStage();
    const [one, other] = await cases[operation.id as keyof typeof cases](stage.world);
    const ground = { ...(await openGround()), stage };
    const token = await stage.token(isOfFirst(operation) ? FIRST : "acme", "admin", "usr_ada");
    for (const ask of [one, other]) await judged(ground, operation, tally, { ...ask, token, key: "one" });
  }
}

/** Whoever fails again and again from one address, whatever is asked for. */
export async function insist(tally: Tally): Promise<void> {
  const ground = await openGround();
  const from = "203.0.113.9";
  const nobody = { token: "Bearer nobody", from };
  for (let tried = 0; tried < MOST_FAILURES; tried++) await ground.stage.send("tokens.whoami", nobody);
  for (const operation of operations) await usual(ground, operation, tally, { ...nobody, iam: PERSON }, "admin");
}

/** Those who have no token yet: by an issuer, by AWS, and by a hook's secret. */
async function signIn({ stage, held }: Ground, say: (id: string, ask: Ask) => Promise<void>): Promise<void> {
  const token = held.passes.users.admin;
  const rules = [{ when: { arn: PERSON.userArn }, role: "ci" }];
  await stage.send("issuers.set", { token, params: { name: "aws" }, body: { kind: "aws", rules } });
  await say("login.aws", { iam: PERSON, body: { workspace: held.workspace } });
  await say("login.exchange", { body: { token: GOOD_TOKEN, workspace: held.workspace } });
  const hook = held.ids.hook?.[0] ?? "";
  const raw = JSON.stringify({ zen: "Approachable is better than simple." });
  const secret = stage.world.digest.mac("hook-secret", `${held.workspace} ${hook} 1`);
  const signature = `sha256=${createHmac("sha256", secret).update(raw).digest("hex")}`;
  const headers = { "x-github-event": "ping", "x-github-delivery": "2", "x-hub-signature-256": signature };
  await say("hooks.receive", { params: { hook }, raw, headers });
}

/** What hosts ask that is right, and what they ask too late. */
export async function serveHosts(tally: Tally): Promise<void> {
  const ground = await openGround();
  const { stage, held } = ground;
  const say = async (id: string, ask: Ask) => {
    const operation = operations.find(one => one.id === id);
    if (operation) await judged(ground, operation, tally, { ...passFor(held.passes, id), ...ask });
  };
  const [host] = held.hosts;
  const intent = stage.world.provider.intents.find(({ hosts }) => hosts.some(({ hostId }) => hostId === host?.hostId));
  const token = intent?.hosts[0]?.enrollmentToken;
  const again = { ...BODIES["agent.enroll"], token, nonce: stage.world.digest.hash(host?.hostId ?? "") };
  await say("agent.enroll", { body: again });
  const { token: _, ...signed } = again;
  await say("agent.register", { body: signed });
  const sha256 = "5".repeat(64);
  await stage.world.blobs.put(`runtime/${sha256}`, new Uint8Array(1));
  await say("agent.file", { params: { sha256 } });
  await say("tokens.bootstrap", { iam: held.passes.machine, body: BODIES["tokens.bootstrap"] });
  await signIn(ground, say);
  const { jobId, fence } = held.run;
  const done = { jobId, fence, state: "exited", cause: "exited", exitCode: 0, chunks: 3, logsComplete: true };
  await say("agent.report", { body: { jobId, fence, state: "running" } });
  await say("agent.report", { body: done });
}
