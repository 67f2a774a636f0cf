/** What a caller may ask for when a cluster is made. */
import * as z from "zod";
import * as Id from "../id.ts";
import { Name, Resources } from "../task/task.ts";
import * as Group from "./group.ts";
import { Idle } from "./idle.ts";
import { MaxConcurrentJobs } from "./slots.ts";

/** Names that begin like an id are refused: whoever reads one must know which it is. */
export const isName = (text: string): boolean => !Id.looksLikeId(text);
export const NOT_A_NAME = "a name does not begin like an id (clu_, job_, …)";

/** What a caller may ask for: hosts of one kind, as nodes and resources, or of several, as groups. */
export const Create = z
  .strictObject({
    name: Name.refine(isName, NOT_A_NAME).optional(),
    nodes: Group.Nodes.optional().meta({ description: "Hosts; 1 when absent" }),
    resources: Resources.optional(),
    groups: Group.Groups.optional().meta({ description: "Instead of nodes and resources: hosts of several kinds" }),
    target: Name.optional().meta({
      description: "Name of a target: its provider stands over theirs, and it fills in what they leave open",
    }),
    idle: Idle.optional(),
    /** Minutes after which the cluster ends, whatever runs on it; absent: no such limit. */
    maxLifetime: z.number().min(1).max(525_600).optional(),
    shared: z.boolean().default(false),
    maxConcurrentJobs: MaxConcurrentJobs.optional().meta({
      description: "Most jobs that run on one host at a time; absent: as many as there is room for",
    }),
  })
  .superRefine((request, context) => {
    const said = (["nodes", "resources"] as const).filter(field => request[field] !== undefined);
    if (request.groups === undefined) return;
    for (const field of said)
      context.addIssue({ code: "custom", path: [field], message: `each of the groups says its own ${field}` });
  });
export type Create = z.infer<typeof Create>;
