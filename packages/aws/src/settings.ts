/** What a deployment tells its functions: made by the stacks, carried as SST links, read by functions/world. */
import * as z from "zod";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** Every function knows this. */
export const Muster = z.object({
  /** `<app>-<stage>`: what its machines, parameters and secrets are told apart by. */
  deployment: z.string().regex(/^[a-z0-9][a-z0-9-]{0,40}$/i),
  region: z.string(),
  account: z.string().regex(/^\d{12}$/),
  table: z.string(),
  bucket: z.string(),
  /** The deployment's key: 32 random bytes, base64. */
  key: z.string().min(44),
  /** Tags that everything of this deployment must bear. */
  tags: z.record(z.string(), z.string()),
  /** ARN of the KMS key for secrets and disks; the account's default keys when absent. */
  kmsKey: z.string().optional(),
});
export type Muster = z.infer<typeof Muster>;

/** The functions that make and end machines. */
export const Fleet = z.object({
  /** Where hosts reach the control plane: the API's URL, without a slash at its end. */
  endpoint: z.string(),
  /** ARN of the instance profile that hosts get. */
  hostProfile: z.string(),
  /** Name of the SSM document that makes an agent look. */
  kickDocument: z.string(),
  /** SHA-256 of what hosts fetch, each a blob `runtime/<sha256>`. */
  runtime: z.object({ agent: Sha256, nodeX64: Sha256, nodeArm64: Sha256 }),
  /** An existing network; the default VPC when absent. */
  network: z.object({ vpc: z.string(), subnets: z.array(z.string()).min(1) }).optional(),
});
export type Fleet = z.infer<typeof Fleet>;

/** The outbox. */
export const Outbox = z.object({
  /** URL of the queue of what is to be done outside. */
  deliveries: z.string(),
  /** Hosts and networks that may be called beside what is open to everybody. */
  allow: z.array(z.string()),
});
export type Outbox = z.infer<typeof Outbox>;

/** The doorbell: which state machines drive clusters, and where rings go that failed. */
export const Doorbell = z.object({
  up: z.string(),
  down: z.string(),
  /** URL of the queue. */
  rings: z.string(),
});
export type Doorbell = z.infer<typeof Doorbell>;
