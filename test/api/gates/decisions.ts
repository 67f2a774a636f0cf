/**
 * What was decided of every route, beside what its row in the table says: who may call it, a request that it takes, and which
 * fields name things that have an owner. A route, or a field, of which nothing stands here makes a gate fail.
 */
import type { Role } from "@muster/core/actor/actor.ts";
import { SERVER, TRAINER } from "../../support/job-groups.ts";

/** The least that a user must be; or who else may: a host, a signed principal, anybody. */
type Least = Role | "host" | "machine" | "account" | "anybody";

const least: Readonly<Record<Least, readonly string[]>> = {
  anybody: ["health.get", "agent.enroll", "login.options", "login.exchange", "hooks.receive"],
  machine: ["agent.register", "agent.file"],
  account: ["tokens.bootstrap", "login.aws"],
  host: ["agent.poll", "agent.report", "agent.checkpoint"],
  viewer: [
    ...["jobs.list", "jobs.get", "jobs.why", "jobs.logs", "jobs.text", "jobs.events", "artifacts.list"],
    ...["clusters.list", "clusters.get", "clusters.events", "clusters.hosts", "jobGroups.get", "secrets.list"],
    ...["targets.list", "targets.get", "pools.list", "pools.get", "pools.events", "schedules.list", "schedules.get"],
    ...["schedules.events", "images.list", "images.get", "images.events", "providers.list", "providers.catalog"],
    ...["hooks.list", "hooks.get", "hooks.deliveries", "hooks.delivery"],
    ...[
      "providers.doctor",
      "tokens.whoami",
      "tokens.list",
      "tokens.revoke",
      "budgets.get",
      "budgets.events",
      "costs.get",
      "quotas.get",
    ],
  ],
  ci: [
    ...["launches.create", "launches.plan", "jobs.submit", "jobs.rerun", "jobs.cancel", "jobs.hold", "jobs.release"],
    ...["clusters.create", "clusters.start", "clusters.stop", "clusters.remove", "clusters.exec"],
    ...["clusters.autostop", "clusters.hold", "clusters.release", "uploads.create", "jobGroups.create"],
  ],
  member: [
    ...["secrets.set", "secrets.remove", "targets.set", "targets.remove", "pools.set", "pools.resize", "pools.remove"],
    ...["schedules.set", "schedules.pause", "schedules.resume", "schedules.run", "schedules.remove"],
    ...["images.save", "images.remove", "hooks.create", "hooks.set", "hooks.rotate", "hooks.remove", "hooks.replay"],
  ],
  admin: [
    ...["tokens.create", "budgets.set", "freeze.set", "quotas.set"],
    ...["deadLetters.list", "deadLetters.get", "deadLetters.replay", "deadLetters.drop"],
    ...["sweeps.create", "sweeps.get", "audit.list", "hooks.approve"],
    ...["issuers.set", "issuers.list", "issuers.get", "issuers.remove"],
    ...["workspaces.create", "workspaces.list", "workspaces.get"],
    ...["webhooks.create", "webhooks.list", "webhooks.get", "webhooks.set", "webhooks.remove", "webhooks.enable"],
    ...["webhooks.disable", "webhooks.rotate", "webhooks.test", "webhooks.events", "webhooks.deliveries"],
    ...["webhooks.delivery", "webhooks.replay"],
  ],
};

/** @returns undefined where nobody has decided. */
export const leastOf = (id: string): Least | undefined =>
  (Object.keys(least) as Least[]).find(who => least[who].includes(id));

/** All ids that anything was decided of. */
export const decided: readonly string[] = Object.values(least).flat();

const launch = { task: { run: "true" } };
const facts = { address: "10.0.0.1", cpus: 4, memory: 16e9, gpus: [], os: "linux", arch: "x64", agentVersion: "0.1.0" };
const nonce = "7".repeat(64);
const hook = { forge: "github", rules: [{ events: ["push"], launch }] };
const webhook = { url: "https://hooks.example.com/muster", events: ["*"] };
const issuer = {
  url: "https://token.actions.githubusercontent.com",
  audiences: ["muster"],
  rules: [{ when: { repository: "acme/train" }, role: "ci" }],
};
const sha256 = "5".repeat(64);
const pulse = { cpu: 0, memory: 0.1, gpus: [], sessions: 0 };

