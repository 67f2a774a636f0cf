/** JSON Schemas of what routes take and give, through zod's own generator; shared ones are hoisted under their names. */
import { Assignment, Enroll, Enrolled, LogPolicy, Orders, Poll, Report } from "@muster/core/agent/protocol.ts";
import * as Cluster from "@muster/core/cluster/cluster.ts";
import { Idle, Kept } from "@muster/core/cluster/idle.ts";
import { Event } from "@muster/core/event/event.ts";
import * as Host from "@muster/core/host/host.ts";
import * as Job from "@muster/core/job/job.ts";
import * as Logs from "@muster/core/job/logs.ts";
import * as Launch from "@muster/core/launch/launch.ts";
import { ProviderInfo } from "@muster/core/provider/list.ts";
import * as Secret from "@muster/core/secret/secret.ts";
import * as Target from "@muster/core/target/target.ts";
import * as Task from "@muster/core/task/task.ts";
import * as Upload from "@muster/core/upload/upload.ts";
import * as z from "zod";

export type JsonSchema = { readonly [key: string]: unknown };

/** Schemas that have a name of their own in the document; whatever else a route uses stands where it is used. */
const named: Readonly<Record<string, z.ZodType>> = {
  Cluster: Cluster.Info,
  ClusterCreate: Cluster.Create,
  Event,
  Failure: Cluster.Failure,
  Host: Host.Info,
  HostFacts: Host.Facts,
  HostPulse: Host.Pulse,
  Idle,
  IdleKept: Kept,
  Job: Job.Info,
  JobSubmit: Job.Submit,
  Launch: Launch.Info,
  LaunchCreate: Launch.Create,
  LaunchPlan: Launch.Plan,
  LogChunk: Logs.Chunk,
  LogPage: Logs.LogPage,
  Mount: Task.Mount,
  Name: Task.Name,
  Offer: Cluster.Offer,
  Provider: ProviderInfo,
  Resources: Task.Resources,
  Secret: Secret.Info,
  Target: Target.Info,
  TargetSet: Target.Change,
  Task: Task.Task,
  Upload: Upload.Info,
  UploadCreate: Upload.Create,
  AgentAssignment: Assignment,
  AgentEnroll: Enroll,
  AgentEnrolled: Enrolled,
  AgentLogPolicy: LogPolicy,
  AgentOrders: Orders,
  AgentPoll: Poll,
  AgentReport: Report,
};

/** What zod calls an integer without bounds. */
const UNBOUNDED = Number.MAX_SAFE_INTEGER;

export interface Generated {
  /** The named schemas that were reached, without those of routes. */
  readonly components: Readonly<Record<string, JsonSchema>>;
  /** By the key that each was given under. */
  readonly schemas: Readonly<Record<string, JsonSchema>>;
}

/** JSON Schemas of these, as they are sent (`input`: defaults may be left out) or as they are read (`output`). */
export function generate(io: "input" | "output", given: Readonly<Record<string, z.ZodType>>): Generated {
  const registry = z.registry<{ id: string }>();
  for (const [name, schema] of Object.entries(named)) registry.add(schema, { id: name });
  const keys = new Map<string, string>();
  for (const [key, schema] of Object.entries(given)) {
    const name = registry.get(schema)?.id;
    if (name === undefined) registry.add(schema, { id: key });
    keys.set(key, name ?? key);
  }
  const all = z.toJSONSchema(registry, { io, uri: referTo, override: simplify }).schemas;
  const bare = Object.fromEntries(Object.entries(all).map(([id, schema]) => [id, withoutAddress(schema)]));
  const schemaOf = (name: string) => (name in named ? { $ref: referTo(name) } : (bare[name] ?? {}));
  const schemas = Object.fromEntries([...keys].map(([key, name]) => [key, schemaOf(name)]));
  return { schemas, components: reached(bare, schemas) };
}

const referTo = (name: string): string => `#/components/schemas/${name}`;

/** Drops what zod says to validators and what readers need not know. */
function simplify({
  zodSchema,
  jsonSchema,
}: {
  zodSchema: z.core.$ZodTypes;
  jsonSchema: z.core.JSONSchema.BaseSchema;
}) {
  const { def } = zodSchema._zod;
  // Answers may gain fields; only what was declared strict refuses more.
  if (def.type === "object" && def.catchall === undefined) delete jsonSchema.additionalProperties;
  if (jsonSchema.maximum === UNBOUNDED) delete jsonSchema.maximum;
  if (jsonSchema.minimum === -UNBOUNDED) delete jsonSchema.minimum;
}

function withoutAddress(schema: object): JsonSchema {
  const { $schema, $id, ...rest } = schema as Record<string, unknown>;
  return rest;
}

/** The named schemas that these lead to. */
function reached(all: Readonly<Record<string, JsonSchema>>, from: unknown): Record<string, JsonSchema> {
  const found: Record<string, JsonSchema> = {};
  const visit = (value: unknown) => {
    for (const name of referencesIn(value)) {
      const schema = all[name];
      if (schema === undefined || name in found) continue;
      found[name] = schema;
      visit(schema);
    }
  };
  visit(from);
  return found;
}

const referencesIn = (value: unknown): string[] =>
  [...JSON.stringify(value).matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(match => match[1] ?? "");
