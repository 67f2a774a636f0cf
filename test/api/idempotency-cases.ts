/**
 * For each route that honours `Idempotency-Key`: a world in which its request can succeed, that request, and another one to
 * the same route. A route without a case does not compile.
 */
import type { Routes } from "@muster/api/routes.ts";
import type { Actor } from "@muster/core/actor/actor.ts";
import * as Create from "@muster/core/cluster/create.ts";
import { hold as holdCluster } from "@muster/core/cluster/hold.ts";
import { idOf } from "@muster/core/deadletter/deadletter.ts";
import { buryRing } from "@muster/core/deadletter/ring.ts";
import { subjectOf } from "@muster/core/doorbell.ts";
import * as Hooks from "@muster/core/hook/create.ts";
import { process as workOff } from "@muster/core/hook/process.ts";
import { receive } from "@muster/core/hook/receive.ts";
import { save } from "@muster/core/image/save.ts";
import * as Issuer from "@muster/core/issuer/issuer.ts";
import { set as setIssuer } from "@muster/core/issuer/set.ts";
import { hold } from "@muster/core/job/hold.ts";
import { submit } from "@muster/core/job/submit.ts";
import * as Pools from "@muster/core/pool/set.ts";
import { pause } from "@muster/core/schedule/pause.ts";
import * as Schedules from "@muster/core/schedule/set.ts";
import { set as setSecret } from "@muster/core/secret/set.ts";
import { set as setTarget } from "@muster/core/target/set.ts";
import * as Target from "@muster/core/target/target.ts";
import { grant } from "@muster/core/token/create.ts";
import { create as createWebhook } from "@muster/core/webhook/create.ts";
import { disable } from "@muster/core/webhook/enable.ts";
import { test as tryOut } from "@muster/core/webhook/replay.ts";
import { change, example, fromGithub, makeHook, outside } from "../core/hooks/support.ts";
import { request as poolRequest } from "../core/pool-support.ts";
import { request as scheduleRequest } from "../core/schedule-support.ts";
import { imagable } from "../support/images.ts";
import { SERVER, TRAINER } from "../support/job-groups.ts";
import { clusterRequest, jobRequest, readyCluster, stoppedCluster } from "../support/requests.ts";
import { ADA, type TestWorld } from "../support/world.ts";

/** Ada, as she asks in all cases. */
export const ADMIN: Actor = { ...ADA, role: "admin" };

