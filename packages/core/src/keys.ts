/** Where everything stands in the table. The workspace is in every key. */
import type { Key } from "./ports/table.ts";

export const cluster = (workspace: string, id: string): Key => ({ pk: `W#${workspace}#C#${id}`, sk: "CLUSTER" });
export const clusterSpec = (workspace: string, id: string): Key => ({ ...cluster(workspace, id), sk: "SPEC" });
/** What of its idle policy, and of who holds it, would make its record long. */
export const clusterWords = (workspace: string, id: string): Key => ({ ...cluster(workspace, id), sk: "WORDS" });
/** What it counts for in its workspace's quotas. */
export const holds = (workspace: string, id: string): Key => ({ ...cluster(workspace, id), sk: "HOLDS" });
export const slots = (workspace: string, id: string): Key => ({ ...cluster(workspace, id), sk: "SLOTS" });
export const host = (workspace: string, clusterId: string, rank: number): Key => ({
  ...cluster(workspace, clusterId),
  sk: `HOST#${String(rank).padStart(5, "0")}`,
});
export const pulse = (workspace: string, clusterId: string, rank: number): Key => ({
  ...cluster(workspace, clusterId),
  sk: `PULSE#${String(rank).padStart(5, "0")}`,
});
/** That its history says that its silent hosts are not given up. */
export const braked = (workspace: string, id: string): Key => ({ ...cluster(workspace, id), sk: "BRAKED" });
export const clusterName = (workspace: string, name: string): Key => ({
  pk: `W#${workspace}#NAME#${name.toLowerCase()}`,
  sk: "NAME",
});
export const claim = (workspace: string, key: string): Key => ({ pk: `W#${workspace}#KEY#${key}`, sk: "KEY" });

export const job = (workspace: string, id: string): Key => ({ pk: `W#${workspace}#J#${id}`, sk: "JOB" });
export const array = (workspace: string, id: string): Key => ({ ...job(workspace, id), sk: "ARRAY" });
export const jobGroup = (workspace: string, id: string): Key => ({ pk: `W#${workspace}#JG#${id}`, sk: "JOBGROUP" });
export const follow = (workspace: string, id: string): Key => ({ ...job(workspace, id), sk: "FOLLOW" });
export const attempt = (workspace: string, jobId: string, fence: number, rank: number): Key => ({
  ...job(workspace, jobId),
  sk: `${attemptPrefix(fence)}${String(rank).padStart(5, "0")}`,
});
/** All nodes of all tries of a job, in the order of tries. */
export const ATTEMPTS = "A#";
export const attemptPrefix = (fence: number): string => `${ATTEMPTS}${String(fence).padStart(8, "0")}#`;

export const MAX_PRIORITY = 1000;
/** Higher priority first, then older first. `first`: before all priorities, for what takes nothing from anybody. */
export const queued = (workspace: string, clusterId: string, priority: number | "first", jobId: string): Key => ({
  ...cluster(workspace, clusterId),
  // An exclamation mark comes before every digit.
  sk: `Q#${priority === "first" ? "!" : String(MAX_PRIORITY - priority).padStart(5, "0")}#${jobId}`,
});

/** What waits for the end of a job: an item for each, beside the job's record. */
export const NEXT = "NEXT#";
export const next = (workspace: string, jobId: string, waitingId: string): Key => ({
  ...job(workspace, jobId),
  sk: `${NEXT}${waitingId}`,
});
/** The jobs of a cluster that wait and have no place in its queue yet. */
export const WAITING = "WAIT#";
export const waiting = (workspace: string, clusterId: string, jobId: string): Key => ({
  ...cluster(workspace, clusterId),
  sk: `${WAITING}${jobId}`,
});

/** A job that will be tried again, until it has its place in the queue back. */
export const RECOVERING = "R#";
export const recovering = (workspace: string, clusterId: string, jobId: string): Key => ({
  ...cluster(workspace, clusterId),
  sk: `${RECOVERING}${jobId}`,
});

/** Together, and apart from everything else: they are listed as they are, not as an index last saw them. */
export const SECRET = "SECRET#";
export const secrets = (workspace: string): string => `W#${workspace}#SECRETS`;
export const secret = (workspace: string, name: string): Key => ({ pk: secrets(workspace), sk: `${SECRET}${name}` });
export const TARGET = "TARGET#";
export const targets = (workspace: string): string => `W#${workspace}#TARGETS`;
export const target = (workspace: string, name: string): Key => ({
  pk: targets(workspace),
  sk: `${TARGET}${name.toLowerCase()}`,
});

