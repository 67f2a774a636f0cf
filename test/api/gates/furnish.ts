/** A workspace in which there is one of everything, made by its own routes, so that every id of the system has an owner. */
import { createHmac } from "node:crypto";
import { reconcile } from "@muster/core/cluster/reconcile/reconcile.ts";
import { idOf } from "@muster/core/deadletter/deadletter.ts";
import { buryRing } from "@muster/core/deadletter/ring.ts";
import { subjectOf } from "@muster/core/doorbell.ts";
import { reconcile as reconcileImage } from "@muster/core/image/reconcile.ts";
import * as Upload from "@muster/core/upload/upload.ts";
import { FACTS } from "../../support/host.ts";
import { imagable } from "../../support/images.ts";
import { SERVER, TRAINER } from "../../support/job-groups.ts";
import { BODIES } from "./decisions.ts";
import { type Ask, jsonOf, machineIdOf, machineOf, type Passes, passesOf, type Stage } from "./stage.ts";

export interface HostHeld {
  /** The whole header. */
  readonly token: string;
  readonly hostId: string;
  readonly clusterId: string;
}

/** One workspace, and what of each noun stands in it. */
export interface Held {
  readonly workspace: string;
  readonly passes: Passes;
  readonly hosts: readonly HostHeld[];
  /** A try on the first host: the job and its fence. */
  readonly run: { readonly jobId: string; readonly fence: number };
  readonly otherRun: { readonly jobId: string; readonly fence: number };
  /** By noun: its ids, and its names where it has some. */
  readonly ids: Readonly<Record<string, readonly string[]>>;
}

const PULSE = { cpu: 0, memory: 0.1, gpus: [], sessions: 0 };

/** @param tag begins all names; short and lower case. */
export async function furnish(stage: Stage, workspace: string, tag: string): Promise<Held> {
  const { world } = stage;
  if (!("saveImage" in world.provider)) imagable(world.provider).state = "complete";
  const first = await passesOf(stage, workspace, "");
  const made = new Map<string, string>();
  const call = async (id: string, ask: Ask) => {
    const answer = await stage.send(id, { token: first.users.admin, ...ask });
    if (answer.statusCode >= 300) throw new Error(`${id}: ${answer.body}`);
    return jsonOf(answer);
  };
  const cluster = async (name: string): Promise<HostHeld[]> => {
    const { id } = await call("clusters.create", { body: { name, idle: "never" } });
    made.set(name, id);
    await reconcile(world, { workspace, clusterId: id });
    return enroll(stage, id);
  };
  const launch = { task: { run: "true" } };
  const [host] = await cluster(`${tag}-demo`);
  const [other] = await cluster(`${tag}-side`);
  await cluster(`${tag}-still`);
  await call("clusters.stop", { params: { cluster: `${tag}-still` } });
  await reconcile(world, { workspace, clusterId: made.get(`${tag}-still`) ?? "" });
  if (host === undefined || other === undefined) throw new Error("no host came");
  const running = await call("launches.create", { body: { ...launch, cluster: `${tag}-demo` } });
  const beside = await call("launches.create", { body: { ...launch, cluster: `${tag}-side` } });
  const run = await poll(stage, host);
  const otherRun = await poll(stage, other);
  const queued = await call("jobs.submit", { params: { cluster: `${tag}-demo` }, body: launch });
  const array = await call("jobs.submit", {
    params: { cluster: `${tag}-demo` },
    body: { task: { run: "true", runs: { count: 3 } } },
  });
  const tasks = [TRAINER, SERVER];
  const group = await call("jobGroups.create", { body: { name: `${tag}-both`, tasks, cluster: `${tag}-both` } });
  const image = await call("images.save", { body: { cluster: `${tag}-still`, name: `${tag}-base` } });
  const prepared = { setup: "true" };
  await reconcileImage(world, { workspace, imageId: image.id });
  await call("pools.set", { params: { name: `${tag}-warm` }, body: { size: 1, launch: { task: prepared } } });
  const cron = { cron: "0 * * * *", timeZone: "UTC", launch };
  await call("schedules.set", { params: { name: `${tag}-nightly` }, body: cron });
  await call("targets.set", { params: { name: `${tag}-lab` }, body: { provider: "fake" } });
  await call("secrets.set", { params: { name: `${tag.toUpperCase()}_KEY` }, body: { value: "hush" } });
  const token = await call("tokens.create", { body: { actor: `${tag}-bot`, role: "ci" } });
  const sweep = await call("sweeps.create", { body: { dryRun: true } });
  const ring = { do: "reconcile", ref: { workspace, clusterId: made.get(`${tag}-demo`) ?? "" } } as const;
  await buryRing(world, ring, 3, new Error("it failed"));
  const hooked = await hook(stage, call, `${tag}-push`);
  const webhook = await call("webhooks.create", { body: { name: `${tag}-out`, webhook: BODIES["webhooks.set"] } });
  const sent = await call("webhooks.test", { params: { webhook: webhook.id } });
  await call("issuers.set", { params: { name: `${tag}-issuer` }, body: BODIES["issuers.set"] });
  const sha256 = world.digest.hash(`${workspace} bytes`);
  await world.blobs.put(Upload.blobKey(workspace, sha256), new TextEncoder().encode(`${workspace} bytes`));
  return {
    workspace,
    passes: { ...first, host: host.token, machine: machineOf(machineIdOf(world.digest, host.hostId)) },
    hosts: [host, other],
    run,
    otherRun,
    ids: {
      cluster: [made.get(`${tag}-demo`) ?? "", `${tag}-demo`, `${tag}-side`],
      stopped: [`${tag}-still`],
      job: [running.job.id, queued.id, array.id, beside.job.id, `${array.id}.0`],
      group: [group.group.id],
      image: [image.id, `${tag}-base`],
      pool: [`${tag}-warm`],
      schedule: [`${tag}-nightly`],
      target: [`${tag}-lab`],
      secret: [`${tag.toUpperCase()}_KEY`],
      token: [token.id],
      sweep: [sweep.id],
      letter: [idOf(`reconcile ${subjectOf(ring)}`)],
      upload: [sha256],
      hook: [hooked.id, `${tag}-push`],
      hookDelivery: [hooked.delivery],
      webhook: [webhook.id, `${tag}-out`],
      webhookDelivery: [sent.id],
      issuer: [`${tag}-issuer`],
      workspace: [workspace],
      user: [`${tag}-bot`],
      host: [host.hostId, other.hostId],
    },
  };
}

