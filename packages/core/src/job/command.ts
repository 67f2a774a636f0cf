/** Commands on a cluster's hosts, beside whatever runs there: what may be asked for, and what a job's record says of it. */
import * as z from "zod";
import { MOST_NODES } from "../cluster/group.ts";
import { Name, Task } from "../task/task.ts";

/** The most commands that are sent at a time. */
const MOST_COMMANDS = 1000;
/** Characters of one command; what all of them come to is bounded by the task that carries them. */
const LONGEST = 140_000;

const Text = z
  .string()
  .min(1)
  .max(LONGEST)
  .refine(text => !text.includes("\0") && text.isWellFormed(), "must be text without NUL, and whole characters");

/** Which hosts: all that are up, those of one group that are, or just these. */
const Target = z.union([
  z.literal("all"),
  z.strictObject({ group: Name }),
  z.strictObject({
    nodes: z.array(z.number().int().min(0)).min(1).max(MOST_NODES).meta({ description: "Ranks of hosts" }),
  }),
]);
export type Target = z.infer<typeof Target>;

export const Language = z.enum(["shell", "python"]);
export type Language = z.infer<typeof Language>;

/** What a caller may ask for. */
export const Create = z
  .strictObject({
    commands: z
      .array(Text)
      .min(1)
      .max(MOST_COMMANDS)
      .meta({ description: "Run on each host, one after the other, each in a process of its own" }),
    language: Language.default("shell"),
    target: Target.default("all"),
    failFast: z.boolean().default(false).meta({ description: "A host goes no further after a command that failed" }),
    once: z
      .boolean()
      .default(false)
      .meta({ description: "Not on hosts where all of just these commands have succeeded before" }),
    force: z.boolean().default(false).meta({ description: "With once: also there" }),
    envs: Task.shape.envs,
    timeout: Task.shape.timeout.meta({ description: "Seconds that they may run in all, on each host" }),
  })
  .refine(({ once, force }) => once || !force, { path: ["force"], message: "says nothing without once" });
export type Create = z.infer<typeof Create>;

/** Of a job that is such commands. */
export const Exec = z.object({
  ranks: z.array(z.number().int()).meta({ description: "Ranks of the cluster's hosts, in the order of the job's own" }),
  lost: z.array(z.number().int()).optional().meta({ description: "Hosts that were meant too, and are down" }),
  commands: z.number().int().meta({ description: "How many there are" }),
  once: z.literal(true).optional(),
  force: z.literal(true).optional(),
  nonce: z.string().meta({ description: "What the marks in its log bear that tell one command from the next" }),
});
export type Exec = z.infer<typeof Exec>;
