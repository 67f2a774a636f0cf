/** One fact of the stacks broken at a time, and the laws that must see it. */
import { allowing, type Break, instances, type Props, queue, rewrite, role, route, set, trustRoot } from "./break.ts";

export const breaks: Readonly<Record<string, Break>> = {
  "a route is missing": { laws: ["routesAreTheTable"], ...set(route, "RouteJobsGet", "routeKey", "GET /v1/elsewhere") },
  "a route goes to the wrong function": {
    laws: ["routesAreTheTable"],
    ...set(route, "RouteAgentPoll", "target", "integrations/ApiIntegration-id"),
  },
  "registration is open to all": {
    laws: ["routesAreTheTable"],
    ...set(route, "RouteAgentRegister", "authorizationType", "NONE"),
  },
  "any API may call": {
    laws: ["callersAreNamed"],
    ...set("lambda/permission:Permission", "ApiPermission", "sourceArn", undefined),
  },
  "any page may call": {
    laws: ["pagesOfOthersStayOut"],
    ...set("apigatewayv2/api:Api", "ApiApi", "corsConfiguration", { allowOrigins: ["*"] }),
  },
  "the access log has headers": {
    laws: ["accessLogHasNoTokens"],
    at: ["apigatewayv2/stage:Stage", "ApiStage"],
    change: (props, lift) => {
      props.accessLogSettings = lift(props.accessLogSettings, (settings: { format: string }) => ({
        ...settings,
        format: `${settings.format} $context.authorizer.claims`,
      }));
    },
  },
  "no throttle": {
    laws: ["throttled"],
    ...set("apigatewayv2/stage:Stage", "ApiStage", "defaultRouteSettings", undefined),
  },
  "hosts read parameters": {
    laws: ["hostsMayOnlyRegister", "othersHaveTheirGrants"],
    ...allowing("ssm:GetParameter", "*"),
    at: [role, "HostRole"],
  },
  "a managed policy": {
    laws: ["functionsHaveTheirGrants"],
    ...set(role, "ApiHandlerRole", "managedPolicyArns", ["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
  },
  "a function may more": {
    laws: ["functionsHaveTheirGrants"],
    at: [role, "ApiHandlerRole"],
    change: (props, lift) =>
      allowing("sqs:ReceiveMessage", "arn:aws:sqs:eu-central-1:123456789012:other").change?.(props, lift),
  },
  "a managed policy of the schedules": {
    laws: ["othersHaveTheirGrants"],
    ...set(role, "SchedulerRole", "managedPolicyArns", ["arn:aws:iam::aws:policy/ReadOnlyAccess"]),
  },
  "a queue of another name": { laws: ["grantsPointAtWhatIsThere"], ...set(queue, "Rings", "name", "rings") },
  "a wildcard action": {
    laws: ["othersHaveTheirGrants", "noWildcardActions"],
    ...allowing("dynamodb:*", "arn:aws:dynamodb:eu-central-1:123456789012:table/t"),
  },
  "deletes anything": {
    laws: ["othersHaveTheirGrants", "changesNameTheirResource"],
    ...allowing("s3:DeleteObject", "*"),
  },
  "ends machines of others": {
    laws: ["othersHaveTheirGrants", "changesToMachinesDemandTheTag"],
    ...allowing("ec2:TerminateInstances", instances),
  },
  "tags machines of others": {
    laws: ["othersHaveTheirGrants", "changesToMachinesDemandTheTag"],
    ...allowing("ec2:CreateTags", instances),
  },
  "passes any role": {
    laws: ["othersHaveTheirGrants", "passRole"],
    ...allowing("iam:PassRole", "arn:aws:iam::123456789012:role/*"),
  },
  "the account's root is trusted": {
    laws: ["trustIsNarrow"],
    ...set(role, "CronHandlerRole", "assumeRolePolicy", trustRoot),
  },
  "a policy too long": {
    laws: ["othersHaveTheirGrants", "policiesFit"],
    ...allowing(
      "s3:GetObject",
      Array.from({ length: 300 }, (_, at) => `arn:aws:s3:::bucket-${at}/of/many/*`),
    ),
  },
  "another TTL": {
    laws: ["tableIsWhatTheAdapterExpects"],
    ...set("dynamodb/table:Table", "TableTable", "ttl", { attributeName: "ttl", enabled: true }),
  },
  "no deletion protection": {
    laws: ["nothingIsLostByAccident"],
    ...set("dynamodb/table:Table", "TableTable", "deletionProtectionEnabled", false),
  },
  "no recovery": {
    laws: ["nothingIsLostByAccident"],
    ...set("dynamodb/table:Table", "TableTable", "pointInTimeRecovery", { enabled: false }),
  },
  "the table goes": {
    laws: ["nothingIsLostByAccident"],
    at: ["dynamodb/table:Table", "TableTable"],
    options: { retainOnDelete: false },
  },
  "public access": {
    laws: ["bucketIsClosed"],
    ...set("s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "BlobsPublicAccessBlock", "blockPublicPolicy", false),
  },
  "no TLS": {
    laws: ["bucketIsClosed"],
    ...rewrite("s3/bucketPolicy:BucketPolicy", "BlobsPolicy", "policy", text =>
      text.replace("SecureTransport", "PrincipalIsAWSService"),
    ),
  },
  "logs for ever": {
    laws: ["bucketForgets"],
    at: ["s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "BlobsLifecycle"],
    change: (props, lift) => {
      props.rules = lift(props.rules, (rules: { id: string }[]) => rules.filter(({ id }) => id !== "logs/"));
    },
  },
  "any page uploads": {
    laws: ["pagesThatMayUploadAreNamed"],
    ...set("s3/bucketCorsConfiguration:BucketCorsConfiguration", "BlobsCors", "corsRules", [
      { allowedMethods: ["POST"], allowedOrigins: ["*"] },
    ]),
  },
  "a queue without TLS": {
    laws: ["queuesAreClosed"],
    ...rewrite("sqs/queuePolicy:QueuePolicy", "RingsPolicy", "policy", text => text.replace("Deny", "Allow")),
  },
  "what hosts fetch goes": {
    laws: ["runtimeStays"],
    at: ["s3/bucketObjectv2:BucketObjectv2", "RuntimeAgent"],
    options: { retainOnDelete: false },
  },
  "a door": { laws: ["nobodyComesIn"], adds: "open-group" },
  "another definition": {
    laws: ["machinesAreTheDefinitions"],
    ...rewrite("sfn/stateMachine:StateMachine", "ClusterUpMachine", "definition", text =>
      text.replace('"Seconds":15', '"Seconds":1'),
    ),
  },
  "no definition": {
    laws: ["machinesAreTheDefinitions"],
    ...rewrite("sfn/stateMachine:StateMachine", "ClusterDownMachine", "definition", text =>
      text.replace('"StartAt":"Drain"', '"StartAt":"Nowhere"'),
    ),
  },
  "machines may not call": {
    laws: ["othersHaveTheirGrants", "machinesMayCallWhatTheyCall"],
    at: [role, "MachineRole"],
    change: (props, lift) => {
      props.inlinePolicies = lift(props.inlinePolicies, ([inline]: [{ policy: string }]) => [
        { ...inline, policy: inline.policy.replaceAll("-lifecycle", "-api") },
      ]);
    },
  },
  "tries for ever": {
    laws: ["streamIsRead"],
    ...set("lambda/eventSourceMapping:EventSourceMapping", "DoorbellStream", "maximumRetryAttempts", -1),
  },
  "an event is lost after three tries": {
    laws: ["streamIsRead"],
    ...set("lambda/eventSourceMapping:EventSourceMapping", "OutboxStream", "maximumRetryAttempts", 3),
  },
  "rings without an end": { laws: ["streamIsRead"], ...set(queue, "Rings", "redrivePolicy", undefined) },
  "lost events": {
    laws: ["eventsArrive"],
    ...set("cloudwatch/eventTarget:EventTarget", "InterruptionTarget", "deadLetterConfig", undefined),
  },
  "an event less": {
    laws: ["eventsArrive"],
    ...rewrite("cloudwatch/eventRule:EventRule", "RebalanceRule", "eventPattern", text =>
      text.replace("Rebalance Recommendation", "State-change Notification"),
    ),
  },
  "a slow sweep": {
    laws: ["dutiesAreDone"],
    ...set("scheduler/schedule:Schedule", "DueSchedule", "scheduleExpression", "rate(1 hour)"),
  },
  "lost duties": {
    laws: ["failuresAreKept"],
    ...set("lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "CronRetries", "destinationConfig", undefined),
  },
  "a kick with a parameter": {
    laws: ["kickSaysNothing"],
    ...rewrite("ssm/document:Document", "KickDocument", "content", text =>
      JSON.stringify({ ...(JSON.parse(text) as object), parameters: { command: { type: "String" } } }),
    ),
  },
  "an old runtime": {
    laws: ["bundlesAreSmallAndNew"],
    ...set("lambda/function:Function", "ApiHandlerFunction", "runtime", "nodejs20.x"),
  },
  "a log for ever": {
    laws: ["logsEnd"],
    ...set("cloudwatch/logGroup:LogGroup", "ClusterUpLog", "retentionInDays", undefined),
  },
  "a setting untold": { laws: ["settingsAreTold"], forgets: "EventsHandler" },
  "a setting untrue": { laws: ["settingsAreTrue"], link: ["Fleet", { endpoint: "https://elsewhere.example" }] },
  "the key in the open": {
    laws: ["keyIsSecret"],
    at: ["lambda/function:Function", "ApiHandlerFunction"],
    change: (props, lift) => {
      props.environment = lift(props.environment, ({ variables }: { variables: Props }) => ({
        variables: { ...variables, KEY: "in the open" },
      }));
    },
  },
  "nobody watches": {
    laws: ["alarmsAreHeard"],
    ...set("cloudwatch/metricAlarm:MetricAlarm", "DoorbellErrorsAlarm", "metricName", "Invocations"),
  },
  "nobody watches time limits": {
    laws: ["alarmsAreHeard"],
    ...set("cloudwatch/metricAlarm:MetricAlarm", "ClusterUpTimedOutAlarm", "metricName", "ExecutionsFailed"),
  },
  "nobody notices silence": {
    laws: ["alarmsAreHeard"],
    ...set("cloudwatch/metricAlarm:MetricAlarm", "CronSilentAlarm", "treatMissingData", "notBreaching"),
  },
  "nobody is told": {
    laws: ["alarmsAreHeard"],
    ...set("cloudwatch/metricAlarm:MetricAlarm", "OrphansFoundAlarm", "alarmActions", undefined),
  },
  "a role without a bound": {
    laws: ["boundaryBounds"],
    ...set(role, "SchedulerRole", "permissionsBoundary", undefined),
  },
  "a topic without the key": {
    laws: ["keyEncrypts"],
    ...set("sns/topic:Topic", "Alarms", "kmsMasterKeyId", undefined),
  },
  "machines without tags": { laws: ["tagsAreEverywhere"], link: ["Muster", { tags: {} }] },
  "machines in anybody's subnets": {
    laws: ["functionsHaveTheirGrants", "networkHoldsHosts"],
    ...allowing("ec2:RunInstances", "arn:aws:ec2:eu-central-1:123456789012:subnet/*"),
    at: [role, "CronHandlerRole"],
  },
  "machines behind anybody's rules": {
    laws: ["functionsHaveTheirGrants", "changesToMachinesDemandTheTag"],
    ...allowing("ec2:RunInstances", "arn:aws:ec2:eu-central-1:123456789012:security-group/*"),
    at: [role, "CronHandlerRole"],
  },
  "machines anywhere": { laws: ["networkHoldsHosts"], link: ["Fleet", { network: undefined }] },
  "no share": {
    laws: ["concurrencyIsAsked"],
    ...set("lambda/function:Function", "AgentHandlerFunction", "reservedConcurrentExecutions", undefined),
  },
};
