/** A graph as questions are asked of it. */
import { type Deployment, FUNCTIONS, type FunctionName } from "@muster/aws/places.ts";
import type { Build, Graph, Resource } from "./graph.ts";
import { ACCOUNT } from "./provider.ts";
import { open, type Values } from "./values.ts";

export interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Principal?: unknown;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, string | readonly string[]>>>>;
}

export const list = <T>(one: T | readonly T[]): readonly T[] =>
  Array.isArray(one) ? (one as readonly T[]) : [one as T];

/** The value at a path such as `rules.0.id`; undefined where there is none. */
export const at = (value: unknown, path: string): unknown =>
  path
    .split(".")
    .reduce(
      (inner: unknown, key) => (typeof inner === "object" && inner !== null ? (inner as Values)[key] : undefined),
      value,
    );

export const statements = (policy: unknown): readonly Statement[] =>
  (JSON.parse(String(policy)) as { Statement: readonly Statement[] }).Statement;

/** The options that a graph was made with. */
export interface Given {
  readonly boundary?: string;
  readonly vpc?: string;
  readonly subnets?: readonly string[];
  readonly kmsKey?: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly reserved?: boolean;
  readonly email?: string;
  readonly origins?: readonly string[];
  readonly outboundAllow?: readonly string[];
  readonly logDays?: number;
}

/** A function of the deployment, with all that belongs to it. */
export interface Fn {
  readonly name: FunctionName;
  readonly resource: Resource;
  readonly role: Resource;
  readonly build: Build;
  readonly arn: string;
}

export class View {
  readonly graph: Graph;
  readonly given: Given;
  /** With inputs opened: laws look at what AWS gets. */
  readonly resources: readonly Resource[];

  constructor(graph: Graph, given: Given = {}) {
    this.graph = graph;
    this.given = given;
    this.resources = graph.resources.map(one => ({ ...one, inputs: open(one.inputs) as Values }));
  }

  get deployment(): string {
    return `${this.graph.app.name}-${this.graph.app.stage}`;
  }

  get production(): boolean {
    return this.graph.app.stage === "production";
  }

  /** By the end of its type, such as `iam/role:Role`. */
  of(type: string): readonly Resource[] {
    return this.resources.filter(one => one.type === `aws:${type}`);
  }

  /** @throws Error unless there is exactly one. */
  one(type: string, name?: string): Resource {
    const found = this.of(type).filter(one => name === undefined || one.name === name);
    if (found.length !== 1 || found[0] === undefined) throw new Error(`${found.length} ${type} ${name ?? ""}`);
    return found[0];
  }

  get region(): string {
    return String(at(this.graph.app.providers, "aws.region"));
  }

  arn(service: string, rest: string): string {
    return `arn:aws:${service}:${this.region}:${ACCOUNT}:${rest}`;
  }

  /** ARN of a queue, by its resource. */
  queue(resource: Resource): string {
    return this.arn("sqs", String(resource.inputs.name));
  }

  get functions(): readonly Fn[] {
    return FUNCTIONS.flatMap(name => {
      const resource = this.of("lambda/function:Function").find(
        ({ inputs }) => inputs.name === `${this.deployment}-${name}`,
      );
      const role = this.of("iam/role:Role").find(
        one => resource !== undefined && String(resource.inputs.role).endsWith(`/${one.id}`),
      );
      const build = this.graph.builds[resource?.name.replace(/Function$/, "") ?? ""];
      if (resource === undefined || role === undefined || build === undefined) return [];
      return [{ name, resource, role, build, arn: this.arn("lambda", `function:${resource.id}`) }];
    });
  }

  /** What a role may do, by all its policies of its own. */
  may(role: Resource): readonly Statement[] {
    const inline = (role.inputs.inlinePolicies ?? []) as readonly { readonly policy: string }[];
    return inline.flatMap(({ policy }) => statements(policy));
  }

  /** What grants are resolved against here. */
  get place(): Deployment {
    return {
      partition: "aws",
      region: this.region,
      account: ACCOUNT,
      deployment: this.deployment,
      table: this.one("dynamodb/table:Table").id,
      bucket: this.one("s3/bucket:Bucket").id,
      api: this.one("apigatewayv2/api:Api").id,
      kmsKey: this.given.kmsKey,
      network: this.given.vpc === undefined ? undefined : { vpc: this.given.vpc, subnets: this.given.subnets ?? [] },
    };
  }
}

/** A promise that every deployment keeps: says where one breaks it. */
export type Law = (view: View) => readonly string[];

/** One line when it does not hold. */
export const unless = (holds: boolean, otherwise: string): readonly string[] => (holds ? [] : [otherwise]);
export const same = (found: unknown, wanted: unknown, what: string): readonly string[] =>
  unless(
    JSON.stringify(found) === JSON.stringify(wanted),
    `${what} is ${JSON.stringify(found)}, not ${JSON.stringify(wanted)}`,
  );
