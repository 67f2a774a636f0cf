/** What one break is, and the ways to break a resource. */
import type { LawName } from "../laws/laws.ts";

export type Props = Record<string, unknown>;

export interface Break {
  readonly laws: readonly LawName[];
  /** Which resource: the end of its type, and its name in the program. */
  readonly at?: readonly [string, string];
  /** Changes what the program says of the resource. A value may still be on its way, so it is changed through `lift`. */
  readonly change?: (props: Props, lift: Lift) => void;
  /** Changes how the resource is kept. */
  readonly options?: Props;
  /** What a link says instead. */
  readonly link?: readonly [string, Props];
  /** The function that is told only the first of its links. */
  readonly forgets?: string;
  /** A resource that has no business there. */
  readonly adds?: "open-group";
}

export type Lift = (value: unknown, change: (value: never) => unknown) => unknown;

export const role = "iam/role:Role";
export const trustRoot = JSON.stringify({
  Statement: [
    {
      Effect: "Allow",
      Action: "sts:AssumeRole",
      Principal: { Service: "lambda.amazonaws.com", AWS: "arn:aws:iam::123456789012:root" },
    },
  ],
});

interface Policy {
  readonly Statement: readonly object[];
}

/** Adds a statement to a role that is no function's. */
export const allowing = (action: string, resource: unknown): Pick<Break, "at" | "change"> => ({
  at: [role, "MachineRole"],
  change: (props, lift) => {
    props.inlinePolicies = lift(props.inlinePolicies, ([inline]: [{ name: string; policy: string }]) => {
      const policy = JSON.parse(inline.policy) as Policy;
      const Statement = [...policy.Statement, { Effect: "Allow", Action: action, Resource: resource }];
      return [{ ...inline, policy: JSON.stringify({ ...policy, Statement }) }];
    });
  },
});

export const set = (type: string, name: string, key: string, value: unknown): Pick<Break, "at" | "change"> => ({
  at: [type, name],
  change: props => {
    props[key] = value;
  },
});

export const rewrite = (
  type: string,
  name: string,
  key: string,
  change: (text: string) => string,
): Pick<Break, "at" | "change"> => ({
  at: [type, name],
  change: (props, lift) => {
    props[key] = lift(props[key], change);
  },
});

export const instances = "arn:aws:ec2:eu-central-1:123456789012:instance/*";
export const route = "apigatewayv2/route:Route";
export const queue = "sqs/queue:Queue";
