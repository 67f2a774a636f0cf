/**
 * State machines in Amazon States Language, as plain data. They carry time and retries; the record is the truth, so an
 * execution may stop at any state and lose nothing. `${LifecycleFunction}` is filled in when they are deployed.
 */

/** What a step answers: the cluster's state, and what the machine should do next. */
export type Next = "launch" | "wait" | "done" | "drain";

export const STEPS = ["plan", "launch", "tick", "drain"] as const;
export type StepName = (typeof STEPS)[number];

const RETRY = [
  {
    ErrorEquals: ["busy", "unavailable", "Lambda.TooManyRequestsException"],
    IntervalSeconds: 2,
    MaxAttempts: 6,
    BackoffRate: 2,
    JitterStrategy: "FULL",
  },
];

// biome-ignore lint/suspicious/noTemplateCurlyInString: the deployment fills it in
const FUNCTION = "${LifecycleFunction}";

const task = (step: StepName, more: Readonly<Record<string, unknown>>) => ({
  Type: "Task",
  Resource: "arn:aws:states:::lambda:invoke",
  // Every task has a time limit: without one an interpreter's own default applies, and they differ.
  TimeoutSeconds: 90,
  Parameters: {
    FunctionName: FUNCTION,
    Payload: { step, "workspace.$": "$.workspace", "clusterId.$": "$.clusterId" },
  },
  ResultSelector: { "next.$": "$.Payload.next", "state.$": "$.Payload.state" },
  ResultPath: "$.last",
  Retry: RETRY,
  ...more,
});

const when = (next: Next, target: string) => ({ Variable: "$.last.next", StringEquals: next, Next: target });

/** Where a step's answer leads while a cluster comes up. */
const branch = {
  Type: "Choice",
  Choices: [when("launch", "Launch"), when("wait", "Pause"), when("drain", "Drain")],
  Default: "Done",
};

/** Whatever fails: the record is the truth, and the next look finds it. */
const goOnAt = (next: string) => [{ ErrorEquals: ["States.ALL"], ResultPath: "$.error", Next: next }];

/** Provisioning: from the request, or from the start of a stopped cluster, until the cluster is ready or leaving. */
export const clusterUp = {
  Comment: "Brings a cluster up. The sweep takes over whatever this leaves.",
  StartAt: "Plan",
  // An execution ends within the hour, far below the history limit.
  TimeoutSeconds: 3600,
  States: {
    Plan: task("plan", { Next: "Planned", Catch: goOnAt("Pause") }),
    Planned: branch,
    Launch: task("launch", { Next: "Launched", Catch: goOnAt("Pause") }),
    Launched: branch,
    Pause: { Type: "Wait", Seconds: 15, Next: "Tick" },
    Tick: task("tick", { Next: "Ticked", Catch: goOnAt("Pause") }),
    Ticked: branch,
    Drain: task("drain", { Next: "Done", Catch: goOnAt("Done") }),
    Done: { Type: "Succeed" },
  },
} as const;

/** Teardown: until the provider confirms that no machine is left. */
export const clusterDown = {
  Comment: "Takes a cluster down. The sweep takes over whatever this leaves; nothing gives up terminating.",
  StartAt: "Drain",
  TimeoutSeconds: 3600,
  States: {
    Drain: task("drain", { Next: "Drained", Catch: goOnAt("Pause") }),
    Drained: { Type: "Choice", Choices: [when("wait", "Pause"), when("drain", "Pause")], Default: "Done" },
    Pause: { Type: "Wait", Seconds: 10, Next: "Drain" },
    Done: { Type: "Succeed" },
  },
} as const;

export const definitions = { "cluster-up": clusterUp, "cluster-down": clusterDown } as const;
