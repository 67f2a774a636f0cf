/** Who may do what: roles against the grants, and the grants against what no grant may say. */
import { grants, roleStatementsOf, statementsOf } from "@muster/aws/grants.ts";
import { ROLE_PATH, ROLES } from "@muster/aws/places.ts";
import type { Resource } from "../harness/graph.ts";
import { ACCOUNT } from "../harness/provider.ts";
import { type Law, list, type Statement, same, statements, unless, type View } from "../harness/view.ts";

interface Allowed {
  readonly role: Resource;
  readonly statement: Statement;
  readonly action: string;
}

const allowed = (view: View): readonly Allowed[] =>
  view
    .of("iam/role:Role")
    .flatMap(role =>
      view.may(role).flatMap(statement => list(statement.Action).map(action => ({ role, statement, action }))),
    );

const sorted = (all: readonly unknown[]): readonly string[] => all.map(one => JSON.stringify(one)).sort();

const granted = (statement: Statement) => ({
  actions: [...list(statement.Action)],
  resources: [...list(statement.Resource)],
  conditions: Object.entries(statement.Condition ?? {}).flatMap(([test, asked]) =>
    Object.entries(asked).map(([variable, values]) => ({ test, variable, values: list(values) })),
  ),
});

/** A function has the policy that its grants come to, and nothing beside it: no managed policy, no log but its own. */
const functionsHaveTheirGrants: Law = view => [
  ...unless(
    view.functions.length === Object.keys(grants).length,
    `there are ${view.functions.length} functions with a role`,
  ),
  ...view.functions.flatMap(({ name, role }) => [
    ...same(
      sorted(view.may(role).map(granted)),
      sorted(statementsOf(name, view.place).map(({ conditions = [], ...rest }) => ({ ...rest, conditions }))),
      `the policy of ${name}`,
    ),
    ...same(role.inputs.managedPolicyArns ?? [], [], `managed policies of ${name}`),
  ]),
];

/** The roles that are no function's: there are these, and each may what its grants come to. */
const othersHaveTheirGrants: Law = view => [
  ...same(view.of("iam/role:Role").length, view.functions.length + ROLES.length, "the number of roles"),
  ...ROLES.flatMap(name => {
    const role = view.of("iam/role:Role").find(({ inputs }) => inputs.name === `${view.deployment}-${name}`);
    if (role === undefined) return [`there is no role of ${name}`];
    return [
      ...same(
        sorted(view.may(role).map(granted)),
        sorted(roleStatementsOf(name, view.place).map(({ conditions = [], ...rest }) => ({ ...rest, conditions }))),
        `the policy of ${role.name}`,
      ),
      ...same(role.inputs.managedPolicyArns ?? [], [], `managed policies of ${role.name}`),
    ];
  }),
];

/** Grants name things by how the stacks call them: each of the deployment's own is there. */
const grantsPointAtWhatIsThere: Law = view => {
  const arns = new Set(view.resources.map(({ arn }) => arn));
  const whole = (arn: string): string =>
    arn.replace(/(\/(index|stream)\/\*|(?<=:::[^/]+)\/\w+\/\*|:log-stream:\*|(?<=:function:[\w-]+):\*)$/, "");
  return view.of("iam/role:Role").flatMap(role =>
    view
      .may(role)
      .flatMap(({ Resource }) => list(Resource))
      // Secrets are made at run time, below a path of the deployment's own.
      .filter(arn => arn.includes(view.deployment) && !arn.endsWith(`:parameter/muster/${view.deployment}/*`))
      .flatMap(arn => unless(arns.has(whole(arn)), `${role.name} may use ${arn}, which is not there`)),
  );
};

const noWildcardActions: Law = view =>
  allowed(view).flatMap(({ role, action }) => unless(!action.includes("*"), `${role.name} may ${action}`));

/** Verbs that change nothing. */
const READS = /^[a-z0-9-]+:(Describe|Get|List)[A-Z]\w*$/;
/** What changes something, and for which AWS knows no resource. */
const RESOURCELESS: Readonly<Record<string, RegExp>> = {
  // The log delivery of Step Functions.
  MachineRole: /^logs:(CreateLogDelivery|DeleteLogDelivery|UpdateLogDelivery|PutResourcePolicy)$/,
  // SSM's agent speaks for its own machine only, by its credentials.
  HostRole:
    /^(ssm:UpdateInstanceInformation|ssmmessages:(Create|Open)\w+Channel|ec2messages:(Acknowledge|Delete|Fail)Message|ec2messages:SendReply)$/,
};

const changesNameTheirResource: Law = view =>
  allowed(view)
    .filter(({ statement }) => list(statement.Resource).includes("*"))
    .flatMap(({ role, action }) =>
      unless(
        READS.test(action) || RESOURCELESS[role.name]?.test(action) === true,
        `${role.name} may ${action} on anything`,
      ),
    );

