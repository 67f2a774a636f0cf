/** The rules of a hook: which events launch what. */
import * as z from "zod";
import * as Launch from "../launch/launch.ts";
import { Name } from "../task/task.ts";
import { LONGEST } from "./glob.ts";

const Patterns = z.array(z.string().min(1).max(LONGEST)).min(1).max(100);

/** How a launch that takes its task from the repository is done otherwise. */
export const Settings = z.strictObject({
  cluster: Launch.Create.shape.cluster,
  target: Launch.Create.shape.target,
  pool: Launch.Create.shape.pool,
  idle: Launch.Create.shape.idle,
  maxLifetime: Launch.Create.shape.maxLifetime,
  shared: z.boolean().optional(),
  priority: Launch.Create.shape.priority.removeDefault().optional(),
  group: Launch.Create.shape.group,
  onBusy: Launch.Create.shape.onBusy,
  maxConcurrentJobs: Launch.Create.shape.maxConcurrentJobs,
  down: z.boolean().optional(),
  managed: Launch.Create.shape.managed,
});
export type Settings = z.infer<typeof Settings>;

/** What says whether a rule is meant. */
const when = {
  name: Name.optional().meta({ description: "What it is called in the log of deliveries" }),
  events: z
    .array(z.string().regex(/^[a-z_0-9.-]{1,100}$/i, "use the forge's word, such as push or pull_request.opened"))
    .min(1)
    .max(50)
    .meta({ description: "The forge's own words, such as push, with or without an action: pull_request.opened" }),
  branches: Patterns.optional().meta({
    description: "Patterns such as release/**; of a pull request the branch that it goes into. One with ! takes out",
  }),
  tags: Patterns.optional().meta({ description: "Patterns of tags; with branches alone no tag is meant" }),
  paths: Patterns.optional().meta({ description: "Patterns of changed files, one of which must be let in" }),
  labels: z.array(z.string().min(1).max(100)).min(1).max(50).optional().meta({ description: "One of these labels" }),
  comment: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: "A line of the comment, such as /muster launch gpu" }),
  by: z.array(z.string().min(1).max(100)).min(1).max(100).optional().meta({
    description: "Who may comment so: names at the forge, and write for whoever may write there. Absent: write",
  }),
  cancelOlder: z.boolean().default(false).meta({
    description: "What was launched before for the same ref is cancelled, with a cluster that was made for it alone",
  }),
};

/** A path in the repository, without anything that leads out of it. */
const File = z
  .string()
  .min(1)
  .max(500)
  .regex(/^[^/\\\p{Cc}][^\\\p{Cc}]*$/u, "is a path in the repository, without a slash before it")
  .refine(path => path.split("/").every(part => part !== "" && part !== "." && part !== ".."), "has no such part");

export const Rule = z
  .strictObject({
    ...when,
    launch: Launch.Create.optional().meta({ description: "What is launched" }),
    checkout: z.boolean().optional().meta({
      description: "With launch: its working folder is the repository at the very commit",
    }),
    file: File.optional().meta({ description: "Path of a task file, read in the repository at the very commit" }),
    settings: Settings.optional().meta({ description: "With file: how it is launched otherwise" }),
  })
  .superRefine(({ launch, checkout, file, settings, comment, by }, context) => {
    const amiss = (path: string, message: string) => context.addIssue({ code: "custom", path: [path], message });
    if ((launch === undefined) === (file === undefined)) amiss("launch", "give either launch or file");
    if (checkout && launch?.task.workdir !== undefined) amiss("checkout", "the task has a working folder already");
    if (checkout !== undefined && launch === undefined) amiss("checkout", "goes with launch");
    if (settings !== undefined && file === undefined) amiss("settings", "goes with file");
    if (by !== undefined && comment === undefined) amiss("by", "goes with comment");
  });
export type Rule = z.infer<typeof Rule>;

/** A rule as the API shows it: its launch whole, whatever is in it. */
export const Info = z.object({
  ...when,
  launch: z.looseObject({ task: z.looseObject({ name: z.string().optional() }) }).optional(),
  checkout: z.boolean().optional(),
  file: z.string().optional(),
  settings: z.looseObject({}).optional(),
});
export type Info = z.infer<typeof Info>;

/** Bytes of all rules as JSON: they are stored as one item. */
export const MOST_BYTES = 300_000;

export const Rules = z
  .array(Rule)
  .min(1)
  .max(50)
  .refine(rules => new TextEncoder().encode(JSON.stringify(rules)).length <= MOST_BYTES, "are more than 300 KB");
export type Rules = z.infer<typeof Rules>;

/** What a rule is called where people read of it. */
export const titleOf = ({ name, events }: Rule, index: number): string =>
  name ?? `rule ${index + 1} (${events.join(", ")})`;