/** What failed again and again: together, as few as they are. */
export const DEAD_LETTER = "DEAD#";
export const deadLetters = (workspace: string): string => `W#${workspace}#DEAD`;
export const deadLetter = (workspace: string, id: string): Key => ({
  pk: deadLetters(workspace),
  sk: `${DEAD_LETTER}${id}`,
});

export const schedule = (workspace: string, name: string): Key => ({
  pk: `W#${workspace}#S#${name.toLowerCase()}`,
  sk: "SCHEDULE",
});
/** What a schedule launches: too large to be read with it. */
export const scheduled = (workspace: string, name: string): Key => ({ ...schedule(workspace, name), sk: "LAUNCH" });

export const pool = (workspace: string, name: string): Key => ({
  pk: `W#${workspace}#POOL#${name.toLowerCase()}`,
  sk: "POOL",
});
/** What its members are made from: too large to be read with it. */
export const pooled = (workspace: string, name: string): Key => ({ ...pool(workspace, name), sk: "LAUNCH" });
export const MEMBER = "MEMBER#";
export const member = (workspace: string, name: string, clusterId: string): Key => ({
  ...pool(workspace, name),
  sk: `${MEMBER}${clusterId}`,
});

export const image = (workspace: string, id: string): Key => ({ pk: `W#${workspace}#I#${id}`, sk: "IMAGE" });
export const imageName = (workspace: string, name: string): Key => ({
  pk: `W#${workspace}#IMAGE#${name.toLowerCase()}`,
  sk: "NAME",
});

/** The workspace's, or one user's. */
export const budget = (workspace: string, user?: string): Key => ({
  pk: `W#${workspace}#BUDGET`,
  sk: user === undefined ? "BUDGET" : `${USER_BUDGET}${user}`,
});
export const USER_BUDGET = "USER#";
/** How many of something the workspace has set up, or more. */
export const tally = (workspace: string, list: string): Key => ({ ...budget(workspace), sk: `TALLY#${list}` });
/** What months came to that are over: the workspace's, and then each user's. */
export const closedMonths = (month: string): string => `MONTH#${month}#`;
export const closedMonth = (workspace: string, month: string, user = ""): Key => ({
  ...budget(workspace),
  sk: `${closedMonths(month)}${user}`,
});
export const sweep = (workspace: string, id: string): Key => ({ pk: `W#${workspace}#SWEEP#${id}`, sk: "SWEEP" });
export const token = (id: string): Key => ({ pk: `T#${id}`, sk: "TOKEN" });
/** Together, as few as they are; no workspace owns them. */
export const WORKSPACES = "WORKSPACES";
export const WORKSPACE = "WS#";
export const workspace = (name: string): Key => ({ pk: WORKSPACES, sk: `${WORKSPACE}${name}` });

/** What people and programs did in a workspace, by day (`2026-11-22`) and then by the event's id. */
export const audit = (workspace: string, day: string, eventId: string): Key => ({
  pk: audited(workspace, day),
  sk: eventId,
});
export const audited = (workspace: string, day: string): string => `W#${workspace}#AUDIT#${day}`;
/** How far a day's lines are in the bucket. */
export const auditDay = (workspace: string, day: string): Key => ({ pk: `W#${workspace}#AUDITDAY#${day}`, sk: "DAY" });
/** Failures of authentication from one place, in one span of time. */
export const refusals = (place: string, from: number): Key => ({
  pk: `${SHARED}AUTH#${place}`,
  sk: String(from),
});

/** What all workspaces share about a provider. */
export const SHARED = "P#";
export const capacity = (provider: string, place: string): Key => ({
  pk: `${SHARED}${provider}`,
  sk: `CAPACITY#${place}`,
});
export const launches = (provider: string): Key => ({ pk: `${SHARED}${provider}`, sk: "LAUNCHES" });
/** How many hosts it has, and how many were given up for silence lately. */
export const fleet = (provider: string): Key => ({ pk: `${SHARED}${provider}`, sk: "FLEET" });
export const givenUp = (provider: string): Key => ({ pk: `${SHARED}${provider}`, sk: "GIVEN_UP" });

/** Index keys. */
export const list = (workspace: string, noun: string, id: string): Key => ({ pk: `W#${workspace}#${noun}`, sk: id });
export const link = (relation: string, id: string): Key => ({ pk: relation, sk: id });
export const machine = (machineId: string): string => `MACHINE#${machineId}`;
export const jobsOf = (workspace: string, clusterId: string): string => `W#${workspace}#JOBS#${clusterId}`;

