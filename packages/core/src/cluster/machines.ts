/** The machines of a cluster, as its record knows them: what was chosen, what was called for, and what was made. */
import * as z from "zod";

/** Why something ended badly: a word for programs, a sentence for people. */
export const Failure = z.object({ code: z.string(), message: z.string(), hint: z.string().optional() });
export type Failure = z.infer<typeof Failure>;

export const Offer = z.object({
  provider: z.string(),
  instanceType: z.string(),
  region: z.string().optional(),
  zone: z.string().optional(),
  market: z.enum(["on_demand", "spot", "none"]),
  cpus: z.number(),
  memory: z.number(),
  accelerators: z.record(z.string(), z.number()),
  hourly: z.number(),
  disk: z.number().optional().meta({ description: "US dollars per hour for the disks of a host while it is stopped" }),
  pool: z.string().optional().meta({ description: "Whose capacity it is, where it is not everybody's" }),
  choice: z.number().int().optional().meta({ description: "Which of the choices that were asked for, by index" }),
});

/** Machines that are there: those of a group whose call answered. What of their offer matters from then on. */
export const Made = Offer.pick({
  instanceType: true,
  cpus: true,
  memory: true,
  accelerators: true,
  hourly: true,
  disk: true,
  choice: true,
}).extend({
  try: z.number().int().min(1),
});

/**
 * The launch intent, written before the provider is called. There is one call per group, each made when the one before it
 * has answered: this is the call of the first group that is not among those `made`.
 */
export const Launch = z.object({
  /** Counts over all groups, so that a try is of one group. */
  try: z.number().int().min(1),
  offer: Offer,
  /** Epoch ms of the last call that went out; absent: none, or it has made its machines. */
  sentAt: z.number().optional(),
  /** Whether that call answered: then what it made is known. */
  answered: z.boolean(),
  /** Epoch ms of the answer: of that call's, and of those of the groups before. */
  answeredAt: z.number().optional(),
  /** Until when (epoch ms) an earlier call of this try, which never answered, may still land. */
  doubtUntil: z.number().optional(),
  /** Until when (epoch ms) the caller that took the lease is alone in calling. */
  leaseUntil: z.number().optional(),
  /** The groups before; absent: none. */
  made: z.array(Made).optional(),
  /** Epoch ms of the last answer of their calls, until that of this one. */
  madeAt: z.number().optional(),
  /** The highest try of its generation, where later ones came to nothing: none is ever used twice. */
  last: z.number().int().optional(),
});
export type Launch = z.infer<typeof Launch>;

/** A cluster that grows, as it was: what it goes back to when there are no more machines for it. */
export const Before = z.object({
  /** How many groups it had. */
  groups: z.number().int(),
  /** Its launch, but for the groups `made`: those are the first of the launch that goes on. */
  launch: Launch.omit({ made: true }),
  spot: z.boolean().optional(),
});

/** The tries whose machines the launch has made, or may be making. */
export const triesOf = (launch: Launch): readonly number[] => [...(launch.made ?? []), launch].map(call => call.try);

/** The highest try that any machine of its generation may be of. */
export const lastTry = (launch: Launch): number => Math.max(launch.last ?? 0, launch.try);

/** Which group the launch is at. */
export const atGroup = (launch: Launch): number => launch.made?.length ?? 0;

/** Epoch ms until which its machines wait for what is run on its hosts before they go; 0: its jobs have still to end. */
export const hookBy = z.number().optional();
