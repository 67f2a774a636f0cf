/**
 * What agents and the control plane say to each other. The agent only calls out: it enrolls once, then polls, and reports
 * what its attempts do. Every message may arrive twice or late; the fence tells which attempt is meant.
 */
import * as z from "zod";
import { Cause } from "../attempt/attempt.ts";
import { Generation } from "../checkpoint/checkpoint.ts";
import { Facts, Pulse } from "../host/host.ts";
import { Container } from "../task/container.ts";
import { BucketMode, Git, Package } from "../task/inputs.ts";
import { Endpoint, Service } from "../task/service.ts";
import { OnError } from "../task/task.ts";

export const Enroll = z.strictObject({
  /** `mse_<workspace>.<hostId>.<secret>`, good once. */
  token: z.string().max(512),
  /** 64 hex digits that the agent made and keeps: the same enrollment may be sent again, by the same agent. */
  nonce: z.string().regex(/^[0-9a-f]{64}$/),
  facts: Facts,
});
export type Enroll = z.infer<typeof Enroll>;

/** The call of a machine whose credentials tell which one it is. */
export const Register = Enroll.omit({ token: true });
export type Register = z.infer<typeof Register>;

export const Enrolled = z.object({
  hostId: z.string(),
  /** `msh_<workspace>.<hostId>.<secret>`: the bearer token of every later call. */
  hostToken: z.string(),
});
export type Enrolled = z.infer<typeof Enrolled>;

/** What machines fetch when they boot, by its hash. */
export const FileParam = z.object({ sha256: z.string().regex(/^[0-9a-f]{64}$/) });
export const File = z.object({ url: z.string().meta({ description: "Reads the file for some minutes" }) });
export type File = z.infer<typeof File>;

const AttemptRef = z.strictObject({ jobId: z.string().max(64), fence: z.number().int() });
export type AttemptRef = z.infer<typeof AttemptRef>;

/** An attempt that the host holds, and what it needs for it. */
export const HeldRef = AttemptRef.extend({
  /** Grants that end soon. */
  wants: z
    .array(z.enum(["outputs", "checkpoint"]))
    .max(2)
    .optional(),
  /** The number of the checkpoint's generation that is home since the last answered poll. */
  sent: z.number().int().optional(),
});
export type HeldRef = z.infer<typeof HeldRef>;

/** What the cloud has announced to the machine. */
export const Notice = z.object({
  /** `interruption`: the cloud takes it away. `rebalance`: it may do so soon. */
  kind: z.enum(["interruption", "rebalance"]),
  /** Epoch ms, by the cloud's clock: when it is taken away; for `rebalance`, when that was said. */
  at: z.number().optional(),
});
export type Notice = z.infer<typeof Notice>;

/** How a hook ended. */
export const Hooked = z.strictObject({
  id: z.string().max(64),
  exitCode: z.number().int().min(0).max(255).optional(),
});
export type Hooked = z.infer<typeof Hooked>;

export const Poll = z.strictObject({
  pulse: Pulse.omit({ at: true, attempts: true }),
  /** Attempts that this host holds and whose exit the control plane has not yet accepted. */
  attempts: z.array(HeldRef).max(256),
  /** Said once it was heard, in one answered poll. */
  notice: Notice.optional(),
  /** The last hook that this host was told of, once it is over; `exitCode` as in a report, absent when it never ran or was cut off. */
  hooked: Hooked.optional(),
});
export type Poll = z.infer<typeof Poll>;

export const LogPolicy = z.object({
  url: z.string(),
  fields: z.record(z.string(), z.string()),
  /** Chunks go to `<prefix><9-digit sequence>.<phase>`. */
  prefix: z.string(),
  maxBytes: z.number(),
  expiresAt: z.number(),
});
export type LogPolicy = z.infer<typeof LogPolicy>;

/** A gzipped tar archive, or a file's bytes. */
const Input = z.object({ url: z.string(), sha256: z.string() });

const Mount = z.discriminatedUnion("kind", [
  Input.extend({ kind: z.literal("file"), path: z.string(), mode: z.number().int().optional() }),
  z.object({ kind: z.literal("folder"), path: z.string(), packs: z.array(Input) }),
  z.object({ kind: z.literal("bucket"), path: z.string(), source: z.string(), mode: BucketMode }),
]);

/** A folder that outlives the try: brought back before it begins, and sent home while it runs. */
const Checkpoint = z.object({
  path: z.string(),
  policy: LogPolicy,
  /** What a try before has sent home last, whole; its files are asked for part by part. */
  last: Generation.optional(),
});