/** A hook, and what it was sent. */
async function hook(
  stage: Stage,
  call: (id: string, ask: Ask) => Promise<{ id: string; secret: { text: string } }>,
  name: string,
): Promise<{ readonly id: string; readonly delivery: string }> {
  const { id, secret } = await call("hooks.create", { body: { name, hook: BODIES["hooks.set"] } });
  const raw = JSON.stringify({ zen: `Of ${name}.` });
  const signature = createHmac("sha256", secret.text).update(raw).digest("hex");
  const headers = { "x-github-event": "ping", "x-github-delivery": name, "x-hub-signature-256": `sha256=${signature}` };
  const answer = await stage.send("hooks.receive", { params: { hook: id }, raw, headers });
  return { id, delivery: jsonOf(answer).delivery };
}

/** The hosts of the launch that came last, with their tokens. */
async function enroll(stage: Stage, clusterId: string): Promise<HostHeld[]> {
  const hosts: HostHeld[] = [];
  for (const { hostId, enrollmentToken } of stage.world.provider.intents.at(-1)?.hosts ?? []) {
    const nonce = stage.world.digest.hash(hostId);
    const answer = await stage.send("agent.enroll", { body: { token: enrollmentToken, nonce, facts: FACTS } });
    hosts.push({ token: `Bearer ${jsonOf(answer).hostToken}`, hostId, clusterId });
  }
  return hosts;
}

async function poll(stage: Stage, { token }: HostHeld): Promise<Held["run"]> {
  const answer = await stage.send("agent.poll", { token, body: { pulse: PULSE, attempts: [] } });
  const [assignment] = jsonOf(answer).assignments;
  if (assignment === undefined) throw new Error(`nothing to do: ${answer.body}`);
  return { jobId: assignment.jobId, fence: assignment.fence };
}

/** Which noun a path parameter names, by its name and, where that is `name`, by its route's noun. */
const NOUNS: Readonly<Record<string, string>> = {
  cluster: "cluster",
  job: "job",
  group: "group",
  image: "image",
  token: "token",
  sweep: "sweep",
  letter: "letter",
  sha256: "upload",
  hook: "hook",
  webhook: "webhook",
};
const DELIVERIES: Readonly<Record<string, string>> = { hooks: "hookDelivery", webhooks: "webhookDelivery" };
const NAMED: Readonly<Record<string, string>> = {
  pools: "pool",
  schedules: "schedule",
  targets: "target",
  secrets: "secret",
  issuers: "issuer",
  workspaces: "workspace",
};

/** @returns undefined where nobody has decided: a gate then fails. */
export function nounOf(id: string, param: string): string | undefined {
  const [route = ""] = id.split(".");
  if (param === "delivery") return DELIVERIES[route];
  return param === "name" ? NAMED[route] : NOUNS[param];
}
