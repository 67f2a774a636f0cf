/** Hosts: the machines of a cluster, one per rank, each with an agent. */
import * as z from "zod";
import * as Keys from "../keys.ts";
import { fieldsOf, type Noun } from "../record.ts";
import { life } from "./life.ts";

export { idOf } from "./id.ts";

/** What the agent found on its machine. */
export const Facts = z.object({
  address: z.string().max(64),
  cpus: z.number().int().positive(),
  /** Bytes. */
  memory: z.number().positive(),
  /** Names of the GPUs, one entry each. */
  gpus: z.array(z.string().max(128)).max(64),
  os: z.string().max(64),
  arch: z.string().max(32),
  agentVersion: z.string().max(32),
  /** The cloud's own name for the machine; absent, like the rest, where no cloud tells. */
  machineId: z.string().max(64).optional(),
  zone: z.string().max(64).optional(),
  instanceType: z.string().max(64).optional(),
  /** As the cloud says it: `on-demand`, `spot`, ... */
  market: z.string().max(32).optional(),
  /** Whether the agent of AWS's session service runs: kicks and sessions can reach the machine. */
  sessionAgent: z.boolean().optional(),
  /** The public half of the key by which its jobs reach the job's other hosts with ssh. */
  sshKey: z
    .string()
    .max(200)
    .regex(/^ssh-ed25519 [A-Za-z0-9+/]{68}$/)
    .optional(),
});
export type Facts = z.infer<typeof Facts>;

const base = {
  id: z.string(),
  workspace: z.string(),
  clusterId: z.string(),
  rank: z.number().int().min(0),
  generation: z.number().int(),
  try: z.number().int(),
  createdAt: z.number(),
  changedAt: z.number(),
  /** Hash of the host token, which is made of a nonce that the agent chose: only that agent may enroll again. */
  tokenHash: z.string().optional(),
  facts: Facts.optional(),
  machineId: z.string().optional(),
  /** Epoch ms at which the cloud said that it takes the machine back. */
  interruptedAt: z.number().optional(),
};
const variant = <S extends string, X extends z.ZodRawShape>(state: S, extra: X) =>
  z.object({ ...base, state: z.literal(state), ...extra });

export const Host = z.discriminatedUnion("state", [
  variant("expected", {}),
  variant("up", { facts: Facts, tokenHash: z.string() }),
  variant("lost", {}),
  variant("gone", { endedAt: z.number() }),
]);
export type Host = z.infer<typeof Host>;

export const noun: Noun<Host> = {
  type: "host",
  schema: Host,
  fields: fieldsOf(Host),
  key: record => Keys.host(record.workspace, record.clusterId, record.rank),
  indexes: record =>
    record.machineId === undefined ? {} : { link: Keys.link(Keys.machine(record.machineId), record.id) },
};
export const kind = { noun, life };

/** Why what ran there ended, when all that is known is that the host has gone. */
export const causeOf = <C extends string>(
  host: Pick<Host, "interruptedAt"> | undefined,
  cause: C,
): C | "interrupted" => (cause === "host_lost" && host?.interruptedAt !== undefined ? "interrupted" : cause);

/** How long a host whose machine is taken back gets nothing more to do, in ms: one that still calls then has been spared. */
const TAKEN_FOR = 600_000;

/** Whether the cloud is taking its machine back. */
export const isTaken = ({ interruptedAt }: Pick<Host, "interruptedAt">, now: number): boolean =>
  interruptedAt !== undefined && now - interruptedAt < TAKEN_FOR;

/** The cluster and rank that an id names; undefined when it is none. */
export function parseId(hostId: string): { clusterId: string; rank: number } | undefined {
  const match = /^hst_([0-9A-HJKMNP-TV-Z]{26})_(\d{1,5})$/.exec(hostId);
  return match ? { clusterId: `clu_${match[1]}`, rank: Number(match[2]) } : undefined;
}

/** What an agent says of its host with every poll; an item of its own, because it changes all the time. */
export const Pulse = z.object({
  at: z.number().describe("Epoch milliseconds, by the control plane's clock"),
  /** Busy share of all cores, 0 to 1. */
  cpu: z.number().min(0).max(1),
  /** Used share of memory, 0 to 1. */
  memory: z.number().min(0).max(1),
  /** Busy share of each GPU, 0 to 1. */
  gpus: z.array(z.number().min(0).max(1)).max(64),
  /** Open sessions of people. */
  sessions: z.number().int().min(0),
  /** Attempts that run. */
  attempts: z.number().int().min(0),
  /** Seconds since anything that the host was told to watch was busy, and what that was; absent: it watches nothing. */
  quiet: z
    .object({ seconds: z.number().min(0), by: z.enum(["sessions", "cpu", "gpu", "command"]).optional() })
    .optional(),
});
export type Pulse = z.infer<typeof Pulse>;

export const Info = z.object({
  id: z.string(),
  rank: z.number().int(),
  state: z.enum(life.states as [Host["state"], ...Host["state"][]]),
  machineId: z.string().optional(),
  facts: Facts.optional(),
  pulse: Pulse.optional(),
  changedAt: z.number(),
});
export type Info = z.infer<typeof Info>;