/** What a launch uses and did not make, and what a tag cannot yet stand on. */
const UNTAGGED: Readonly<Record<string, RegExp>> = {
  "ec2:RunInstances": /:(image|snapshot|subnet|spot-instances-request|capacity-reservation)\//,
  "ec2:CreateSecurityGroup": /:vpc\//,
};

const demandsTag = ({ Condition }: Statement, deployment: string): boolean =>
  Object.entries(Condition?.StringEquals ?? {}).some(
    ([key, values]) =>
      /^(aws:(Request|Resource)Tag|ssm:resourceTag)\/muster:deployment$/.test(key) &&
      list(values).join() === deployment,
  );

/** Subnets and security groups that an administrator gave free for launches, by a tag that no function may give. */
export const isGivenFree = ({ Action, Resource, Condition }: Statement, deployment: string): boolean =>
  list(Action).join() === "ec2:RunInstances" &&
  list(Resource).every(arn => /:(subnet|security-group)\/\*$/.test(arn)) &&
  list(Condition?.StringEquals?.["aws:ResourceTag/muster:use"] ?? []).join() === deployment;

/** Machines, disks, groups: only those of this deployment. */
const changesToMachinesDemandTheTag: Law = view =>
  allowed(view)
    .filter(
      ({ action, statement }) =>
        /^(ec2|ssm):/.test(action) && !READS.test(action) && !list(statement.Resource).includes("*"),
    )
    .flatMap(({ role, action, statement }) => {
      const open = list(statement.Resource).filter(one => !UNTAGGED[action]?.test(one) && /:ec2:/.test(one));
      if (action === "ec2:CreateTags")
        return unless(
          statement.Condition?.StringEquals?.["ec2:CreateAction"] !== undefined,
          `${role.name} may tag what exists`,
        );
      return unless(
        open.length === 0 || demandsTag(statement, view.deployment) || isGivenFree(statement, view.deployment),
        `${role.name} may ${action} without the tag`,
      );
    });

/** Roles are handed to EC2 only, and only those of hosts and those that an administrator made for jobs. */
const passRole: Law = view =>
  allowed(view)
    .filter(({ action }) => action === "iam:PassRole")
    .flatMap(({ role, statement }) => [
      ...same(
        list(statement.Resource),
        [
          `arn:aws:iam::${ACCOUNT}:role${ROLE_PATH}${view.deployment}-host`,
          `arn:aws:iam::${ACCOUNT}:role${ROLE_PATH}jobs/*`,
        ],
        `what ${role.name} may pass`,
      ),
      ...same(
        statement.Condition,
        { StringEquals: { "iam:PassedToService": ["ec2.amazonaws.com"] } },
        `to whom ${role.name} may pass a role`,
      ),
    ]);

/** Principal, and the sources that it must speak for. */
const trusts = (view: View, role: Resource): readonly [string, readonly string[] | undefined] => {
  if (role.name === "HostRole") return ["ec2.amazonaws.com", undefined];
  if (role.name === "MachineRole")
    return ["states.amazonaws.com", view.of("sfn/stateMachine:StateMachine").map(({ id }) => id)];
  if (role.name === "SchedulerRole")
    return ["scheduler.amazonaws.com", [view.arn("scheduler", `schedule-group/${view.deployment}`)]];
  return ["lambda.amazonaws.com", []];
};

/** One service each, in the name of this account; EC2 alone does not say in whose name it asks. */
const trustIsNarrow: Law = view =>
  view.of("iam/role:Role").flatMap(role => {
    const [service, sources] = trusts(view, role);
    const said = statements(role.inputs.assumeRolePolicy).map(({ Principal, Condition }) => ({
      Principal,
      account: Condition?.StringEquals?.["aws:SourceAccount"],
      sources: [...list(Condition?.ArnLike?.["aws:SourceArn"] ?? [])].sort(),
    }));
    const wanted = {
      Principal: { Service: service },
      account: sources && ACCOUNT,
      sources: [...(sources ?? [])].sort(),
    };
    return same(said, [wanted], `the trust of ${role.name}`);
  });

/** All inline policies of a role hold 10,240 characters together, white space aside. */
const policiesFit: Law = view =>
  view.of("iam/role:Role").flatMap(role => {
    const size = JSON.stringify(view.may(role)).length;
    return unless(size <= 10_240, `the policy of ${role.name} has ${size} characters`);
  });

export const roles = {
  functionsHaveTheirGrants,
  othersHaveTheirGrants,
  grantsPointAtWhatIsThere,
  noWildcardActions,
  changesNameTheirResource,
  changesToMachinesDemandTheTag,
  passRole,
  trustIsNarrow,
  policiesFit,
} as const;