/** A body that each route takes, of those that want one. */
export const BODIES: Readonly<Record<string, object>> = {
  "launches.create": { ...launch, cluster: "fresh" },
  "launches.plan": { ...launch, cluster: "fresh" },
  "jobs.submit": launch,
  "jobs.rerun": {},
  "clusters.create": { name: "fresh" },
  "clusters.exec": { commands: ["true"] },
  "clusters.autostop": { idle: "never" },
  "clusters.hold": { seconds: 60 },
  "uploads.create": { items: [{ sha256, size: 1 }] },
  "jobGroups.create": { name: "pair", tasks: [TRAINER, SERVER], cluster: "pair" },
  "secrets.set": { value: "one" },
  "targets.set": { provider: "fake" },
  "pools.set": { size: 1, launch: { task: { setup: "true" } } },
  "pools.resize": { size: 2 },
  "schedules.set": { cron: "0 * * * *", timeZone: "UTC", launch },
  "images.save": { cluster: "ac-still", name: "fresh" },
  "tokens.create": { actor: "bot", role: "ci" },
  "tokens.bootstrap": { actor: "root" },
  "budgets.set": { hourly: 5 },
  "freeze.set": {},
  "quotas.set": { hosts: 50 },
  "sweeps.create": { dryRun: true },
  "hooks.create": { name: "fresh", hook },
  "hooks.set": hook,
  "hooks.rotate": {},
  "webhooks.create": { name: "fresh", webhook },
  "webhooks.set": webhook,
  "issuers.set": issuer,
  "workspaces.create": { name: "fresh" },
  "login.exchange": { token: "a.b.c" },
  "login.aws": {},
  "agent.enroll": { token: `mse_acme.hst_0_0.1.1.${nonce}`, nonce, facts },
  "agent.register": { nonce, facts },
  "agent.poll": { pulse, attempts: [] },
  "agent.report": { jobId: "job_0", fence: 1, state: "running" },
  "agent.checkpoint": { jobId: "job_0", fence: 1, from: { fence: 1, number: 1 }, part: 0 },
};

/** Noun by the field that names it, with what makes a body with that field whole: `?` is where the id goes. */
export interface Referring {
  readonly noun: string;
  /** In place of the field, or of the whole that it is a part of. */
  readonly value: unknown;
  /** Steps from the field's own place up to that of `value`. */
  readonly up?: number;
}

export const REFERS: Readonly<Record<string, Referring>> = {
  cluster: { noun: "cluster", value: "?" },
  target: { noun: "target", value: "?" },
  pool: { noun: "pool", value: "?" },
  "after.job": { noun: "job", value: [{ job: "?", on: "end" }], up: 2 },
  "mounts.upload": { noun: "upload", value: [{ kind: "file", path: "/tmp/x", upload: "?" }], up: 2 },
  "mounts.packs": { noun: "upload", value: [{ kind: "folder", path: "/tmp/x", packs: ["?"] }], up: 3 },
  "workdir.packs": { noun: "upload", value: { packs: ["?"] }, up: 2 },
  storedSecrets: { noun: "secret", value: ["?"], up: 1 },
  "items.sha256": { noun: "upload", value: [{ sha256: "?", size: 1 }], up: 2 },
  jobId: { noun: "job", value: "?" },
  "resources.image": { noun: "image", value: "muster:?" },
  "resources.images": { noun: "image", value: { home: "muster:?" }, up: 1 },
  user: { noun: "user", value: "?" },
  jobGroup: { noun: "group", value: "?" },
  array: { noun: "array", value: "?" },
  owner: { noun: "user", value: "?" },
  workspace: { noun: "workspace", value: "?" },
  subject: { noun: "job", value: "?" },
  "webhook.clusters": { noun: "cluster", value: ["?"], up: 1 },
  clusters: { noun: "cluster", value: ["?"], up: 1 },
};

/** Texts that name nothing that somebody owns; looked at one by one. */
export const PLAIN: ReadonlySet<string> = new Set([
  ...["token", "nonce", "address", "gpus", "os", "arch", "agentVersion", "machineId", "zone", "instanceType", "market"],
  ...["sshKey", "by", "id", "name", "url", "message", "actor", "provider", "region", "reservation", "networkTier"],
  ...["subnet", "securityGroups", "tenancy", "diskTier", "ports", "labels", "command", "from", "to", "run", "commands"],
  ...[
    "envs",
    "reason",
    "ref",
    "source",
    "args",
    "revision",
    "setup",
    "secrets",
    "secretFiles",
    "path",
    "on",
    "options",
  ],
  ...[
    "values",
    "outputs",
    "checkpoint",
    "group",
    "cron",
    "timeZone",
    "value",
    "accelerator",
    "state",
    "month",
    "phase",
  ],
  ...["paths", "days", "language", "cursor", "clientId", "publicClientSecret", "scopes", "audiences", "as", "when"],
  ...["api", "header", "events", "branches", "tags", "comment", "file", "issuer"],
]);
/** A container's image is a registry's, a target's group one of its cluster's; a choice's image is read as its resources' is. */
export const PLAIN_IN: ReadonlySet<string> = new Set([
  ...["container.image", "target.group", "anyOf.image", "anyOf.images", "ordered.image", "ordered.images"],
]);