/** One node's part in one try of a job, with all that it needs. */
export const Assignment = z.object({
  jobId: z.string(),
  fence: z.number().int(),
  rank: z.number().int(),
  onError: OnError,
  setup: z.string().optional(),
  run: z.string().optional(),
  /** The environment contract and the task's own variables. */
  env: z.record(z.string(), z.string()),
  /** Names in `env` whose values are masked in the job's log and in what the agent says. */
  secretNames: z.array(z.string()),
  workdir: z.union([z.object({ packs: z.array(Input) }), Git]).optional(),
  mounts: z.array(Mount),
  packages: z.array(Package),
  /** Files for their owner alone; the content is base64. */
  secretFiles: z.array(z.object({ path: z.string(), content: z.string() })),
  /** The host's GPUs that are the job's, by their numbers; absent: all. */
  gpus: z.array(z.number().int().min(0)).optional(),
  /** How many GPUs the job asked for: with fewer it does not begin. */
  gpusAsked: z.number().int().positive().optional(),
  container: Container.optional(),
  /** Commands beside whatever runs there: they leave `~/sky_workdir` alone. `again`: a setup that was done before is run once more. */
  beside: z.object({ again: z.boolean() }).optional(),
  ray: z.boolean().optional(),
  /** On the job's first host only. */
  services: z.array(Service).optional(),
  /** Kept under these grants when the attempt ends. */
  outputs: z.object({ places: z.array(z.string()), policy: LogPolicy }).optional(),
  checkpoint: Checkpoint.optional(),
  /** The job's other hosts that can be reached with ssh, each with the public half of the key that it made. */
  peers: z.array(z.object({ address: z.string(), sshKey: z.string() })).optional(),
  /** Names by which the hosts of the job's group are known, where the host can be told them. */
  hostNames: z.array(z.object({ address: z.string(), name: z.string() })).optional(),
  /** Bytes of log that are shipped at most. */
  logQuota: z.number().int().positive().optional(),
  /** Seconds, setup included. */
  timeout: z.number().int().optional(),
  /** Seconds between TERM and KILL. */
  grace: z.number().int(),
  logs: LogPolicy,
});
export type Assignment = z.infer<typeof Assignment>;

/** What to do about an attempt that the host already holds. */
export const Held = AttemptRef.extend({
  /** End it: TERM, grace, KILL, then report the exit with this cause. */
  cancel: z.enum(["cancelled", "timed_out", "peer_failed", "interrupted"]).optional(),
  /** Epoch ms until which somebody follows the log: ship every 300 ms. */
  followUntil: z.number().optional(),
  /** Fresh grants, before the old ones expire. */
  logs: LogPolicy.optional(),
  outputs: LogPolicy.optional(),
  checkpoint: LogPolicy.optional(),
});
export type Held = z.infer<typeof Held>;

/** How long a machine may live by itself, for hosts that can power themselves off. */
export const PowerOff = z.object({
  /** Seconds without an answer from the control plane, while no attempt runs. */
  afterSilence: z.number().int().positive(),
  /** Epoch ms, by the control plane's clock: the end of its lifetime, which waits for no attempt. */
  at: z.number().optional(),
});
export type PowerOff = z.infer<typeof PowerOff>;

/** What the host is to look for: it tells in its pulse how long nothing of it has been busy. */
export const Watch = z.object({
  sessions: z.literal(true).optional(),
  /** Shares, 0 to 1. */
  cpuBelow: z.number().optional(),
  gpuBelow: z.number().optional(),
  /** For a shell, as a job's user; anything but 0 says that it is busy. */
  command: z.string().optional(),
});
export type Watch = z.infer<typeof Watch>;

/** What is run before the machine stops or ends: once for each id, as a job's user. */
export const Hook = z.object({
  id: z.string(),
  run: z.string(),
  /** Seconds. */
  timeout: z.number().int().positive(),
  /** What its script is told of its cluster. */
  env: z.record(z.string(), z.string()).optional(),
});
export type Hook = z.infer<typeof Hook>;

export const Orders = z.object({
  /** The control plane's clock, epoch ms. */
  now: z.number(),
  assignments: z.array(Assignment),
  held: z.array(Held),
  /** Attempts that are no longer this host's: end them, report nothing, forget them. */
  revoked: z.array(AttemptRef),
  /** When to poll again at the latest, in ms. */
  pollAfter: z.number().int(),
  /** Absent: the machine does not end by itself, but for an agent that is not heard. */
  powerOff: PowerOff.optional(),
  watch: Watch.optional(),
  hook: Hook.optional(),
});
export type Orders = z.infer<typeof Orders>;

export const Report = z.discriminatedUnion("state", [
  AttemptRef.extend({ state: z.literal("preparing") }),
  AttemptRef.extend({
    state: z.literal("running"),
    /** Of its services. */
    endpoints: z.array(Endpoint).max(10).optional(),
  }),
  AttemptRef.extend({
    state: z.literal("exited"),
    cause: Cause,
    /** The script's exit code; 128 + n when signal n ended it. Absent when it never ran. */
    exitCode: z.number().int().min(0).max(255).optional(),
    message: z.string().max(2000).optional(),
    /** Most that each of its GPUs was busy, 0 to 1, by their order. */
    gpuPeaks: z.array(z.number().min(0).max(1)).max(64).optional(),
    /** Files that were kept of its outputs, and their bytes. */
    outputs: z
      .object({ files: z.number().int().min(0), bytes: z.number().min(0), failed: z.number().int().min(0) })
      .optional(),
    /** Log chunks sent: sequence numbers 0 to chunks - 1. */
    chunks: z.number().int().min(0),
    /** False: some could not be sent within ten minutes. */
    logsComplete: z.boolean(),
  }),
]);
export type Report = z.infer<typeof Report>;

export const Reported = z.object({
  /** False: the attempt is not this host's any more; end it and forget it. */
  accepted: z.boolean(),
});
export type Reported = z.infer<typeof Reported>;

/** How often agents poll, in ms. */
export const POLL_IDLE = 60_000;
export const POLL_BUSY = 15_000;