/** Runs of an array are listed in the order of their indices. */
export const runSort = (index: number): string => String(index).padStart(6, "0");

/** Shards of the due index, so that no one partition of it is hot. */
export const DUE_SHARDS = 16;
export const duePartition = (shard: number): string => `DUE#${shard}`;
export const dueSort = (at: number): string => String(Math.max(0, Math.floor(at))).padStart(15, "0");
export const due = (pk: string, id: string, at: number): Key => ({
  pk: duePartition(spread(id) % DUE_SHARDS),
  sk: `${dueSort(at)}#${pk}`,
});

/** What is due outside has partitions of its own, which those who make and end machines never read. */
export const OUTBOX_SHARDS = 4;
export const outboxPartition = (shard: number): string => `OUTBOX#${shard}`;
export const outboxDue = (id: string, at: number): Key => ({
  pk: outboxPartition(spread(id) % OUTBOX_SHARDS),
  sk: `${dueSort(at)}#${id}`,
});

/** Together: each event looks at all of them. */
export const WEBHOOK = "WEBHOOK#";
export const webhooks = (workspace: string): string => `W#${workspace}#WEBHOOKS`;
export const webhook = (workspace: string, name: string): Key => ({
  pk: webhooks(workspace),
  sk: `${WEBHOOK}${name.toLowerCase()}`,
});
export const webhookDelivery = (workspace: string, id: string): Key => ({
  pk: `W#${workspace}#WD#${id}`,
  sk: "DELIVERY",
});

export const hook = (workspace: string, id: string): Key => ({ pk: `W#${workspace}#HOOK#${id}`, sk: "HOOK" });
/** What its rules launch: too large to be read with it. */
export const hookRules = (workspace: string, id: string): Key => ({ ...hook(workspace, id), sk: "RULES" });
export const hookName = (workspace: string, name: string): Key => ({
  pk: `W#${workspace}#HOOKNAME#${name.toLowerCase()}`,
  sk: "NAME",
});
/** Whose it is: senders say its id alone. */
export const hookOwner = (id: string): Key => ({ pk: `H#${id}`, sk: "HOOK" });
/** What was received, by a hash of what tells it apart. */
export const hookSeen = (workspace: string, id: string, what: string): Key => ({
  ...hook(workspace, id),
  sk: `SEEN#${what}`,
});
/** What was launched last for a ref, by a rule. */
export const hookRef = (workspace: string, id: string, what: string): Key => ({
  ...hook(workspace, id),
  sk: `REF#${what}`,
});
export const hookWatch = (workspace: string, id: string): Key => ({ ...hook(workspace, id), sk: "WATCH" });
export const hookDelivery = (workspace: string, id: string): Key => ({ pk: `W#${workspace}#HD#${id}`, sk: "DELIVERY" });

/** Together, and few: those who may vouch for people and programs. */
export const ISSUER = "ISSUER#";
export const issuers = (workspace: string): string => `W#${workspace}#ISSUERS`;
export const issuer = (workspace: string, name: string): Key => ({
  pk: issuers(workspace),
  sk: `${ISSUER}${name.toLowerCase()}`,
});
/** All workspaces' that believe the same one. @param who its URL */
export const issuing = (who: string): string => `ISSUING#${who}`;
/** That somebody signed in not long ago. */
export const signedIn = (workspace: string, actor: string): Key => ({
  pk: `W#${workspace}#SIGNEDIN#${actor}`,
  sk: "SIGNEDIN",
});

/** What is told of something at a forge. */
export const report = (workspace: string, id: string): Key => ({ pk: `W#${workspace}#RPT#${id}`, sk: "REPORT" });
/** The reports of a job, or of an array: beside its record. */
export const reportsOf = (workspace: string, jobId: string): Key => ({ ...job(workspace, jobId), sk: "REPORTS" });
/** Strangers' commits of a hook, which wait for a maintainer or have one's word. */
export const APPROVAL = "APPROVAL#";
export const approvals = (workspace: string, hookId: string): string => `W#${workspace}#APPROVALS#${hookId}`;
export const approval = (workspace: string, hookId: string, repository: string, sha: string): Key => ({
  pk: approvals(workspace, hookId),
  sk: `${APPROVAL}${repository.toLowerCase()}#${sha}`,
});

/** FNV-1a, 32 bits: spreads ids over a range of numbers. Not for secrets. */
export function spread(id: string): number {
  let hash = 0x811c9dc5;
  for (const char of id) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return hash >>> 0;
}

/** The blob of what hosts run on. */
export const runtime = (sha256: string): string => `runtime/${sha256}`;
