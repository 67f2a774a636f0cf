/** What machines a task wants. Empty means: whatever is cheapest, or what is there. */
import * as z from "zod";

/** Entries that one map of a task may have. */
const MOST_ENTRIES = 500;
export const fewEnough = [
  (entries: Readonly<Record<string, string>>) => Object.keys(entries).length <= MOST_ENTRIES,
  `at most ${MOST_ENTRIES} entries`,
] as const;

const Image = z.string().max(512);
const Id = z.string().max(63);

/** What one machine must have. */
const machine = z.strictObject({
  /** Name of a provider of this control plane, such as `local`. Absent: the only one, or the default. */
  provider: Id.optional(),
  /** Accelerator name to count per host, such as `{ A100: 4 }`. More than one entry: any of them will do. */
  accelerators: z.record(z.string().max(63), z.number().positive().max(1024)).optional(),
  /** vCPUs per host; `atLeast` when the file said "4+". */
  cpus: z.strictObject({ count: z.number().positive().max(4096), atLeast: z.boolean() }).optional(),
  /** GiB per host. */
  memory: z.strictObject({ gib: z.number().positive().max(65_536), atLeast: z.boolean() }).optional(),
  instanceType: Id.optional(),
  region: Id.optional(),
  zone: Id.optional(),
  spot: z.boolean().optional(),
  /** With `spot`: machines on demand will do where no spot capacity is left. */
  spotFallback: z.boolean().optional(),
  /** Most US dollars per host and hour. */
  maxHourly: z.number().positive().max(100_000).optional(),
  /** Id of a capacity reservation or capacity block of the account. */
  reservation: Id.optional(),
  /** Hosts close to each other, for jobs whose nodes talk much. */
  placementGroup: z.boolean().optional(),
  /** Network adapters that bypass the kernel (AWS: Elastic Fabric Adapter); the machine must have them. */
  efa: z.boolean().optional(),
  /** `best`: such adapters where the machine has them. */
  networkTier: z.enum(["standard", "best"]).optional(),
  /** The account's own subnet and security groups in place of the deployment's. */
  subnet: Id.optional(),
  securityGroups: z.array(Id).min(1).max(5).optional(),
  /** `dedicated`: hardware that no other account's machines share. */
  tenancy: z.enum(["default", "dedicated"]).optional(),
  /** GB of the root disk. */
  diskSize: z.number().int().positive().max(65_536).optional(),
  diskTier: z.string().max(16).optional(),
  image: Image.optional(),
  /** Image by region; `image` stands over it. */
  images: z.record(Id, Image).optional(),
  ports: z.array(z.string().max(11)).max(100).optional(),
  labels: z
    .record(z.string().max(128), z.string().max(256))
    .refine(...fewEnough)
    .optional(),
});
/** An image that Muster has saved, as it was found when machines were asked for that start from it. */
export const Saved = z.object({
  id: z.string(),
  name: z.string(),
  provider: z.string(),
  /** The provider's own name of it. */
  ref: z.string(),
  region: z.string().optional(),
  architecture: z.string().optional(),
  /** On which it was saved. */
  instanceType: z.string().optional(),
  /** GiB. */
  size: z.number().optional(),
});
export type Saved = z.infer<typeof Saved>;

/** As it is kept with a cluster: nobody says from outside what a saved image is. */
const settled = machine.extend({ saved: Saved.optional() });
/** One of several machines that will do: what it says stands over what is said for all of them. */
export type Choice = z.infer<typeof settled>;

/** Alternatives of one request. */
export const MOST_CHOICES = 20;

const choices = <M extends z.ZodType>(one: M) => ({
  /** Any of these will do: the cheapest. */
  anyOf: z.array(one).min(1).max(MOST_CHOICES).optional(),
  /** Any of these will do: the first that can be had. */
  ordered: z.array(one).min(1).max(MOST_CHOICES).optional(),
});

/** What a caller may ask for. */
export const Resources = machine
  .extend(choices(machine))
  .refine(({ anyOf, ordered }) => anyOf === undefined || ordered === undefined, {
    path: ["ordered"],
    message: "cannot stand beside any_of: one of them decides",
  });

/** The same with its saved images looked up. */
export const Settled = settled.extend(choices(settled));
export type Resources = z.infer<typeof Settled>;