export interface Asked {
  readonly params?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** Makes the world right. @returns a request that succeeds there, and another one. */
type Case = (world: TestWorld) => Promise<readonly [Asked, Asked]>;

type KeyedId = {
  [Id in keyof Routes]: Routes[Id] extends { auth: "user"; errors: readonly (infer Code)[] }
    ? "idempotency_mismatch" extends Code
      ? Id
      : never
    : never;
}[keyof Routes];

/** By what the path names; another of that name there is none. */
const named = (param: string, value: string, body?: unknown): readonly [Asked, Asked] => {
  const rest = body === undefined ? {} : { body };
  return [
    { params: { [param]: value }, ...rest },
    { params: { [param]: "another" }, ...rest },
  ];
};

const bodies = (one: object, other: object, params?: Asked["params"]): readonly [Asked, Asked] => {
  const where = params === undefined ? {} : { params };
  return [
    { ...where, body: one },
    { ...where, body: other },
  ];
};

const up = async (world: TestWorld) => void (await Create.create(world, ADMIN, clusterRequest()));

/** A job that waits for its cluster. */
async function queued(world: TestWorld): Promise<string> {
  await up(world);
  return (await submit(world, ADMIN, "demo", jobRequest())).id;
}

const WEBHOOK = "https://hooks.example.com/muster";
const webhook = (world: TestWorld) =>
  createWebhook(world, ADMIN, { name: "ci", webhook: { url: WEBHOOK, format: "standard", events: ["*"] } });

const pool = (world: TestWorld) => Pools.set(world, ADMIN, "warm", poolRequest());
const schedule = (world: TestWorld) => Schedules.set(world, ADMIN, "nightly", scheduleRequest());
async function letters(world: TestWorld): Promise<readonly [Asked, Asked]> {
  const [one, other] = ["clu_1", "clu_2"].map(
    clusterId => ({ do: "reconcile", ref: { workspace: ADMIN.workspace, clusterId } }) as const,
  );
  for (const ring of [one, other]) if (ring) await buryRing(world, ring, 3, new Error("it failed"));
  const asked = (ring: typeof one): Asked => ({ params: { letter: ring ? idOf(`reconcile ${subjectOf(ring)}`) : "" } });
  return [asked(one), asked(other)];
}

/** Two of strangers, which wait for an approval. */
async function held(world: TestWorld): Promise<{ readonly hook: string; readonly ids: readonly [string, string] }> {
  const hook = await makeHook(world, { rules: [{ events: ["pull_request"], launch: { task: { run: "true" } } }] });
  const one = async (sha: string): Promise<string> => {
    const payload = example("pull_request", "opened") as unknown as {
      pull_request: { head: { sha: string; repo: { full_name: string } } };
    };
    payload.pull_request.head.sha = sha;
    payload.pull_request.head.repo.full_name = "stranger/fork";
    const { delivery } = await receive(world, hook.id, fromGithub(hook.secret.text, "pull_request", payload));
    await workOff(outside(world), { workspace: ADMIN.workspace, id: delivery });
    return delivery;
  };
  return { hook: hook.id, ids: [await one("a".repeat(40)), await one("b".repeat(40))] };
}

const ISSUER = {
  url: "https://token.actions.githubusercontent.com",
  audiences: ["muster"],
  rules: [{ when: { repository: "acme/train" }, role: "ci" }],
};
const launch = { task: { run: "true" } };
const prepared = { task: { setup: "true" } };

export const cases: Readonly<Record<KeyedId, Case>> = {
  "launches.create": async () => bodies({ ...launch, cluster: "demo" }, { ...launch, cluster: "other" }),
  "jobs.submit": async world => {
    await up(world);
    return bodies(launch, { task: { run: "false" } }, { cluster: "demo" });
  },
  "jobs.rerun": async world => {
    const job = await queued(world);
    return bodies({}, { priority: 900 }, { job });
  },
  "jobs.cancel": async world => named("job", await queued(world)),
  "jobs.hold": async world => named("job", await queued(world)),
  "jobs.release": async world => {
    const id = await queued(world);
    await hold(world, ADMIN, id);
    return named("job", id);
  },
  "hooks.set": async world => {
    await Hooks.create(world, ADMIN, { name: "ci", hook: change() });
    const { rules } = change();
    return bodies({ forge: "github", rules }, { forge: "gitlab", rules }, { hook: "ci" });
  },
  "hooks.remove": async world => {
    await Hooks.create(world, ADMIN, { name: "ci", hook: change() });
    return named("hook", "ci");
  },
  "hooks.replay": async world => {
    const { hook, ids } = await held(world);
    return [{ params: { hook, delivery: ids[0] } }, { params: { hook, delivery: ids[1] } }];
  },
  "hooks.approve": async world => {
    const { hook, ids } = await held(world);
    return [{ params: { hook, delivery: ids[0] } }, { params: { hook, delivery: ids[1] } }];
  },
  "webhooks.set": async world => {
    await webhook(world);
    return bodies({ url: WEBHOOK }, { url: `${WEBHOOK}2` }, { webhook: "ci" });
  },
  "webhooks.remove": async world => {
    await webhook(world);
    return named("webhook", "ci");
  },
  "webhooks.enable": async world => {
    await webhook(world);
    await disable(world, ADMIN, "ci");
    return named("webhook", "ci");
  },
  "webhooks.disable": async world => {
    await webhook(world);
    return named("webhook", "ci");
  },
  "webhooks.test": async world => {
    await webhook(world);
    return named("webhook", "ci");
  },
  "webhooks.replay": async world => {
    await webhook(world);
    const { id: one } = await tryOut(world, ADMIN, "ci");
    const { id: other } = await tryOut(world, ADMIN, "ci");
    return [{ params: { webhook: "ci", delivery: one } }, { params: { webhook: "ci", delivery: other } }];
  },
  "clusters.create": async () => bodies({ name: "demo" }, { name: "demo", nodes: 2 }),
  "clusters.start": async world => {
    await stoppedCluster(world);
    return named("cluster", "demo");
  },
  "clusters.stop": async world => {
    await readyCluster(world);
    return named("cluster", "demo");
  },
  "clusters.remove": async world => {
    await up(world);
    return named("cluster", "demo");
  },
  "clusters.autostop": async world => {
    await readyCluster(world);
    return bodies({ idle: "never" }, { idle: { after: 5, action: "stop" } }, { cluster: "demo" });
  },
  "clusters.hold": async world => {
    await readyCluster(world);
    return bodies({ seconds: 60 }, { seconds: 120 }, { cluster: "demo" });
  },
  "clusters.release": async world => {
    await readyCluster(world);
    await holdCluster(world, ADMIN, "demo", { seconds: 60 });
    return named("cluster", "demo");
  },
  "clusters.exec": async world => {
    await readyCluster(world);
    return bodies({ commands: ["true"] }, { commands: ["false"] }, { cluster: "demo" });
  },
  "tokens.revoke": async world => {
    const { id } = await grant(world, { workspace: ADMIN.workspace, actor: "usr_ben", role: "ci" });
    const { id: another } = await grant(world, { workspace: ADMIN.workspace, actor: "usr_ben", role: "ci" });
    return [{ params: { token: id } }, { params: { token: another } }];
  },
  "workspaces.create": async () => bodies({ name: "vision" }, { name: "speech" }),
  "jobGroups.create": async () =>
    bodies({ name: "both", tasks: [TRAINER, SERVER], cluster: "demo" }, { name: "two", tasks: [TRAINER, SERVER] }),
  "secrets.set": async () => bodies({ value: "one" }, { value: "two" }, { name: "TOKEN" }),
  "secrets.remove": async world => {
    await setSecret(world, ADMIN, "TOKEN", { value: "one" });
    return named("name", "TOKEN");
  },
  "targets.set": async () =>
    bodies({ provider: "fake" }, { provider: "fake", resources: { spot: true } }, { name: "lab" }),
  "targets.remove": async world => {
    await setTarget(world, ADMIN, "lab", Target.Change.parse({ provider: "fake" }));
    return named("name", "lab");
  },
  "pools.set": async () => bodies({ size: 2, launch: prepared }, { size: 1, launch: prepared }, { name: "warm" }),
  "pools.resize": async world => {
    await pool(world);
    return bodies({ size: 1 }, { size: 3 }, { name: "warm" });
  },
  "pools.remove": async world => {
    await pool(world);
    return named("name", "warm");
  },
  "schedules.set": async () =>
    bodies(
      { cron: "0 * * * *", timeZone: "UTC", launch },
      { cron: "1 * * * *", timeZone: "UTC", launch },
      { name: "nightly" },
    ),
  "schedules.pause": async world => {
    await schedule(world);
    return named("name", "nightly");
  },
  "schedules.resume": async world => {
    await schedule(world);
    await pause(world, ADMIN, "nightly");
    return named("name", "nightly");
  },
  "schedules.run": async world => {
    await schedule(world);
    return named("name", "nightly");
  },
  "schedules.remove": async world => {
    await schedule(world);
    return named("name", "nightly");
  },
  "images.save": async world => {
    imagable(world.provider);
    await stoppedCluster(world);
    return bodies({ cluster: "demo", name: "base" }, { cluster: "demo", name: "other" });
  },
  "images.remove": async world => {
    imagable(world.provider);
    await stoppedCluster(world);
    await save(world, ADMIN, { cluster: "demo", name: "base" });
    return named("image", "base");
  },
  "issuers.set": async () => bodies(ISSUER, { ...ISSUER, audiences: ["another"] }, { name: "ci" }),
  "issuers.remove": async world => {
    await setIssuer(world, ADMIN, "ci", Issuer.Change.parse(ISSUER));
    return named("name", "ci");
  },
  "freeze.set": async () => bodies({}, { stopAll: true }),
  "sweeps.create": async () => bodies({ dryRun: true }, { dryRun: false }),
  "budgets.set": async () => bodies({ hourly: 5 }, { hourly: 6 }),
  "quotas.set": async () => bodies({ hosts: 5 }, { hosts: 6 }),
  "deadLetters.replay": async world => letters(world),
  "deadLetters.drop": async world => letters(world),
};
